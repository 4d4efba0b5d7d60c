//! An MQTT client whose every step the test decides.

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::Value;
use tokio::sync::mpsc;

use super::World;
use crate::deadline::waiting;

impl World {
    /// Connects a client with a clean session, subscribes it to these filters, and waits for every SUBACK.
    pub async fn device(&self, client_id: &str, filters: &[&str]) -> Device {
        self.client(client_id, filters, true).await
    }

    /// As [`World::device`]; without `clean_session` the client resumes its session.
    pub async fn client(&self, client_id: &str, filters: &[&str], clean_session: bool) -> Device {
        let address = self.stack.addresses.mqtt;
        let mut options = MqttOptions::new(client_id, address.ip().to_string(), address.port());
        options.set_max_packet_size(256 * 1024, 256 * 1024);
        options.set_clean_session(clean_session);
        // A message is acknowledged when it is in the inbox: once the stack is idle, the inbox is filled.
        options.set_manual_acks(true);
        let (client, mut events) = AsyncClient::new(options, 1024);
        // Otherwise each message waits up to 40 ms for the acknowledgement of the one before.
        events.network_options.set_tcp_nodelay(true);
        let (received, inbox) = mpsc::unbounded_channel();
        let (acknowledged, mut acknowledgements) = mpsc::unbounded_channel();
        let acknowledging = client.clone();
        tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::Publish(message))) => {
                        let _ = received.send((message.topic.clone(), message.payload.to_vec()));
                        acknowledging.try_ack(&message).expect("fewer messages than the client's queue holds");
                    }
                    Ok(Event::Incoming(packet @ (Packet::ConnAck(_) | Packet::SubAck(_) | Packet::PubAck(_)))) => {
                        let _ = acknowledged.send(packet);
                    }
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        });
        waiting(format!("{client_id} to be connected"), acknowledgements.recv()).await.expect("connected");
        let mut device = Device { client, inbox, acknowledgements };
        for filter in filters {
            device.subscribe(filter).await;
        }
        device
    }

    /// Connects a device of this thing that is subscribed to its request topic.
    pub async fn thing(&self, thing: &str) -> Device {
        self.device(thing, &[&format!("cmd/{thing}/req")]).await
    }
}

/// A connected MQTT client.
pub struct Device {
    client: AsyncClient,
    inbox: mpsc::UnboundedReceiver<(String, Vec<u8>)>,
    acknowledgements: mpsc::UnboundedReceiver<Packet>,
}

impl Device {
    /// Waits for the next message. Returns topic and payload.
    pub async fn next(&mut self) -> (String, Vec<u8>) {
        waiting("a message to a device", self.inbox.recv()).await.expect("connected")
    }

    /// As [`Device::next`], with a payload of JSON.
    pub async fn next_json(&mut self) -> (String, Value) {
        let (topic, payload) = self.next().await;
        let payload = serde_json::from_slice(&payload).unwrap_or_else(|e| panic!("{topic}: {e}"));
        (topic, payload)
    }

    /// The next message, if one has arrived.
    pub fn try_next(&mut self) -> Option<(String, Vec<u8>)> {
        self.inbox.try_recv().ok()
    }

    /// Whether no message has arrived. A message that has is discarded.
    pub fn has_nothing(&mut self) -> bool {
        self.inbox.try_recv().is_err()
    }

    /// Subscribes to a filter at QoS 1 and waits for the SUBACK.
    pub async fn subscribe(&mut self, filter: &str) {
        self.client.subscribe(filter, QoS::AtLeastOnce).await.expect("a queued SUBSCRIBE");
        waiting(format!("the SUBACK of {filter}"), self.acknowledgements.recv()).await.expect("connected");
    }

    /// Publishes at QoS 1 and waits for the PUBACK. Returns false when the broker closes the connection instead.
    pub async fn publish(&mut self, topic: &str, payload: impl Into<Vec<u8>>) -> bool {
        self.client.publish(topic, QoS::AtLeastOnce, false, payload.into()).await.expect("a queued PUBLISH");
        waiting(format!("the PUBACK of a message to {topic}"), self.acknowledgements.recv()).await.is_some()
    }

    /// Disconnects and waits until the broker has closed the connection.
    pub async fn leave(mut self) {
        self.client.disconnect().await.expect("a queued DISCONNECT");
        let closed = async { while self.inbox.recv().await.is_some() {} };
        waiting("the broker to close a connection", closed).await;
    }

    /// Publishes a report on the thing's response topic.
    pub async fn report(&mut self, thing: &str, body: Value) {
        assert!(self.publish(&format!("cmd/{thing}/resp"), body.to_string()).await);
    }
}
