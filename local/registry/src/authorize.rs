//! Authorization of devices: evaluates the policies of a certificate and of its thing's groups.

use std::iter;

use super::certificate_variables;
use super::certificates::{Certificate, Status};
use super::document::{Decision, Document};
use super::principals::PrincipalType;
use super::store::{Scope, Store};
use super::things::Thing;

const CLIENT_ID: &str = "iot:ClientId";
const THING_NAME: &str = "iot:Connection.Thing.ThingName";
const THING_TYPE: &str = "iot:Connection.Thing.ThingTypeName";
const IS_ATTACHED: &str = "iot:Connection.Thing.IsAttached";
const ATTRIBUTES: &str = "iot:Connection.Thing.Attributes[";

const CERTIFICATE_ID: &str = "iot:CertificateId";
const CONNECT_ATTRIBUTES: &str = "iot:ConnectAttributes";
const LAST_WILL_TOPIC: &str = "iot:LastWillTopic";

/// The prefix of a device's actions on its jobs. AWS documents `iot:` for them too: a policy may name either.
const JOBS_DATA: &str = "iotjobsdata:";
/// Operations of a device on its jobs over HTTPS.
const JOBS_OPERATIONS: [&str; 4] =
    ["DescribeJobExecution", "GetPendingJobExecutions", "StartNextPendingJobExecution", "UpdateJobExecution"];

/// One action of a client on one resource.
#[derive(Clone, Copy, Debug)]
pub struct AccessRequest<'a> {
    /// The MQTT client id; empty for a request over HTTPS.
    pub client_id: &'a str,
    /// An IoT policy action such as `iot:Publish`.
    pub action: &'a str,
    /// A client id, topic, topic filter or thing name, depending on the action; not an ARN.
    pub resource: &'a str,
    /// Of `iot:Connect` only.
    pub connect: ConnectAttributes<'a>,
}

/// What a CONNECT asks for besides the connection: `iot:ConnectAttributes` and `iot:LastWillTopic`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectAttributes<'a> {
    /// A session that outlives the connection.
    pub persistent: bool,
    /// The topic of the last will, if there is one.
    pub will_topic: Option<&'a str>,
}

/// Whether the local stack evaluates a policy variable or condition key of this name.
pub(super) fn is_supported_key(key: &str) -> bool {
    let known = [CLIENT_ID, THING_NAME, THING_TYPE, IS_ATTACHED, CERTIFICATE_ID, CONNECT_ATTRIBUTES, LAST_WILL_TOPIC];
    known.contains(&key) || attribute(key).is_some() || certificate_variables::is_supported(key)
}

/// The connection to authorize: source of the values of policy variables and condition keys.
#[derive(Clone, Copy)]
struct Connection<'a> {
    client_id: &'a str,
    certificate: (&'a str, &'a Certificate),
    thing: Option<(&'a str, &'a Thing)>,
    persistent: bool,
    /// ARN of the topic of the last will.
    will_topic: Option<&'a str>,
}

impl<'a> Connection<'a> {
    fn values(&self, key: &str) -> Vec<&'a str> {
        match key {
            CONNECT_ATTRIBUTES => {
                let persistent = self.persistent.then_some("PersistentConnect");
                persistent.into_iter().chain(self.will_topic.map(|_| "LastWill")).collect()
            }
            _ => self.value(key).into_iter().collect(),
        }
    }

    fn value(&self, key: &str) -> Option<&'a str> {
        match key {
            CLIENT_ID => Some(self.client_id),
            CERTIFICATE_ID => Some(self.certificate.0),
            LAST_WILL_TOPIC => self.will_topic,
            THING_NAME => self.thing.map(|(name, _)| name),
            THING_TYPE => self.thing.and_then(|(_, thing)| thing.thing_type.as_deref()),
            IS_ATTACHED => Some(if self.thing.is_some() { "true" } else { "false" }),
            _ => match attribute(key) {
                Some(attribute) => self.thing?.1.attributes.get(attribute).map(String::as_str),
                None => self.certificate.1.variables.get(key).map(String::as_str),
            },
        }
    }
}

