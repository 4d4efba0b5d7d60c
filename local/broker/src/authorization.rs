//! Authorization: the peer of a connection, the IoT policy actions it requests, and the authorizer that decides.

use super::message::Message;

/// The remote side of a connection, as known before its first byte is read.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// Socket address, shown in lifecycle events and by GetConnection.
    pub address: Option<std::net::SocketAddr>,
    /// The certificate id of a mutual TLS connection.
    pub principal: Option<String>,
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
    let mut requests = actions.map(|action| AccessRequest { client_id, action, resource: &message.topic });
    requests.all(|request| is_allowed(authorizer, peer, &request))
}
