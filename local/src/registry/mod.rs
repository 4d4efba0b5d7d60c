//! The `iot` control plane: things, types, groups, certificates, policies, endpoints.

use serde_json::Value;

use crate::clock::Clock;
use crate::pki::Pki;

/// A handle on the registry; clones share it.
#[derive(Clone)]
pub struct Registry {}

#[allow(unused_variables)]
impl Registry {
    /// `data_endpoint` is what DescribeEndpoint answers for `iot:Data-ATS`.
    pub fn new(clock: Clock, pki: Pki, region: &str, account: &str, data_endpoint: &str) -> Self {
        unimplemented!()
    }
    /// True when a certificate with this id (the SHA-256 of its DER, in hex) is registered and ACTIVE.
    pub fn is_active(&self, certificate_id: &str) -> bool {
        unimplemented!()
    }
    /// Evaluates the policies attached to a certificate (and to the groups of its things), as AWS IoT does.
    /// `action` is like `iot:Publish`, `resource` a client id, topic or topic filter.
    pub fn allows(&self, certificate_id: &str, client_id: &str, action: &str, resource: &str) -> bool {
        unimplemented!()
    }
    pub fn router(&self) -> axum::Router {
        unimplemented!()
    }
    pub fn snapshot(&self) -> Value {
        unimplemented!()
    }
    pub fn restore(&self, state: &Value) {
        unimplemented!()
    }
}
