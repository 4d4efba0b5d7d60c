//! The AWS IoT Core message broker: MQTT 3.1.1 and 5, QoS 0 and 1, with AWS's own rules and inconveniences.

mod message;

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use crate::clock::Clock;
pub use message::{Message, Properties, Published, Publisher};

/// A handle on the broker; clones share it.
#[derive(Clone)]
pub struct Broker {}

/// What the broker knows of a connection before it reads the first byte.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// The other end, for lifecycle events and GetConnection.
    pub address: Option<std::net::SocketAddr>,
    /// The certificate id of a mutual TLS connection.
    pub principal: Option<String>,
}

/// Decides whether a peer may do something; asked only where the stack runs with `--authorize`.
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

/// A client that is, or lately was, connected.
#[derive(Clone, Debug)]
pub struct Connection {
    pub connected: bool,
    pub connected_since_ms: Option<i64>,
    pub disconnected_since_ms: Option<i64>,
    pub disconnect_reason: Option<&'static str>,
    pub clean_session: bool,
    pub session_expiry_s: u32,
    pub keep_alive_s: u16,
    pub address: Option<std::net::SocketAddr>,
}

/// One subscription of a session.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub filter: String,
    pub qos: u8,
}

/// Why a direct message was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum DirectError {
    #[error("client {0} is not connected")]
    NotConnected(String),
    #[error("client {0} did not acknowledge in time")]
    NoAcknowledgement(String),
}

/// Why a publish from inside AWS was refused.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("topic {topic:?}: {why}")]
    Topic { topic: String, why: &'static str },
    #[error("the message is {bytes} bytes; at most 131072 are allowed")]
    TooLarge { bytes: usize },
}

#[allow(unused_variables)]
impl Broker {
    pub fn new(clock: Clock, authorizer: Option<Authorizer>) -> Self {
        unimplemented!()
    }
    /// Serves one client until it is gone.
    pub async fn serve<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(&self, stream: S, peer: Peer) {
        unimplemented!()
    }
    /// Publishes for the data plane, the shadow service, a rule or a lifecycle event; seen by the tap like any other.
    pub fn publish(&self, message: Message) -> Result<(), PublishError> {
        unimplemented!()
    }
    /// Every message that the broker accepts from now on, in order, `$aws/...` included.
    pub fn tap(&self) -> mpsc::UnboundedReceiver<Published> {
        unimplemented!()
    }
    /// SendDirectMessage: `confirm` waits that long (real time) for the client's PUBACK.
    pub async fn send_direct(
        &self,
        client_id: &str,
        message: Message,
        confirm: Option<Duration>,
    ) -> Result<(), DirectError> {
        unimplemented!()
    }
    pub fn connection(&self, client_id: &str) -> Option<Connection> {
        unimplemented!()
    }
    pub fn subscriptions(&self, client_id: &str) -> Option<Vec<Subscription>> {
        unimplemented!()
    }
    /// DeleteConnection; false when no such client is connected.
    pub fn disconnect(&self, client_id: &str, clean_session: bool, prevent_will: bool) -> bool {
        unimplemented!()
    }
    pub fn retained(&self, topic: &str) -> Option<(Message, i64)> {
        unimplemented!()
    }
    pub fn retained_topics(&self) -> Vec<(String, usize, u8, i64)> {
        unimplemented!()
    }
    pub fn snapshot(&self) -> Value {
        unimplemented!()
    }
    pub fn restore(&self, state: &Value) {
        unimplemented!()
    }
}
