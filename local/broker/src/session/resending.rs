//! Sends QoS 1 messages again that a client has not acknowledged on its open connection, as AWS IoT does for an hour
//! (AWS IoT Core quotas, "Maximum retry interval for delivering QoS 1 messages").

use tracing::info;

use super::{InFlight, Session};
use crate::limits;
use crate::link::Link;

impl InFlight {
    /// Neither a direct message, whose sender has given up by then, nor the answer of a service, which ends with its
    /// connection as well, nor a message that an injected fault loses until the client reconnects.
    pub(super) fn is_resent(&self) -> bool {
        !self.copy.direct && !self.copy.puback_lost
    }

    fn resend_at_ms(&self) -> i64 {
        self.sent_ms.saturating_add(limits::RESEND_INTERVAL_MS)
    }

    fn has_been_sent_for_too_long(&self, now_ms: i64) -> bool {
        now_ms >= self.first_sent_ms.saturating_add(limits::MAX_RESEND_MS)
    }
}

impl Session {
    /// When the next message is sent again, in milliseconds since 1970; `None` if there is none to send.
    pub(crate) fn next_resend_ms(&self) -> Option<i64> {
        self.in_flight.iter().filter(|sent| sent.is_resent()).map(InFlight::resend_at_ms).min()
    }

    /// Sends again what is due. Drops what has expired, and what the client has not acknowledged for an hour.
    pub(crate) fn resend_unacknowledged(&mut self, client_id: &str, link: &Link, now_ms: i64) {
        for mut sent in std::mem::take(&mut self.in_flight) {
            if sent.is_resent() && sent.resend_at_ms() <= now_ms {
                if sent.has_been_sent_for_too_long(now_ms) {
                    let topic = &sent.copy.message.topic;
                    info!(client_id, topic, "message dropped: the client has not acknowledged it for an hour");
                    continue;
                }
                if !sent.copy.is_deliverable(client_id, link, now_ms) {
                    continue;
                }
                sent.sent_ms = now_ms;
                // A client that does not read would get all copies at once.
                if !link.outbox.is_slow() {
                    sent.copy.sent_as = Some(sent.packet_id);
                    sent.copy.send(client_id, sent.packet_id, link, now_ms);
                }
            }
            self.in_flight.push_back(sent);
        }
        self.send_waiting(client_id, link, now_ms);
    }
}
