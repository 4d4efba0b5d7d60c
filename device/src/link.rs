//! One MQTT 3.1.1 connection that never gives up: a persistent session, subscriptions renewed, capped backoff.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectionError, Event as MqttEvent, EventLoop, MqttOptions, Outgoing, Packet, Publish, QoS,
    SubscribeFilter, SubscribeReasonCode, TlsConfiguration, Transport,
};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

/// Publishes that wait while there is no connection; beyond this they are dropped.
const QUEUE: usize = 1024;
/// Events that wait to be read; beyond this the connection is not read.
const EVENTS: usize = 64;
/// What AWS IoT takes in one message, and room for the topic.
const MAX_PACKET: usize = 160 * 1024;
/// Filters in one SUBSCRIBE: AWS IoT takes no more.
const FILTERS: usize = 8;
const BACKOFF_MS: std::ops::RangeInclusive<u64> = 250..=32_000;

/// Where to connect, and as whom.
#[derive(Clone)]
pub struct Endpoint {
    /// Host name or address.
    pub host: String,
    /// 1883 for plain TCP, 8883 for TLS.
    pub port: u16,
    /// `None`: plain TCP.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// Connections being opened at the same time, when many links share one endpoint.
    pub connecting: Option<Arc<Semaphore>>,
}

impl Endpoint {
    /// Plain TCP.
    pub fn plain(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, tls: None, connecting: None }
    }
}

/// What happens on a link.
#[derive(Debug)]
pub enum Event {
    /// Connected; every subscription is, or is being, made.
    Up {
        /// The broker remembered nothing: what was on its way may be lost.
        session_lost: bool,
    },
    /// The subscriptions hold, as they were made or kept: told once for each connection.
    Subscribed,
    /// A message arrived.
    Message {
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: bytes::Bytes,
        /// For [`Link::acknowledge`]: until then, the broker sends it again with the next connection.
        receipt: Receipt,
    },
    /// The broker has taken one of our publishes.
    Acknowledged,
    /// The connection was lost, or could not be made. It is tried again after a while.
    Down {
        /// Why.
        error: ConnectionError,
        /// When it is tried again.
        retry_in: Duration,
    },
}

/// What a message is acknowledged with.
#[derive(Debug)]
#[must_use = "what is not acknowledged is sent again"]
pub struct Receipt {
    publish: Publish,
    /// Of which connection.
    epoch: u64,
}

