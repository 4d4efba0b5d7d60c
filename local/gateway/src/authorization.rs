//! Authorization of requests by signature, or by client certificate and its policies: of all if the stack runs with
//! `--authorize`, and always of MQTT over WebSocket.

use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::{Method, request::Parts};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::service::Service;
use super::sigv4::{Credentials, Scope, SignatureError, is_signed};

/// The client of a connection.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Address of the client.
    pub address: std::net::SocketAddr,
    /// Id of the client certificate, if the client presented a registered and active one.
    pub certificate: Option<String>,
}

/// Whether the policies of a certificate (its id) allow an action (such as `iot:Publish`) on a resource (topic or
/// thing).
pub type Policies = Arc<dyn Fn(&str, &str, &str) -> bool + Send + Sync>;

/// Authorizes requests.
#[derive(Clone)]
pub struct Guard {
    /// Credentials that requests must be signed with, one of them.
    pub credentials: Vec<Credentials>,
    /// The Region that requests must be signed for.
    pub region: String,
    /// Evaluates the policies of certificates.
    pub policies: Policies,
    /// Whether every request is authorized. Otherwise only MQTT over WebSocket is: the signature says who the client is, which
    /// rules and lifecycle events show.
    pub authorizes_all: bool,
}

pub(super) struct AuthorizationError {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Guard {
    pub(super) fn applies_to(&self, service: Service) -> bool {
        self.authorizes_all || service == Service::Mqtt
    }

    pub(super) fn authorize(&self, request: &Parts, body: &[u8], service: Service) -> Result<(), AuthorizationError> {
        let certificate =
            request.extensions.get::<ConnectInfo<Caller>>().and_then(|ConnectInfo(caller)| caller.certificate.as_ref());
        if let Some(certificate) = certificate
            && !is_signed(request)
        {
            return self.authorize_certificate(certificate, request, service);
        }
        // The global endpoint of STS is signed for us-east-1, wherever the client is.
        let regions: &[&str] = if service == Service::Sts { &[] } else { &[&self.region] };
        let scope = Scope { regions, services: service.signing_names() };
        let mut refusal = SignatureError::UnknownKey;
        for credentials in &self.credentials {
            match credentials.verify(request, body, Timestamp::now(), &scope) {
                Ok(_) => return Ok(()),
                Err(SignatureError::UnknownKey) => {}
                // The key is known, so this error says more.
                Err(error) => refusal = error,
            }
        }
        Err(AuthorizationError { code: refusal.code(), message: refusal.to_string() })
    }

    fn authorize_certificate(
        &self,
        certificate: &str,
        request: &Parts,
        service: Service,
    ) -> Result<(), AuthorizationError> {
        let denied = |message: &str| AuthorizationError { code: "ForbiddenException", message: message.to_owned() };
        let asked = match service {
            Service::IotData | Service::Greengrass => policy_action(request),
            Service::JobsData => jobs_action(request),
            _ => None,
        };
        let Some((action, resource)) = asked else {
            let message =
                "a client certificate authorizes requests of the data planes and discovery only: sign this request";
            return Err(denied(message));
        };
        let retained = (action == "iot:Publish" && sets_retain(request)).then_some("iot:RetainPublish");
        match std::iter::once(action).chain(retained).find(|action| !(self.policies)(certificate, action, &resource)) {
            None => Ok(()),
            Some(action) => Err(denied(&format!("no policy of the certificate allows {action} on {resource}"))),
        }
    }
}

/// The IoT policy action of a device on its jobs, and the thing.
fn jobs_action(request: &Parts) -> Option<(&'static str, String)> {
    let (thing, job) = request.uri.path().strip_prefix("/things/")?.split_once("/jobs")?;
    let thing = percent_decode_str(thing).decode_utf8().ok()?.into_owned();
    let operation = match (&request.method, job) {
        (&Method::GET, "") => "iotjobsdata:GetPendingJobExecutions",
        (&Method::GET, _) => "iotjobsdata:DescribeJobExecution",
        (&Method::PUT, _) => "iotjobsdata:StartNextPendingJobExecution",
        (&Method::POST, _) => "iotjobsdata:UpdateJobExecution",
        _ => return None,
    };
    Some((operation, thing))
}

/// Whether a publish sets `retain`. Every value but `false` counts: the data plane rejects invalid values itself.
fn sets_retain(request: &Parts) -> bool {
    let pairs =
        request.uri.query().unwrap_or_default().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    pairs.into_iter().any(|(name, value)| decoded(name) == "retain" && decoded(value) != "false")
}

/// The IoT policy action of a request of the data plane or of discovery, and its topic or thing.
fn policy_action(request: &Parts) -> Option<(&'static str, String)> {
    let decode = |segment: &str| percent_decode_str(segment).decode_utf8().ok().map(|text| text.into_owned());
    let path = request.uri.path();
    if let Some(topic) = path.strip_prefix("/topics/") {
        return Some(("iot:Publish", decode(topic)?));
    }
    if let Some(topic) = path.strip_prefix("/retainedMessage/") {
        return Some(("iot:GetRetainedMessage", decode(topic)?));
    }
    if let Some(thing) = path.strip_prefix("/api/things/shadow/ListNamedShadowsForThing/") {
        return Some(("iot:ListNamedShadowsForThing", decode(thing)?));
    }
    if let Some(thing) = path.strip_prefix("/greengrass/discover/thing/") {
        return Some(("greengrass:Discover", decode(thing)?));
    }
    let thing = path.strip_prefix("/things/")?.strip_suffix("/shadow")?;
    let action = match request.method {
        Method::GET => "iot:GetThingShadow",
        Method::POST => "iot:UpdateThingShadow",
        Method::DELETE => "iot:DeleteThingShadow",
        _ => return None,
    };
    Some((action, decode(thing)?))
}
