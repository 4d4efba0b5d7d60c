//! Handles the packets of a connected client: PUBLISH, PUBACK, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT.

use tracing::{info, warn};

use super::ClientConnection;
use super::topic_aliases::TopicAliases;
use crate::authorization::{AccessRequest, is_allowed, is_publish_allowed};
use crate::codec::{Incoming, Outgoing, Publish, Subscribe, Version, reason};
use crate::lifecycle::ConnectionEnd;
use crate::limits;
use crate::message::{Message, Publisher};
use crate::subscribing::CheckedSubscribe;
use crate::topic::{self, Filter};

impl ClientConnection {
    /// Handles one packet. `Err` ends the connection.
    pub(super) fn handle_packet(&self, packet: Incoming, aliases: &mut TopicAliases) -> Result<(), ConnectionEnd> {
        match packet {
            Incoming::Publish(publish) => self.publish(publish, aliases)?,
            Incoming::PubAck(packet_id) => {
                self.broker.lock().handle_puback(&self.client_id, self.number, packet_id);
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
                return Err(ConnectionEnd::disconnected(reason == reason::DISCONNECT_WITH_WILL));
            }
            Incoming::Connect(_) => return Err(self.close_with_error("a second CONNECT", reason::PROTOCOL_ERROR)),
        }
        Ok(())
    }

    fn publish(&self, publish: Publish, aliases: &mut TopicAliases) -> Result<(), ConnectionEnd> {
        let Publish { mut message, packet_id, topic_alias } = publish;
        let topic = aliases.resolve(message.topic, topic_alias);
        message.topic = topic.map_err(|(cause, reason)| self.close_with_error(cause, reason))?;
        if let Err((cause, reason)) = self.check_publish(&message) {
            // MQTT 5 states the reason in PUBACK too; MQTT 3.1.1 has no field for it.
            let in_puback = [reason::NOT_AUTHORIZED, reason::TOPIC_NAME_INVALID].contains(&reason);
            if let (Version::V5, Some(packet_id), true) = (self.version, packet_id, in_puback) {
                self.outbox.push(Outgoing::PubAck { packet_id, reason });
            }
            info!(client_id = &*self.client_id, topic = message.topic, cause, "publish refused, connection closed");
            let cause = if reason == reason::NOT_AUTHORIZED { "AUTH_ERROR" } else { "CLIENT_ERROR" };
            return Err(ConnectionEnd::closed(cause, reason));
        }
        if topic::is_request_of_absent_service(&message.topic) {
            info!(client_id = &*self.client_id, topic = message.topic, "not answered: the stack has no such service");
        }
        let publisher = Publisher { client_id: Some(self.client_id.to_string()), principal: self.peer.principal_id() };
        self.broker.lock().publish(message, publisher, false);
        if let Some(packet_id) = packet_id {
            self.outbox.push(Outgoing::PubAck { packet_id, reason: reason::SUCCESS });
        }
        Ok(())
    }

    fn check_publish(&self, message: &Message) -> Result<(), (&'static str, u8)> {
        if message.qos > 1 {
            return Err(("QoS 2 is not supported", reason::QOS_NOT_SUPPORTED));
        }
        if message.size() > limits::MAX_MESSAGE_BYTES {
            return Err(("the message is larger than 128 KB", reason::PACKET_TOO_LARGE));
        }
        topic::check_client_topic(&message.topic).map_err(|cause| (cause, topic::refusal_reason(&message.topic)))?;
        if message.retain && message.topic.starts_with('$') {
            return Err(("messages on reserved topics cannot be retained", reason::RETAIN_NOT_SUPPORTED));
        }
        if message.properties.response_topic.as_deref().is_some_and(|topic| topic.contains(['#', '+'])) {
            return Err(("the response topic contains a wildcard", reason::PROTOCOL_ERROR));
        }
        if !is_publish_allowed(self.broker.0.authorizer.as_ref(), &self.peer, &self.client_id, message) {
            return Err(("not authorized", reason::NOT_AUTHORIZED));
        }
        Ok(())
    }

    fn subscribe(&self, request: Subscribe) -> Result<(), ConnectionEnd> {
        let Subscribe { packet_id, filters } = request;
        if filters.len() > limits::MAX_FILTERS_PER_SUBSCRIBE {
            return Err(self.close_with_error("more than 8 filters in one SUBSCRIBE", reason::QUOTA_EXCEEDED));
        }
        if filters.iter().any(|filter_request| filter_request.qos > 1) {
            // As AWS IoT: no SUBACK for a requested QoS 2 (Developer Guide, page "mqtt").
            warn!(client_id = &*self.client_id, "a SUBSCRIBE with QoS 2 is not answered");
            return Ok(());
        }
        let mut checked = Vec::with_capacity(filters.len());
        for filter_request in filters {
            let filter = Filter::parse(&filter_request.filter).map_err(|cause| {
                info!(client_id = &*self.client_id, filter = filter_request.filter, cause, "filter refused");
                self.close_with_error("an invalid topic filter", reason::TOPIC_FILTER_INVALID)
            })?;
            let access = AccessRequest::connected(&self.client_id, "iot:Subscribe", filter.pattern);
            let refusal = if !filter.is_subscribable() {
                Some(reason::TOPIC_FILTER_INVALID)
            } else if !is_allowed(self.broker.0.authorizer.as_ref(), &self.peer, &access) {
                Some(reason::NOT_AUTHORIZED)
            } else {
                None
            };
            checked.push((filter_request, refusal));
        }
        let request = CheckedSubscribe { packet_id, filters: checked };
        if self.broker.lock().subscribe(&self.client_id, self.number, request) {
            Ok(())
        } else {
            Err(self.close_with_error("more than 50 subscriptions", reason::QUOTA_EXCEEDED))
        }
    }

    fn close_with_error(&self, cause: &'static str, reason: u8) -> ConnectionEnd {
        info!(client_id = &*self.client_id, cause, "connection closed");
        ConnectionEnd::closed("CLIENT_ERROR", reason)
    }
}
