//! Sends a message to one client: applies injected faults (loss, duplication) and records the journal.

use local_faults::{Faults, Outbound, Transit};
use local_journal::{Event, Journal};

use super::codec::{Delivery, Outgoing};
use super::link::Outbox;

/// Faults and journal of messages to clients.
#[derive(Clone)]
pub(super) struct Transmission {
    pub(super) faults: Faults,
    pub(super) journal: Journal,
}

impl Transmission {
    /// Queues a message for the client's socket. False when, by an injected fault, no PUBACK will arrive.
    pub(super) fn send(&self, client: &str, delivery: Delivery, direct: bool, outbox: &Outbox) -> bool {
        let message = &delivery.message;
        let (topic, payload, qos) = (&message.topic, &message.payload, u8::from(delivery.packet_id.is_some()));
        let transit = self.faults.transit(&Outbound { client, topic, payload, qos, direct });
        self.journal.record(|| Event::Handed {
            client: client.to_owned(),
            topic: topic.clone(),
            payload: payload.clone(),
            qos,
            duplicate: delivery.duplicate,
            transit,
        });
        match transit {
            Transit::Lost => {}
            Transit::Delivered | Transit::Unacknowledged => outbox.push(Outgoing::Publish(delivery)),
            Transit::Twice => {
                let again = Delivery { duplicate: qos == 1, ..delivery.clone() };
                outbox.push(Outgoing::Publish(delivery));
                outbox.push(Outgoing::Publish(again));
            }
        }
        matches!(transit, Transit::Delivered | Transit::Twice)
    }
}
