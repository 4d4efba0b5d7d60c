//! How a simulated thing does what its agent decides: with the faults of its script.

use super::state::SimulatedThing;
use super::task::Task;
use crate::agent::action::Action;
use crate::fleet::behaviour::Behaviour;
use crate::fleet::run_log::{Run, RunOutcome};

impl SimulatedThing {
    pub fn act(&mut self, actions: Vec<Action>) {
        let now_ms = self.now_ms();
        // Starts first: for some scripts they change what happens to the reports.
        let (starts, others): (Vec<_>, Vec<_>) = actions.into_iter().partition(|a| matches!(a, Action::Start { .. }));
        for action in starts.into_iter().chain(others) {
            match action {
                Action::Start { execution_id, attempt, expires_at_ms, .. } => {
                    self.settings.counters.started.add(1);
                    self.start(execution_id, attempt, expires_at_ms, now_ms);
                }
                Action::Stop { execution_id, attempt } => {
                    // The task that finishes the work stays: it tells the agent that the work has stopped.
                    self.end_run(execution_id, attempt, now_ms, RunOutcome::Stopped);
                }
                Action::Report { topic, bytes } => self.report(topic, bytes, now_ms),
                Action::Publish { topic, bytes } => self.publish(topic, bytes),
            }
        }
    }

    pub fn start(&mut self, execution_id: String, attempt: u32, expires_at_ms: i64, now_ms: i64) {
        let (thing, id) = (self.settings.name.clone(), execution_id.clone());
        let run = Run { thing, execution_id: id, attempt, expires_at_ms, started_ms: now_ms, ended: None };
        self.running.insert((execution_id.clone(), attempt), self.settings.run_log.start(run));
        let work_ms = self.settings.script.work_ms;
        let mut finished_at_ms = now_ms.saturating_add(work_ms);
        match self.settings.script.behaviour {
            Behaviour::Crashes | Behaviour::Reboots => {
                self.loses_power_when_acknowledged = true;
                return;
            }
            Behaviour::GoesOffline => self.schedule(now_ms.saturating_add(work_ms / 2), Task::Disconnect),
            Behaviour::Late => {
                self.silent_until_ms = expires_at_ms.saturating_add(self.settings.late_after_ms);
                finished_at_ms = self.silent_until_ms;
            }
            _ => {}
        }
        self.schedule(finished_at_ms, Task::FinishWork { execution_id, attempt });
    }

    /// Records the end of a run in the fleet's log.
    pub fn end_run(&mut self, execution_id: String, attempt: u32, now_ms: i64, outcome: RunOutcome) {
        if let Some(number) = self.running.remove(&(execution_id, attempt)) {
            self.settings.run_log.end(number, now_ms, outcome);
        }
    }

    /// Sends a report as the script says: at once, later, twice or never.
    pub fn report(&mut self, topic: String, bytes: Vec<u8>, now_ms: i64) {
        let after_the_work_ms = now_ms.saturating_add(self.settings.script.work_ms.saturating_mul(2));
        match self.settings.script.behaviour {
            Behaviour::Mute => return,
            // IN_PROGRESS would show the cloud that the device is active.
            Behaviour::Late if now_ms < self.silent_until_ms => return,
            Behaviour::Twice => {
                let copy = Task::SendReport { topic: topic.clone(), bytes: bytes.clone() };
                self.schedule(after_the_work_ms, copy);
            }
            Behaviour::OutOfOrder if self.agent.running_count() > 0 => {
                self.schedule(after_the_work_ms, Task::SendReport { topic, bytes });
                return;
            }
            _ => {}
        }
        self.send_report(topic, bytes);
    }
}
