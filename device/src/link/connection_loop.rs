//! The background task of a link: connects, subscribes, reads packets, and reconnects after a failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rumqttc::{
    AsyncClient, Event as MqttEvent, EventLoop, Outgoing, Packet, Publish, QoS, SubscribeFilter, SubscribeReasonCode,
};
use tokio::sync::{Semaphore, mpsc};

use super::backoff;
use super::event::{Event, Receipt};

/// AWS IoT's limit of filters in one SUBSCRIBE.
const MAX_FILTERS_PER_SUBSCRIBE: usize = 8;

/// The owner of the link closed it.
struct Closed;

pub(super) struct ConnectionLoop {
    connection: EventLoop,
    client: AsyncClient,
    filters: Vec<String>,
    events: mpsc::Sender<Event>,
    /// Counts the connections that were lost.
    epoch: Arc<AtomicU64>,
    /// Failures in a row.
    failures: u32,
    /// Every SUBSCRIBE has its SUBACK. rumqttc does not send a SUBSCRIBE again that was lost with its connection.
    subscribed: bool,
    /// SUBACKs to come. A SUBSCRIBE that waited in the queue when the connection was lost is sent as well as those of
    /// the new connection; as their order is always the same, this many SUBACKs in a row cover all filters even then.
    missing_subacks: usize,
}

impl ConnectionLoop {
    pub fn new(
        connection: EventLoop,
        client: AsyncClient,
        filters: Vec<String>,
        events: mpsc::Sender<Event>,
        epoch: Arc<AtomicU64>,
    ) -> Self {
        Self { connection, client, filters, events, epoch, failures: 0, subscribed: false, missing_subacks: 0 }
    }

    /// Ends when the link is dropped or has sent its DISCONNECT.
    pub async fn run(mut self, connect_permits: Option<Arc<Semaphore>>) {
        loop {
            // Only the first poll after a failure connects: it is the only one that needs a permit.
            let permit = match &connect_permits {
                Some(permits) if self.connection.network.is_none() => permits.clone().acquire_owned().await.ok(),
                _ => None,
            };
            let polled = self.connection.poll().await;
            drop(permit);
            let handled = match polled {
                Ok(MqttEvent::Incoming(packet)) => self.on_packet(packet).await,
                // rumqttc reports the DISCONNECT after it has written it.
                Ok(MqttEvent::Outgoing(Outgoing::Disconnect)) => Err(Closed),
                Ok(MqttEvent::Outgoing(_)) => Ok(()),
                Err(error) => self.on_failure(error).await,
            };
            if handled.is_err() {
                return;
            }
        }
    }

    async fn on_packet(&mut self, packet: Packet) -> Result<(), Closed> {
        match packet {
            Packet::ConnAck(ack) => {
                self.failures = 0;
                self.subscribed &= ack.session_present;
                if !self.subscribed {
                    self.missing_subacks = self.subscribe();
                }
                self.send(Event::Connected { session_lost: !ack.session_present }).await?;
                if self.subscribed { self.send(Event::Subscribed).await } else { Ok(()) }
            }
            Packet::Publish(publish) => {
                let mut acknowledged = Publish::new("", publish.qos, "");
                acknowledged.pkid = publish.pkid;
                let receipt = Receipt { publish: acknowledged, epoch: self.epoch.load(Ordering::Relaxed) };
                self.send(Event::Message { topic: publish.topic, payload: publish.payload, receipt }).await
            }
            Packet::SubAck(ack) => {
                self.missing_subacks = self.missing_subacks.saturating_sub(1);
                self.subscribed = self.missing_subacks == 0;
                if ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                    tracing::warn!(filters = ?self.filters, "the broker refused a subscription: check its policy");
                }
                if self.subscribed { self.send(Event::Subscribed).await } else { Ok(()) }
            }
            Packet::PubAck(_) => self.send(Event::PublishAcknowledged).await,
            _ => Ok(()),
        }
    }

    async fn on_failure(&mut self, error: rumqttc::ConnectionError) -> Result<(), Closed> {
        let retry_in = backoff::delay(self.failures, rand::random());
        self.failures = self.failures.saturating_add(1);
        self.epoch.fetch_add(1, Ordering::Relaxed);
        self.discard_buffered_packets().await?;
        self.send(Event::Disconnected { error: error.into(), retry_in }).await?;
        tokio::time::sleep(retry_in).await;
        Ok(())
    }

    /// rumqttc reports packets that it read from a lost connection as if they were of the next one. A SUBACK among them
    /// would stand for a subscription that may not exist, and a message would be acknowledged with a packet id of the
    /// next connection. Only PUBACKs stay valid: the broker has these publishes.
    async fn discard_buffered_packets(&mut self) -> Result<(), Closed> {
        for buffered in std::mem::take(&mut self.connection.state.events) {
            if matches!(buffered, MqttEvent::Incoming(Packet::PubAck(_))) {
                self.send(Event::PublishAcknowledged).await?;
            }
        }
        Ok(())
    }

    /// Returns the number of SUBACKs to expect.
    fn subscribe(&self) -> usize {
        for chunk in self.filters.chunks(MAX_FILTERS_PER_SUBSCRIBE) {
            let filters = chunk.iter().map(|filter| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce));
            if self.client.try_subscribe_many(filters).is_err() {
                tracing::warn!("not subscribed: the send queue is full, the next connection subscribes again");
            }
        }
        self.filters.len().div_ceil(MAX_FILTERS_PER_SUBSCRIBE)
    }

    async fn send(&mut self, event: Event) -> Result<(), Closed> {
        self.events.send(event).await.map_err(|_| Closed)
    }
}
