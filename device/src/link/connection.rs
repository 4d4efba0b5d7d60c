//! The handle of an MQTT connection that a background task keeps open.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rumqttc::{AsyncClient, MqttOptions, QoS, TlsConfiguration, Transport};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::connection_loop::ConnectionLoop;
use super::endpoint::Endpoint;
use super::event::{Event, Receipt};

/// Packets that wait to be sent, at most; further publishes are dropped.
const MAX_QUEUED_PACKETS: usize = 1024;
/// Events that wait to be read, at most; then the connection is not read.
const MAX_QUEUED_EVENTS: usize = 64;
/// AWS IoT's limit for a payload is 128 KB; the rest is room for the topic.
const MAX_PACKET_BYTES: usize = 160 * 1024;
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Publishes that are sent before the first of them is acknowledged, at most.
const MAX_INFLIGHT: u16 = 50;
/// Time for a DISCONNECT to be written.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection that a background task makes, and makes again whenever it is lost. Dropping the link cuts the
/// connection without a DISCONNECT.
pub struct Link {
    client: AsyncClient,
    events: mpsc::Receiver<Event>,
    /// Counts the connections that were lost.
    epoch: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Link {
    /// Starts to connect as `client_id` with a persistent session, and subscribes to `filters` with QoS 1.
    ///
    /// # Panics
    /// If `client_id` is empty (a persistent session needs one), or outside of a Tokio runtime.
    pub fn open(endpoint: &Endpoint, client_id: &str, filters: Vec<String>) -> Self {
        let mut options = MqttOptions::new(client_id, &endpoint.host, endpoint.port);
        options.set_clean_session(false).set_keep_alive(KEEP_ALIVE).set_inflight(MAX_INFLIGHT);
        options.set_max_packet_size(MAX_PACKET_BYTES, MAX_PACKET_BYTES);
        // By itself, rumqttc acknowledges a message before the owner has processed it: a crash would lose the message.
        options.set_manual_acks(true);
        if let Some(tls) = &endpoint.tls {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.clone())));
        }
        let (client, mut connection) = AsyncClient::new(options, MAX_QUEUED_PACKETS);
        // Nagle's algorithm would delay each small packet by up to 40 ms.
        connection.network_options.set_tcp_nodelay(true);
        let (sender, events) = mpsc::channel(MAX_QUEUED_EVENTS);
        let epoch = Arc::<AtomicU64>::default();
        let connection_loop = ConnectionLoop::new(connection, client.clone(), filters, sender, epoch.clone());
        let task = tokio::spawn(connection_loop.run(endpoint.connect_permits.clone()));
        Self { client, events, epoch, task }
    }

    /// The next event; `None` when the connection is closed for good. While events are not read, the connection stands
    /// still. Cancel-safe.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Acknowledges a message to the broker. Best effort: if the acknowledgement cannot be sent, the message arrives
    /// again.
    pub fn acknowledge(&self, receipt: Receipt) {
        // On a later connection, the same packet id may belong to another message.
        if receipt.epoch != self.epoch.load(Ordering::Relaxed) {
            tracing::debug!("message not acknowledged: its connection is lost, the broker sends it again");
        } else if self.client.try_ack(&receipt.publish).is_err() {
            tracing::debug!("message not acknowledged: the send queue is full, the broker sends it again");
        }
    }

    /// Queues a publish with QoS 1, which is sent when the link is connected. Returns `false`, and drops the message,
    /// when the queue is full.
    pub fn publish(&self, topic: &str, payload: Vec<u8>) -> bool {
        self.client.try_publish(topic, QoS::AtLeastOnce, false, payload).is_ok()
    }

    /// Sends a DISCONNECT, and waits up to two seconds until it is written.
    pub async fn close(mut self) {
        if self.client.try_disconnect().is_ok() {
            let drained = async { while self.events.recv().await.is_some() {} };
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, drained).await;
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}
