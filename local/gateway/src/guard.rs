//! Who may call, where the stack runs with `--authorize`: who signed with the right secret, or shows a certificate whose
//! policies allow it.

use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::{Method, request::Parts};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::service::Service;
use super::sigv4::Credentials;

/// The other end of a connection.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its address.
    pub address: std::net::SocketAddr,
    /// The certificate id, where it showed one that is registered and active.
    pub certificate: Option<String>,
}

/// Whether the policies of a certificate allow an action on a resource.
pub type Policies = Arc<dyn Fn(&str, &str, &str) -> bool + Send + Sync>;

/// Decides who may call.
#[derive(Clone)]
pub struct Guard {
    /// What requests must be signed with.
    pub credentials: Credentials,
    /// What certificates may do.
    pub policies: Policies,
}

pub(super) struct Refused {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Guard {
    pub(super) fn admit(&self, request: &Parts, body: &[u8], service: Service) -> Result<(), Refused> {
        let certificate =
            request.extensions.get::<ConnectInfo<Caller>>().and_then(|ConnectInfo(caller)| caller.certificate.as_ref());
        if let Some(certificate) = certificate
            && !request.headers.contains_key("authorization")
        {
            return self.admit_certificate(certificate, request, service);
        }
        match self.credentials.verify(request, body, Timestamp::now()) {
            Ok(_) => Ok(()),
            Err(error) => Err(Refused { code: error.code(), message: error.to_string() }),
        }
    }

    fn admit_certificate(&self, certificate: &str, request: &Parts, service: Service) -> Result<(), Refused> {
        let refused = |message: &str| Refused { code: "ForbiddenException", message: message.to_owned() };
        let Some((action, resource)) = (service == Service::IotData).then(|| asked(request)).flatten() else {
            return Err(refused("a certificate is good for the data plane only: sign this request"));
        };
        let retained = (action == "iot:Publish" && retains(request)).then_some("iot:RetainPublish");
        match std::iter::once(action).chain(retained).find(|action| !(self.policies)(certificate, action, &resource)) {
            None => Ok(()),
            Some(action) => Err(refused(&format!("no policy of the certificate allows {action} on {resource}"))),
        }
    }
}

/// Whether a publish asks to be kept, or may be read so: what the data plane refuses needs no permission.
fn retains(request: &Parts) -> bool {
    let pairs =
        request.uri.query().unwrap_or_default().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    pairs.into_iter().any(|(name, value)| decoded(name) == "retain" && decoded(value) != "false")
}

/// The action of a data plane request, in IoT policy terms, and the topic or thing that it is on.
fn asked(request: &Parts) -> Option<(&'static str, String)> {
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
    let thing = path.strip_prefix("/things/")?.strip_suffix("/shadow")?;
    let action = match request.method {
        Method::GET => "iot:GetThingShadow",
        Method::POST => "iot:UpdateThingShadow",
        Method::DELETE => "iot:DeleteThingShadow",
        _ => return None,
    };
    Some((action, decode(thing)?))
}
