//! What each packet of a connected client does.

use tracing::{info, warn};

use super::Session;
use crate::access::{Ask, may, may_publish};
use crate::codec::{Incoming, Outgoing, Publish, Subscribe, Version, reason};
use crate::lifecycle::End;
use crate::limits;
use crate::message::{Message, Publisher};
use crate::subscribing::Judged;
use crate::topic::{self, Filter};

impl Session {
    /// Err ends the connection.
    pub(super) fn handle(&self, packet: Incoming) -> Result<(), End> {
        match packet {
            Incoming::Publish(publish) => self.publish(publish)?,
            Incoming::PubAck(packet_id) => {
                self.broker.lock().acknowledged(&self.client_id, self.number, packet_id);
            }
            Incoming::Subscribe(subscribe) => self.subscribe(subscribe)?,
            Incoming::Unsubscribe(unsubscribe) => {
                self.broker.lock().unsubscribe(&self.client_id, self.number, unsubscribe);
            }
            Incoming::PingReq => self.outbox.push(Outgoing::PingResp),
            Incoming::Disconnect { reason, session_expiry_s } => {
                if let Some(seconds) = session_expiry_s {
                    self.broker.lock().change_session_expiry(&self.client_id, self.number, seconds);
                }
                return Err(End::disconnected(reason == reason::DISCONNECT_WITH_WILL));
            }
            Incoming::Connect(_) => return Err(self.closed("a second CONNECT", reason::PROTOCOL_ERROR)),
        }
        Ok(())
    }

    fn publish(&self, Publish { message, packet_id }: Publish) -> Result<(), End> {
        if let Err((why, reason)) = self.judge(&message) {
            // MQTT 5 can say it in the acknowledgement as well. 3.1.1 cannot say it at all.
            let told = [reason::NOT_AUTHORIZED, reason::TOPIC_NAME_INVALID].contains(&reason);
            if let (Version::V5, Some(packet_id), true) = (self.version, packet_id, told) {
                self.outbox.push(Outgoing::PubAck { packet_id, reason });
            }
            info!(client_id = &*self.client_id, topic = message.topic, why, "publish refused, connection closed");
            let why = if reason == reason::NOT_AUTHORIZED { "AUTH_ERROR" } else { "CLIENT_ERROR" };
            return Err(End::closed(why, reason));
        }
        let publisher =
            Publisher { client_id: Some(self.client_id.to_string()), principal: self.peer.principal.clone() };
        self.broker.lock().publish(message, publisher, false);
        if let Some(packet_id) = packet_id {
            self.outbox.push(Outgoing::PubAck { packet_id, reason: reason::SUCCESS });
        }
        Ok(())
    }

    fn judge(&self, message: &Message) -> Result<(), (&'static str, u8)> {
        if message.qos > 1 {
            return Err(("QoS 2 is not supported", reason::QOS_NOT_SUPPORTED));
        }
        if message.size() > limits::MESSAGE_BYTES {
            return Err(("it is larger than 128 KB", reason::PACKET_TOO_LARGE));
        }
        topic::check_client_topic(&message.topic).map_err(|why| (why, topic::refusal_reason(&message.topic)))?;
        if message.retain && message.topic.starts_with('$') {
            return Err(("messages on reserved topics cannot be retained", reason::RETAIN_NOT_SUPPORTED));
        }
        if message.properties.response_topic.as_deref().is_some_and(|topic| topic.contains(['#', '+'])) {
            return Err(("the response topic contains a wildcard", reason::PROTOCOL_ERROR));
        }
        if !may_publish(self.broker.0.authorizer.as_ref(), &self.peer, &self.client_id, message) {
            return Err(("not authorized", reason::NOT_AUTHORIZED));
        }
        Ok(())
    }

    fn subscribe(&self, request: Subscribe) -> Result<(), End> {
        let Subscribe { packet_id, subscription_id, filters } = request;
        if filters.len() > limits::FILTERS_PER_SUBSCRIBE {
            return Err(self.closed("more than 8 filters in one SUBSCRIBE", reason::QUOTA_EXCEEDED));
        }
        if filters.iter().any(|wanted| wanted.qos > 1) {
            // As AWS: no SUBACK when QoS 2 is asked for (page "mqtt").
            warn!(client_id = &*self.client_id, "a SUBSCRIBE with QoS 2 is not answered");
            return Ok(());
        }
        let mut judged = Vec::with_capacity(filters.len());
        for wanted in filters {
            let filter = Filter::parse(&wanted.filter).map_err(|why| {
                info!(client_id = &*self.client_id, filter = wanted.filter, why, "filter refused");
                self.closed("a bad topic filter", reason::TOPIC_FILTER_INVALID)
            })?;
            let ask = Ask { client_id: &self.client_id, action: "iot:Subscribe", resource: filter.pattern };
            let refusal = if !filter.can_be_granted() {
                Some(reason::TOPIC_FILTER_INVALID)
            } else if !may(self.broker.0.authorizer.as_ref(), &self.peer, &ask) {
                Some(reason::NOT_AUTHORIZED)
            } else {
                None
            };
            judged.push((wanted, refusal));
        }
        let request = Judged { packet_id, subscription_id, filters: judged };
        if self.broker.lock().subscribe(&self.client_id, self.number, request) {
            Ok(())
        } else {
            Err(self.closed("more than 50 subscriptions", reason::QUOTA_EXCEEDED))
        }
    }

    fn closed(&self, why: &'static str, reason: u8) -> End {
        info!(client_id = &*self.client_id, why, "connection closed");
        End::closed("CLIENT_ERROR", reason)
    }
}
