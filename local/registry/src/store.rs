//! State of the registry, its region and account, and the context of a request.

use std::collections::BTreeMap;

use local_pki::Pki;
use serde::{Deserialize, Serialize};

use super::certificates::Certificate;
use super::groups::Group;
use super::policies::Policy;
use super::things::Thing;
use super::types::ThingType;

/// State of the registry. Certificates are keyed by id, all other resources by name.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Store {
    pub things: BTreeMap<String, Thing>,
    pub types: BTreeMap<String, ThingType>,
    pub groups: BTreeMap<String, Group>,
    pub certificates: BTreeMap<String, Certificate>,
    pub policies: BTreeMap<String, Policy>,
}

/// Region and account of the registry, which its ARNs contain, and the endpoint for devices.
#[derive(Debug)]
pub(super) struct Scope {
    pub region: String,
    pub account: String,
    pub data_endpoint: String,
}

/// Context of one request: scope, certificate authority and time.
pub(super) struct Context<'a> {
    pub scope: &'a Scope,
    pub pki: &'a Pki,
    pub now_ms: i64,
}

impl Scope {
    /// `arn:aws:iot:<region>:<account>:<kind>/<name>`
    pub(super) fn arn(&self, kind: &str, name: &str) -> String {
        format!("arn:aws:iot:{}:{}:{kind}/{name}", self.region, self.account)
    }

    /// The name in an ARN; `None` if its kind, region or account differs.
    pub(super) fn name_in<'a>(&self, kind: &str, arn: &'a str) -> Option<&'a str> {
        arn.strip_prefix(&self.arn(kind, "")).filter(|name| !name.is_empty())
    }
}

/// A timestamp in the format of the API: seconds since 1970, with a fraction.
pub(super) fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// A new random UUID.
pub(super) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
