//! Direct messages (SendDirectMessage): to one connected client, with or without a subscription.

use std::sync::Arc;
use std::time::Duration;

use local_journal::Event;
use tokio::sync::oneshot;

use super::Broker;
use super::message::Message;
use super::publishing::{PublishError, check_message};
use super::session::{MessageCopy, Session};

/// Why a direct message was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum DirectError {
    /// The client is not connected; nothing is queued.
    #[error("client {0} is not connected")]
    NotConnected(String),
    /// No PUBACK within the time limit, or the connection ended first. The client may have received the message.
    #[error("client {0} did not acknowledge in time")]
    NoAcknowledgement(String),
    /// The message violates the rules of [`Broker::publish`].
    #[error(transparent)]
    Message(#[from] PublishError),
}

impl Broker {
    /// SendDirectMessage. With `confirm`, sends at QoS 1 and waits at most that long, by the broker's clock, for the
    /// client's PUBACK; without, sends at QoS 0. Taps do not receive direct messages.
    ///
    /// # Errors
    /// The client is not connected, does not acknowledge in time, or the message is invalid.
    pub async fn send_direct(
        &self,
        client_id: &str,
        mut message: Message,
        confirm: Option<Duration>,
    ) -> Result<(), DirectError> {
        check_message(&message)?;
        message.qos = u8::from(confirm.is_some());
        message.retain = false;
        let (topic, payload) = (message.topic.clone(), message.payload.clone());
        let outcome = self.deliver_direct(client_id, message, confirm).await;
        let journal = self.lock().transmission.journal.clone();
        journal.record(|| Event::Direct {
            client: client_id.to_owned(),
            topic,
            payload,
            outcome: outcome.as_ref().copied().map_err(DirectError::to_string),
        });
        outcome
    }

    async fn deliver_direct(
        &self,
        client_id: &str,
        message: Message,
        confirm: Option<Duration>,
    ) -> Result<(), DirectError> {
        let acknowledged = self.start_direct(client_id, message)?;
        let Some(limit) = confirm else { return Ok(()) };
        let clock = self.lock().clock.clone();
        match clock.timeout(limit, acknowledged).await {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(DirectError::NoAcknowledgement(client_id.to_owned())),
        }
    }

    fn start_direct(&self, client_id: &str, message: Message) -> Result<oneshot::Receiver<()>, DirectError> {
        let mut state = self.lock();
        let now_ms = state.expire_sessions();
        let not_connected = || DirectError::NotConnected(client_id.to_owned());
        let client = state.clients.get_mut(client_id).ok_or_else(not_connected)?;
        let link = client.link.as_ref().ok_or_else(not_connected)?;
        let qos = message.qos;
        let mut copy = MessageCopy::new(Arc::new(message), now_ms);
        copy.direct = true;
        let (confirm, acknowledged) = oneshot::channel();
        if qos == 0 {
            Session::send_at_most_once(client_id, &copy, link, now_ms);
        } else {
            copy.confirm = Some(confirm);
            client.session.send_at_least_once(client_id, copy, Some(link), now_ms);
        }
        Ok(acknowledged)
    }
}
