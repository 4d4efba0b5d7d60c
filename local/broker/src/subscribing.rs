//! SUBSCRIBE and UNSUBSCRIBE: what is granted, retained messages, lifecycle events.

use super::ClientId;
use super::codec::{FilterRequest, Outgoing, Unsubscribe, Version, reason};
use super::lifecycle;
use super::limits;
use super::message::Publisher;
use super::session::Copy;
use super::state::State;
use super::subscriptions::Options;
use super::topic::Filter;

/// A SUBSCRIBE packet whose filters have been judged one by one.
pub(super) struct Judged {
    pub(super) packet_id: u16,
    pub(super) subscription_id: Option<u32>,
    /// Each with the reason to refuse it.
    pub(super) filters: Vec<(FilterRequest, Option<u8>)>,
}

impl State {
    /// Grants what may be granted and answers. False when the client wants more subscriptions than one may have.
    pub(super) fn subscribe(&mut self, client_id: &ClientId, number: u64, request: Judged) -> bool {
        let now_ms = self.now_ms();
        let Some(client) = self.clients.get_mut(client_id) else { return true };
        let Some(link) = client.link.as_ref().filter(|link| link.number == number) else { return true };
        let mut reasons = Vec::with_capacity(request.filters.len());
        let mut granted = Vec::new();
        for (wanted, mut refusal) in request.filters {
            let mine = &mut client.session.subscriptions;
            if mine.len() >= limits::SUBSCRIPTIONS_PER_CONNECTION && !mine.contains_key(&wanted.filter) {
                refusal = refusal.or(Some(reason::QUOTA_EXCEEDED));
            }
            match (refusal, Filter::parse(&wanted.filter)) {
                (None, Ok(filter)) => {
                    let is_new =
                        self.subscriptions.insert(filter, client_id, options(&wanted, request.subscription_id));
                    mine.insert(wanted.filter.clone(), wanted.qos);
                    reasons.push(wanted.qos);
                    granted.push((wanted, is_new));
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

        for (wanted, is_new) in &granted {
            self.send_retained(client_id, wanted, *is_new, request.subscription_id, now_ms);
        }
        let filters: Vec<String> = granted.into_iter().map(|(wanted, _)| wanted.filter).collect();
        self.announce("subscribed", client_id, &filters, now_ms);
        !over_quota
    }

    /// Ends subscriptions and answers.
    pub(super) fn unsubscribe(&mut self, client_id: &ClientId, number: u64, request: Unsubscribe) {
        let now_ms = self.now_ms();
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
        self.announce("unsubscribed", client_id, &ended, now_ms);
    }

    fn announce(&mut self, event_type: &'static str, client_id: &ClientId, filters: &[String], now_ms: i64) {
        let Some(client) = self.clients.get(client_id) else { return };
        let Some(link) = client.link.as_ref().filter(|_| !filters.is_empty()) else { return };
        let event = lifecycle::subscriptions(event_type, client_id, &client.session.id, link, filters, now_ms);
        if let Some(event) = event {
            self.publish(event, Publisher::default(), false);
        }
    }

    fn send_retained(
        &mut self,
        client_id: &ClientId,
        wanted: &FilterRequest,
        is_new: bool,
        id: Option<u32>,
        now_ms: i64,
    ) {
        let asked_for = match wanted.retain_handling {
            0 => true,
            1 => is_new,
            _ => false,
        };
        let exact = Filter::parse(&wanted.filter).ok().and_then(Filter::exact).filter(|_| asked_for);
        let Some(kept) = exact.and_then(|topic| self.retained.get(topic, now_ms)) else { return };
        let Some(client) = self.clients.get_mut(client_id) else { return };
        let mut copy = Copy::new(kept.message.clone(), kept.at_ms);
        copy.retain = true;
        copy.subscription_ids = id.into_iter().collect();
        client.deliver(client_id, copy, wanted.qos.min(kept.message.qos), now_ms);
    }
}

fn options(wanted: &FilterRequest, subscription_id: Option<u32>) -> Options {
    let FilterRequest { qos, no_local, retain_as_published, .. } = *wanted;
    Options { qos, no_local, retain_as_published, subscription_id }
}
