//! Answers of an AWS service to the client that asked: with or without a subscription, and to no other client.

use std::sync::Arc;

use super::Broker;
use super::message::Message;
use super::publishing::{PublishError, check_message};
use super::session::{MessageCopy, Session};

impl Broker {
    /// Sends an answer to a connected client. Neither taps nor the subscriptions of other clients receive it. It has
    /// the QoS of the client's own subscription, and without one that of the message. An answer to a client that is gone
    /// is dropped.
    ///
    /// # Errors
    /// The message violates the rules of [`Broker::publish`].
    pub fn answer(&self, client_id: &str, mut message: Message) -> Result<(), PublishError> {
        check_message(&message)?;
        message.retain = false;
        let mut state = self.lock();
        let now_ms = state.expire_sessions();
        let subscribed = state.subscriptions.recipients(&message.topic, None, |client| client == client_id);
        let own = subscribed.into_iter().find(|recipient| *recipient.client == *client_id);
        let qos = own.map_or(message.qos, |recipient| recipient.qos.min(1));
        message.qos = qos;
        let Some(client) = state.clients.get_mut(client_id) else { return Ok(()) };
        let Some(link) = client.link.as_ref() else { return Ok(()) };
        let mut copy = MessageCopy::new(Arc::new(message), now_ms);
        copy.direct = true;
        match qos {
            0 => Session::send_at_most_once(client_id, &copy, link, now_ms),
            _ => client.session.send_at_least_once(client_id, copy, Some(link), now_ms),
        }
        Ok(())
    }
}
