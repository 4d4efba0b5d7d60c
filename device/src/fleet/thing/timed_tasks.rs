//! What a simulated thing does at a time of the clock: tasks, heartbeats, delayed broadcasts.

use super::state::SimulatedThing;
use super::task::Task;
use crate::agent::outcome::Outcome;
use crate::fleet::behaviour::Behaviour;
use crate::fleet::run_log::RunOutcome;

impl SimulatedThing {
    /// Does every task that is due, in the order of their times even when the clock has jumped past several.
    pub fn run_due_tasks(&mut self) {
        let now_ms = self.now_ms();
        while let Some(task) = self.take_due_task(now_ms) {
            match task {
                Task::Connect => self.connect(),
                Task::Disconnect => self.disconnect(),
                Task::LosePower => self.lose_power(),
                Task::SendReport { topic, bytes } => self.send_report(topic, bytes),
                Task::FinishWork { execution_id, attempt } => self.finish_work(execution_id, attempt, now_ms),
            }
        }
    }

    fn take_due_task(&mut self, now_ms: i64) -> Option<Task> {
        let (earliest, (at_ms, _)) = self.tasks.iter().enumerate().min_by_key(|(_, (at_ms, _))| *at_ms)?;
        (*at_ms <= now_ms).then(|| self.tasks.remove(earliest).1)
    }

    fn finish_work(&mut self, execution_id: String, attempt: u32, now_ms: i64) {
        let fails = match self.settings.script.behaviour {
            Behaviour::Fails => true,
            Behaviour::FailsOnce => attempt == 1,
            _ => false,
        };
        let (outcome, run_outcome) = if fails {
            (Outcome::failed("PUMP_JAMMED", "the pump does not turn"), RunOutcome::Failed)
        } else {
            (Outcome::succeeded(None), RunOutcome::Succeeded)
        };
        // A cancel has ended the work before: the thing only notices now that it has stopped.
        let is_stopped = !self.running.contains_key(&(execution_id.clone(), attempt));
        let outcome = if is_stopped { Outcome::failed("STOPPED", "the command was canceled") } else { outcome };
        let actions = self.agent.on_finished(&execution_id, attempt, outcome);
        self.end_run(execution_id, attempt, now_ms, run_outcome);
        self.act(actions);
    }

    /// Lets the agent handle the broadcasts and heartbeats that are due. Heartbeats need a connection.
    pub fn tick(&mut self) {
        let now_ms = self.now_ms();
        let actions = match self.link {
            Some(_) => self.agent.on_tick(now_ms),
            None => self.agent.on_broadcast_due(now_ms),
        };
        self.act(actions);
    }

    /// When the thing has something to do next, in milliseconds since 1970-01-01 UTC.
    pub fn next_wake_ms(&self) -> Option<i64> {
        let task = self.tasks.iter().map(|(at_ms, _)| *at_ms).min();
        let heartbeat = self.link.as_ref().and_then(|_| self.agent.next_heartbeat_ms());
        task.into_iter().chain(heartbeat).chain(self.agent.next_broadcast_ms()).min()
    }
}