/// A connection in the background. Dropping it cuts the connection, without a word to the broker.
pub struct Link {
    client: AsyncClient,
    events: mpsc::Receiver<Event>,
    /// Counts the connections that were lost.
    epoch: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Link {
    /// Starts to connect as `client_id`, with a persistent session, and subscribes to `filters` with QoS 1.
    ///
    /// # Panics
    /// If `client_id` is empty: a persistent session needs a name.
    pub fn open(endpoint: &Endpoint, client_id: &str, filters: Vec<String>) -> Self {
        let mut options = MqttOptions::new(client_id, &endpoint.host, endpoint.port);
        options.set_clean_session(false).set_keep_alive(Duration::from_secs(30)).set_inflight(50);
        options.set_max_packet_size(MAX_PACKET, MAX_PACKET);
        // The library acknowledges what nobody has seen yet: it would be lost with the process.
        options.set_manual_acks(true);
        if let Some(tls) = &endpoint.tls {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.clone())));
        }
        let (client, mut connection) = AsyncClient::new(options, QUEUE);
        // Messages are small; held back until the one before is acknowledged, each would be 40 ms late.
        connection.network_options.set_tcp_nodelay(true);
        let (sender, events) = mpsc::channel(EVENTS);
        let epoch = Arc::<AtomicU64>::default();
        let pump = Pump { connection, client: client.clone(), filters, events: sender, epoch: epoch.clone() };
        let task = tokio::spawn(pump.run(endpoint.connecting.clone()));
        Self { client, events, epoch, task }
    }

    /// The next event; the connection stands still while nobody asks. Safe to cancel.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Tells the broker that a message is taken care of.
    pub fn acknowledge(&self, receipt: Receipt) {
        // By now the same number may be that of another message.
        if receipt.epoch != self.epoch.load(Ordering::Relaxed) {
            tracing::debug!("not acknowledged, as its connection is gone: the message will come again");
        } else if self.client.try_ack(&receipt.publish).is_err() {
            tracing::debug!("not acknowledged, as too much waits: the message will come again");
        }
    }

    /// Publishes with QoS 1, now or when the connection is back. `false` when too much waits already.
    pub fn publish(&self, topic: &str, payload: Vec<u8>) -> bool {
        self.client.try_publish(topic, QoS::AtLeastOnce, false, payload).is_ok()
    }

    /// Says goodbye to the broker, and waits for that.
    pub async fn close(mut self) {
        if self.client.try_disconnect().is_ok() {
            let flushed = async { while self.events.recv().await.is_some() {} };
            let _ = tokio::time::timeout(Duration::from_secs(2), flushed).await;
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Pump {
    connection: EventLoop,
    client: AsyncClient,
    filters: Vec<String>,
    events: mpsc::Sender<Event>,
    epoch: Arc<AtomicU64>,
}

impl Pump {
    /// Ends when nobody listens any more, or when told to disconnect.
    async fn run(mut self, connecting: Option<Arc<Semaphore>>) {
        let mut failures = 0;
        // Only a SUBACK counts: a SUBSCRIBE that was lost with its connection is not sent again by the client library.
        let mut subscribed = false;
        // One that was lost before it was sent is sent again, before those of the new connection. As they are always made
        // in the same order, this many SUBACKs in a row are of all of them even so.
        let mut missing = 0;
        loop {
            // The first poll after a failure connects; it is the only one that needs a permit.
            let permit = match &connecting {
                Some(semaphore) if self.connection.network.is_none() => semaphore.clone().acquire_owned().await.ok(),
                _ => None,
            };
            let polled = self.connection.poll().await;
            drop(permit);
            let event = match polled {
                Ok(MqttEvent::Incoming(Packet::ConnAck(ack))) => {
                    failures = 0;
                    subscribed &= ack.session_present;
                    let up = Event::Up { session_lost: !ack.session_present };
                    if !subscribed {
                        missing = self.subscribe();
                        up
                    } else if self.events.send(up).await.is_ok() {
                        Event::Subscribed
                    } else {
                        return;
                    }
                }
                Ok(MqttEvent::Incoming(Packet::Publish(publish))) => {
                    // All that an acknowledgement takes.
                    let mut receipt = Publish::new("", publish.qos, "");
                    receipt.pkid = publish.pkid;
                    let receipt = Receipt { publish: receipt, epoch: self.epoch.load(Ordering::Relaxed) };
                    Event::Message { topic: publish.topic, payload: publish.payload, receipt }
                }
                Ok(MqttEvent::Incoming(Packet::SubAck(ack))) => {
                    missing = usize::saturating_sub(missing, 1);
                    subscribed = missing == 0;
                    if ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                        tracing::warn!(filters = ?self.filters, "the broker refused a subscription");
                    }
                    if !subscribed {
                        continue;
                    }
                    Event::Subscribed
                }
                Ok(MqttEvent::Incoming(Packet::PubAck(_))) => Event::Acknowledged,
                // It has been written by the time that this is reported.
                Ok(MqttEvent::Outgoing(Outgoing::Disconnect)) => return,
                Ok(_) => continue,
                Err(error) => {
                    let retry_in = backoff(failures, rand::random());
                    failures = failures.saturating_add(1);
                    self.epoch.fetch_add(1, Ordering::Relaxed);
                    if !self.leave_behind().await {
                        return;
                    }
                    if self.events.send(Event::Down { error, retry_in }).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(retry_in).await;
                    continue;
                }
            };
            if self.events.send(event).await.is_err() {
                return;
            }
        }
    }

    /// The client library tells what is left of a lost connection as if it were of the next one. There, a SUBACK would
    /// stand for a subscription that may not hold, and the number of a message that comes again would be acknowledged too
    /// early. `false` when nobody listens.
    async fn leave_behind(&mut self) -> bool {
        for left in std::mem::take(&mut self.connection.state.events) {
            let taken = matches!(left, MqttEvent::Incoming(Packet::PubAck(_)));
            if taken && self.events.send(Event::Acknowledged).await.is_err() {
                return false;
            }
        }
        true
    }

    /// How many SUBACKs there will be if all goes well.
    fn subscribe(&self) -> usize {
        for some in self.filters.chunks(FILTERS) {
            let filters = some.iter().map(|f| SubscribeFilter::new(f.clone(), QoS::AtLeastOnce));
            if self.client.try_subscribe_many(filters).is_err() {
                tracing::warn!("the queue is full: subscriptions are made with the next connection");
            }
        }
        self.filters.len().div_ceil(FILTERS)
    }
}

/// Exponential, capped, half of it at random: a fleet that lost its broker must not come back in step.
fn backoff(failures: u32, random: f64) -> Duration {
    let (first, cap) = BACKOFF_MS.into_inner();
    let full = first.saturating_mul(1 << failures.min(16)).min(cap);
    Duration::from_millis(full).mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_grows_to_its_cap_and_is_spread() {
        assert_eq!(backoff(0, 1.0), Duration::from_millis(250));
        assert_eq!(backoff(0, 0.0), Duration::from_millis(125));
        assert_eq!(backoff(3, 1.0), Duration::from_secs(2));
        assert_eq!(backoff(u32::MAX, 1.0), Duration::from_secs(32));
    }
}
