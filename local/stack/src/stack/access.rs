//! Authorizers of a stack with `--authorize`: IoT policies of certificates, and signatures of requests.

use std::sync::Arc;

use jiff::Timestamp;
use local_broker::{AccessRequest, Authorizer, Peer, Principal};
use local_gateway::Guard;
use local_gateway::sigv4::{Credentials, Scope};
use local_registry::{ConnectAttributes, Registry};

/// Evaluates the policies of a client's certificate. Every action is allowed to the user that signs, who owns the account,
/// and on a connection without TLS, which comes from a program of this machine.
pub(super) fn authorizer(registry: Registry) -> Authorizer {
    Arc::new(move |peer: &Peer, request: &AccessRequest<'_>| match &peer.principal {
        Some(Principal::Certificate(certificate)) => {
            let AccessRequest { client_id, action, resource, persistent, will_topic } = *request;
            let connect = ConnectAttributes { persistent, will_topic };
            registry.allows(certificate, &local_registry::AccessRequest { client_id, action, resource, connect })
        }
        Some(Principal::User(_)) | None => true,
    })
}

/// Accepts signed requests, and requests of certificates whose policies allow them. Without `authorizes_all`, it is asked
/// for MQTT over WebSocket only.
pub(super) fn guard(credentials: Vec<Credentials>, region: &str, registry: Registry, authorizes_all: bool) -> Guard {
    Guard {
        credentials,
        region: region.to_owned(),
        policies: Arc::new(move |certificate, action, resource| {
            let connect = ConnectAttributes::default();
            let request = local_registry::AccessRequest { client_id: "", action, resource, connect };
            registry.allows(certificate, &request)
        }),
        authorizes_all,
    }
}

/// Accepts signed requests to routes with IAM authorization.
pub(super) fn http_authorizer(credentials: Credentials, region: &str) -> local_http_api::Authorize {
    let region = region.to_owned();
    Arc::new(move |parts, body| {
        let scope = Scope { regions: &[&region], services: &["execute-api"] };
        let verified = credentials.verify(parts, body, Timestamp::now(), &scope);
        verified.map_err(|error| format!("{}: {error}", error.code()))
    })
}
