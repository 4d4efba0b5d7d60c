//! How a simulated thing handles the events of its connection.

use std::error::Error;

use super::state::SimulatedThing;
use crate::agent::{Agent, topic};
use crate::fleet::classic_shadow;
use crate::link::event::Event;

impl SimulatedThing {
    /// The next event; never returns while the thing is offline. Cancel-safe.
    pub async fn next_event(&mut self) -> Option<Event> {
        match &mut self.link {
            Some(link) => link.next().await,
            None => std::future::pending().await,
        }
    }

    pub fn on_event(&mut self, event: Event) {
        match event {
            Event::Connected { session_lost } => {
                self.settings.counters.connects.add(1);
                if session_lost {
                    let actions = self.agent.on_session_lost();
                    self.act(actions);
                }
                for (topic, bytes) in std::mem::take(&mut self.unsent) {
                    self.publish(topic, bytes);
                }
            }
            Event::Subscribed => {
                self.is_connecting = false;
                if self.settings.has_classic_shadow && !std::mem::replace(&mut self.has_updated_shadow, true) {
                    self.update_classic_shadow(self.classic_shadow.first_update());
                }
                let actions = self.agent.on_subscribed();
                self.act(actions);
                if let Some(ready) = self.settings.ready.take() {
                    // Fails when the fleet no longer waits for it.
                    let _ = ready.try_send(());
                }
            }
            Event::Message { topic, payload, receipt } => {
                // Acknowledged first: after a loss of power in the script, the broker must not send it again.
                if let Some(link) = &self.link {
                    link.acknowledge(receipt);
                }
                self.on_message(&topic, &payload);
            }
            Event::PublishAcknowledged => {
                // Brokers acknowledge in order.
                self.unacknowledged.pop_front();
                if self.loses_power_when_acknowledged && self.unacknowledged.is_empty() {
                    self.lose_power();
                }
            }
            Event::Disconnected { error, retry_in } => {
                self.is_connecting = true;
                let thing = &self.settings.name;
                tracing::debug!(thing, error = &error as &dyn Error, ?retry_in, "not connected");
            }
        }
    }

    pub fn on_message(&mut self, topic: &str, payload: &[u8]) {
        let counters = self.settings.counters.clone();
        let name = &self.settings.name;
        if topic == classic_shadow::trimmed_topic(name) {
            counters.trimmed.add(1);
            counters.trimmed_bytes.add(payload.len());
            if let Some(update) = self.classic_shadow.apply_trimmed(payload) {
                self.update_classic_shadow(update);
            }
        } else if topic == classic_shadow::delta_topic(name) {
            counters.deltas.add(1);
            counters.delta_bytes.add(payload.len());
        } else {
            let counter = match () {
                () if topic == topic::request(name) => Some(&counters.requests),
                () if topic == topic::cancel(name) => Some(&counters.cancels),
                () if self.settings.topics.is_broadcast_topic(topic) => Some(&counters.broadcasts),
                () => None,
            };
            if let Some(counter) = counter {
                if self.settings.loss.is_next_lost() {
                    counters.lost_requests.add(1);
                    return;
                }
                counter.add(1);
            }
            let ignored = |agent: &Agent| agent.ignored().values().sum::<u64>();
            let ignored_before = ignored(&self.agent);
            let actions = self.agent.on_message(topic, payload, self.now_ms());
            if ignored(&self.agent) > ignored_before {
                counters.malformed.add(1);
            }
            self.act(actions);
        }
    }
}
