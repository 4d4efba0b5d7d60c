//! Authorization: the peer of a connection, the IoT policy actions it requests, and the authorizer that decides.

use super::message::Message;

/// The remote side of a connection, as known before its first byte is read.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// Socket address, shown in lifecycle events and by GetConnection.
    pub address: Option<std::net::SocketAddr>,
    /// None of a connection without TLS: it comes from a program of this machine.
    pub principal: Option<Principal>,
}

/// Who a client has proved to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A certificate, by its id: mutual TLS. Its policies say what the client may do.
    Certificate(String),
    /// A user of the account, by the unique id: a signed request. It may do everything.
    User(String),
}

impl Principal {
    /// The id, as lifecycle events and the function `principal()` of rules show it.
    pub fn id(&self) -> &str {
        match self {
            Self::Certificate(id) | Self::User(id) => id,
        }
    }
}

impl Peer {
    pub(super) fn principal_id(&self) -> Option<String> {
        self.principal.as_ref().map(|principal| principal.id().to_owned())
    }
}

/// Returns whether a peer is allowed an action. Set only in a stack with `--authorize`.
///
/// It is called while the broker's lock is held: it must answer from memory and must not call the broker.
pub type Authorizer = std::sync::Arc<dyn Fn(&Peer, &AccessRequest<'_>) -> bool + Send + Sync>;

/// One action on one resource, in the terms of an IoT policy.
#[derive(Clone, Copy, Debug)]
pub struct AccessRequest<'a> {
    /// The MQTT client id.
    pub client_id: &'a str,
    /// `iot:Connect`, `iot:Publish`, `iot:RetainPublish`, `iot:Subscribe` or `iot:Receive`.
    pub action: &'static str,
    /// Client id, topic or topic filter, depending on the action.
    pub resource: &'a str,
    /// Of `iot:Connect`: whether the session outlives the connection.
    pub persistent: bool,
    /// Of `iot:Connect`: the topic of the last will.
    pub will_topic: Option<&'a str>,
}

impl<'a> AccessRequest<'a> {
    /// A request of a client that is connected.
    pub(super) fn connected(client_id: &'a str, action: &'static str, resource: &'a str) -> Self {
        Self { client_id, action, resource, persistent: false, will_topic: None }
    }
}

/// Without an authorizer every action is allowed.
pub(super) fn is_allowed(authorizer: Option<&Authorizer>, peer: &Peer, request: &AccessRequest<'_>) -> bool {
    authorizer.is_none_or(|authorizer| authorizer(peer, request))
}

/// Checks `iot:Publish` and, for a retained message, `iot:RetainPublish`.
pub(super) fn is_publish_allowed(
    authorizer: Option<&Authorizer>,
    peer: &Peer,
    client_id: &str,
    message: &Message,
) -> bool {
    let actions = ["iot:Publish", "iot:RetainPublish"].into_iter().take(if message.retain { 2 } else { 1 });
    let mut requests = actions.map(|action| AccessRequest::connected(client_id, action, &message.topic));
    requests.all(|request| is_allowed(authorizer, peer, &request))
}
