//! The way to a client, where messages may be lost or doubled, and are noted.

use local_faults::{Faults, Outbound, Transit};
use local_journal::{Event, Journal};

use super::codec::{Delivery, Outgoing};
use super::link::Outbox;

/// What a connection's messages go through.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) faults: Faults,
    pub(super) journal: Journal,
}

impl Wire {
    /// Writes a message to a client; false when no PUBACK of it will ever be heard.
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
