//! Who is at the other end, and who decides what that peer may do.

use super::message::Message;

/// What the broker knows of a connection before it reads the first byte.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// The other end, for lifecycle events and GetConnection.
    pub address: Option<std::net::SocketAddr>,
    /// The certificate id of a mutual TLS connection.
    pub principal: Option<String>,
}

/// Decides whether a peer may do something; asked only where the stack runs with `--authorize`.
///
/// It is asked while the broker is locked, so it must answer from memory and must not call the broker.
pub type Authorizer = std::sync::Arc<dyn Fn(&Peer, &Ask<'_>) -> bool + Send + Sync>;

/// What a peer asks to do, in IoT policy terms.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The MQTT client id.
    pub client_id: &'a str,
    /// `iot:Connect`, `iot:Publish`, `iot:RetainPublish`, `iot:Subscribe` or `iot:Receive`.
    pub action: &'static str,
    /// Client id, topic or topic filter.
    pub resource: &'a str,
}

/// Without an authorizer everyone may do everything.
pub(super) fn may(authorizer: Option<&Authorizer>, peer: &Peer, ask: &Ask<'_>) -> bool {
    authorizer.is_none_or(|authorizer| authorizer(peer, ask))
}

/// `iot:Publish` and, if it is to be retained, `iot:RetainPublish`.
pub(super) fn may_publish(authorizer: Option<&Authorizer>, peer: &Peer, client_id: &str, message: &Message) -> bool {
    let actions = ["iot:Publish", "iot:RetainPublish"].into_iter().take(if message.retain { 2 } else { 1 });
    let mut asks = actions.map(|action| Ask { client_id, action, resource: &message.topic });
    asks.all(|ask| may(authorizer, peer, &ask))
}
