//! How a simulated thing connects, disconnects and loses power.

use super::state::SimulatedThing;
use super::task::Task;
use crate::agent::Agent;
use crate::fleet::behaviour::Behaviour;
use crate::fleet::classic_shadow;
use crate::fleet::run_log::RunOutcome;
use crate::link::connection::Link;

/// How long a thing stays offline that lost its connection or its power because of a command, in milliseconds.
const OFFLINE_MS: i64 = 500;

impl SimulatedThing {
    /// Connects, if it is offline. A thing that comes and goes will disconnect by itself.
    pub fn connect(&mut self) {
        if self.link.is_some() {
            return;
        }
        let name = &self.settings.name;
        let mut filters = self.agent.topics();
        if self.settings.has_classic_shadow {
            filters.extend([classic_shadow::delta_topic(name), classic_shadow::trimmed_topic(name)]);
        }
        self.link = Some(Link::open(&self.settings.endpoint, name, filters));
        self.is_connecting = true;
        if self.settings.script.behaviour == Behaviour::ComesAndGoes {
            let online_ms = self.settings.random.duration_ms(&self.settings.online_for).max(1);
            self.schedule(self.now_ms().saturating_add(online_ms), Task::Disconnect);
        }
    }

    /// Cuts the connection, and keeps everything else.
    pub fn disconnect(&mut self) {
        let Some(link) = self.link.take() else { return };
        drop(link);
        // The broker may not have what it did not acknowledge: it is sent again, before messages of the time offline.
        let unacknowledged = std::mem::take(&mut self.unacknowledged);
        self.unsent.splice(0..0, unacknowledged);
        let offline_ms = match self.settings.script.behaviour {
            Behaviour::ComesAndGoes => self.settings.random.duration_ms(&self.settings.offline_for).max(1),
            // The work ends first.
            _ => self.settings.script.work_ms.saturating_add(OFFLINE_MS),
        };
        self.schedule(self.now_ms().saturating_add(offline_ms), Task::Connect);
    }

    /// Loses the connection and everything that runs or waits. Only a thing that reboots keeps its agent's snapshot.
    pub fn lose_power(&mut self) {
        self.loses_power_when_acknowledged = false;
        self.link = None;
        self.tasks.clear();
        self.unsent.clear();
        self.unacknowledged.clear();
        let now_ms = self.now_ms();
        for (_, number) in self.running.drain() {
            self.settings.run_log.end(number, now_ms, RunOutcome::Lost);
        }
        let config = self.settings.agent_config();
        let restored = match self.settings.script.behaviour {
            Behaviour::Reboots => Agent::restore(config.clone(), self.agent.snapshot(), now_ms).ok(),
            _ => None,
        };
        let (agent, actions) = restored.unwrap_or_else(|| (Agent::new(config), Vec::new()));
        self.agent = agent;
        self.act(actions);
        self.schedule(now_ms.saturating_add(OFFLINE_MS), Task::Connect);
    }
}
