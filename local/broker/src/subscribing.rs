//! SUBSCRIBE and UNSUBSCRIBE: grants, SUBACK and UNSUBACK, retained messages, lifecycle events.

use super::ClientId;
use super::codec::{FilterRequest, Outgoing, Unsubscribe, Version, reason};
use super::lifecycle;
use super::limits;
use super::message::Publisher;
use super::session::MessageCopy;
use super::state::State;
use super::subscriptions::SubscriptionOptions;
use super::topic::Filter;

/// A SUBSCRIBE packet whose filters have been checked.
pub(super) struct CheckedSubscribe {
    pub(super) packet_id: u16,
    /// Each filter with the reason code of its refusal, if refused.
    pub(super) filters: Vec<(FilterRequest, Option<u8>)>,
}

impl State {
    /// Adds the accepted subscriptions and sends SUBACK. False when the client exceeds its maximum of subscriptions.
    pub(super) fn subscribe(&mut self, client_id: &ClientId, number: u64, request: CheckedSubscribe) -> bool {
        let now_ms = self.expire_sessions();
        let Some(client) = self.clients.get_mut(client_id) else { return true };
        let Some(link) = client.link.as_ref().filter(|link| link.number == number) else { return true };
        let mut reasons = Vec::with_capacity(request.filters.len());
        let mut granted = Vec::new();
        for (filter_request, mut refusal) in request.filters {
            let own = &mut client.session.subscriptions;
            if own.len() >= limits::MAX_SUBSCRIPTIONS_PER_CONNECTION && !own.contains_key(&filter_request.filter) {
                refusal = refusal.or(Some(reason::QUOTA_EXCEEDED));
            }
            match (refusal, Filter::parse(&filter_request.filter)) {
                (None, Ok(filter)) => {
                    let is_new = self.subscriptions.insert(filter, client_id, subscription_options(&filter_request));
                    own.insert(filter_request.filter.clone(), filter_request.qos);
                    reasons.push(filter_request.qos);
                    granted.push((filter_request, is_new));
                }
                (refusal, _) => reasons.push(refusal.unwrap_or(reason::TOPIC_FILTER_INVALID)),
            }
        }
        let over_quota = reasons.contains(&reason::QUOTA_EXCEEDED);
        if link.version == Version::V311 {
            reasons
                .iter_mut()
                .filter(|reason| **reason > 2)
                .for_each(|reason| *reason = reason::V311_SUBSCRIBE_FAILURE);
        }
        link.outbox.push(Outgoing::SubAck { packet_id: request.packet_id, reasons });

        for (filter_request, is_new) in &granted {
            self.send_retained(client_id, filter_request, *is_new, now_ms);
        }
        let filters: Vec<String> = granted.into_iter().map(|(filter_request, _)| filter_request.filter).collect();
        self.publish_subscription_event("subscribed", client_id, &filters, now_ms);
        !over_quota
    }

    /// Removes subscriptions and sends UNSUBACK.
    pub(super) fn unsubscribe(&mut self, client_id: &ClientId, number: u64, request: Unsubscribe) {
        let now_ms = self.expire_sessions();
        let Some(client) = self.clients.get_mut(client_id) else { return };
        let Some(link) = client.link.as_ref().filter(|link| link.number == number) else { return };
        let mut reasons = Vec::with_capacity(request.filters.len());
        let mut ended = Vec::new();
        for filter in request.filters {
            if client.session.subscriptions.remove(&filter).is_none() {
                reasons.push(reason::NO_SUBSCRIPTION_EXISTED);
                continue;
            }
            if let Ok(parsed) = Filter::parse(&filter) {
                self.subscriptions.remove(parsed, client_id);
            }
            reasons.push(reason::SUCCESS);
            ended.push(filter);
        }
        link.outbox.push(Outgoing::UnsubAck { packet_id: request.packet_id, reasons });
        self.publish_subscription_event("unsubscribed", client_id, &ended, now_ms);
    }

    fn publish_subscription_event(
        &mut self,
        event_type: &'static str,
        client_id: &ClientId,
        filters: &[String],
        now_ms: i64,
    ) {
        let Some(client) = self.clients.get(client_id) else { return };
        let Some(link) = client.link.as_ref().filter(|_| !filters.is_empty()) else { return };
        let event = lifecycle::subscription_event(event_type, client_id, &client.session.id, link, filters, now_ms);
        if let Some(event) = event {
            self.publish(event, Publisher::default(), false);
        }
    }

    fn send_retained(&mut self, client_id: &ClientId, filter_request: &FilterRequest, is_new: bool, now_ms: i64) {
        let is_requested = match filter_request.retain_handling {
            0 => true,
            1 => is_new,
            _ => false,
        };
        let exact = Filter::parse(&filter_request.filter).ok().and_then(Filter::exact_topic).filter(|_| is_requested);
        let Some(retained) = exact.and_then(|topic| self.retained.get(topic, now_ms)) else { return };
        let Some(client) = self.clients.get_mut(client_id) else { return };
        let mut copy = MessageCopy::new(retained.message.clone(), retained.at_ms);
        copy.retain = true;
        client.deliver(client_id, copy, filter_request.qos.min(retained.message.qos), now_ms);
    }
}

fn subscription_options(filter_request: &FilterRequest) -> SubscriptionOptions {
    let FilterRequest { qos, no_local, retain_as_published, .. } = *filter_request;
    SubscriptionOptions { qos, no_local, retain_as_published }
}