fn attribute(key: &str) -> Option<&str> {
    key.strip_prefix(ATTRIBUTES)?.strip_suffix(']')
}

/// The resource type of an action, as it appears in ARNs; `None` for an action that is not supported.
fn resource_type(action: &str) -> Option<&'static str> {
    match action {
        "iot:Connect" => Some("client"),
        "iot:Publish" | "iot:Receive" | "iot:RetainPublish" | "iot:GetRetainedMessage" => Some("topic"),
        "iot:Subscribe" => Some("topicfilter"),
        "greengrass:Discover"
        | "iot:GetThingShadow"
        | "iot:UpdateThingShadow"
        | "iot:DeleteThingShadow"
        | "iot:ListNamedShadowsForThing" => Some("thing"),
        _ => JOBS_OPERATIONS.contains(&action.strip_prefix(JOBS_DATA)?).then_some("thing"),
    }
}

impl Store {
    pub(super) fn is_active(&self, certificate_id: &str) -> bool {
        self.certificates.get(certificate_id).is_some_and(|certificate| certificate.status == Status::Active)
    }

    /// Deny overrides Allow; an action that no statement matches is denied.
    pub(super) fn allows(&self, scope: &Scope, certificate_id: &str, request: &AccessRequest<'_>) -> bool {
        let AccessRequest { client_id, action, resource, connect } = *request;
        let Some(certificate) =
            self.certificates.get(certificate_id).filter(|certificate| certificate.status == Status::Active)
        else {
            return false;
        };
        let Some(kind) = resource_type(action) else { return false };
        let other_name = action.strip_prefix(JOBS_DATA).map(|operation| format!("iot:{operation}"));
        let arn = scope.arn(kind, resource);
        let will_topic = connect.will_topic.map(|topic| scope.arn("topic", topic));
        let connection = Connection {
            client_id,
            certificate: (certificate_id, certificate),
            thing: self.thing_of(certificate, client_id),
            persistent: connect.persistent,
            will_topic: will_topic.as_deref(),
        };
        let names: Vec<&str> = iter::once(action).chain(other_name.as_deref()).collect();
        let mut allowed = false;
        for document in self.documents(certificate, connection.thing.map(|(_, thing)| thing)) {
            for name in &names {
                match document.evaluate(name, &arn, |key| connection.values(key)) {
                    Decision::Denied => return false,
                    Decision::Allowed => allowed = true,
                    Decision::NoMatch => {}
                }
            }
        }
        allowed
    }

    /// The thing of a connection: the exclusive thing of its certificate, else the attached thing named as the client
    /// id.
    fn thing_of<'a>(&'a self, certificate: &'a Certificate, client_id: &str) -> Option<(&'a str, &'a Thing)> {
        let exclusive =
            certificate.things.iter().find(|(_, principal_type)| **principal_type == PrincipalType::Exclusive);
        let (name, _) = exclusive.or_else(|| certificate.things.get_key_value(client_id))?;
        self.things.get(name).map(|thing| (name.as_str(), thing))
    }

    /// The default versions of the policies of the certificate, of the thing's groups and of their parent groups.
    fn documents<'a>(
        &'a self,
        certificate: &'a Certificate,
        thing: Option<&'a Thing>,
    ) -> impl Iterator<Item = &'a Document> {
        let groups = thing.into_iter().flat_map(|thing| &thing.groups).filter_map(|name| self.groups.get(name));
        let inherited = groups.flat_map(|group| {
            let above = self.ancestors(group).flat_map(|(_, group)| &group.policies);
            group.policies.iter().chain(above)
        });
        let names = certificate.policies.iter().chain(inherited);
        names.filter_map(|name| self.policies.get(name)?.document())
    }
}
