//! How a simulated thing publishes: at once, on its next connection, or never if the message is lost.

use super::state::SimulatedThing;
use super::task::Task;
use crate::fleet::classic_shadow;

impl SimulatedThing {
    /// Publishes a report, unless it is lost.
    pub fn send_report(&mut self, topic: String, bytes: Vec<u8>) {
        if self.settings.loss.is_next_lost() {
            self.settings.counters.lost_reports.add(1);
            // No acknowledgement of it will come: nothing would trigger the loss of power.
            if self.loses_power_when_acknowledged && self.unacknowledged.is_empty() {
                self.schedule(self.now_ms(), Task::LosePower);
            }
            return;
        }
        self.settings.counters.reports.add(1);
        self.publish(topic, bytes);
    }

    pub fn update_classic_shadow(&mut self, update: Vec<u8>) {
        self.settings.counters.shadow_updates.add(1);
        self.publish(classic_shadow::update_topic(&self.settings.name), update);
    }

    pub fn publish(&mut self, topic: String, bytes: Vec<u8>) {
        let Some(link) = &self.link else { return self.unsent.push((topic, bytes)) };
        if link.publish(&topic, bytes.clone()) {
            self.unacknowledged.push_back((topic, bytes));
        } else {
            tracing::warn!(thing = self.settings.name, topic, "message dropped: the send queue is full");
        }
    }
}
