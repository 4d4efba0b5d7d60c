//! How a device handles requests, cancel notices and timers.

use super::{Action, Device, KnownExecution, Request, Timer};
use crate::{history::ReportedStatus, random::Random};

impl Device {
    pub fn on_cancel(&mut self, execution: &str) {
        self.canceled.insert(execution.to_owned());
        if self.memory.get(execution).is_some_and(|known| known.status == ReportedStatus::InProgress) {
            self.memory.remove(execution);
        }
    }

    /// Handles a request, from a message or a shadow.
    pub fn on_request(
        &mut self,
        request: Request,
        request_text: String,
        came_in_shadow: bool,
        now_ms: i64,
        random: &mut Random,
    ) -> Vec<Action> {
        let id = request.execution_id.clone();
        if self.canceled.contains(&id) {
            let is_known = self.memory.contains_key(&id);
            return if is_known { vec![Action::Send(self.report(&id))] } else { Vec::new() };
        }
        if let Some(known) = self.memory.get(&id) {
            let is_retry = request.attempt > known.request.attempt
                && matches!(known.status, ReportedStatus::Failed | ReportedStatus::TimedOut | ReportedStatus::Rejected);
            if !is_retry {
                return vec![Action::Send(self.report(&id))];
            }
        }
        let is_expired = now_ms + self.config.clock_skew_ms >= request.expires_at * 1000;
        let status = match is_expired {
            true => ReportedStatus::TimedOut,
            false if random.chance(self.config.rejects) => ReportedStatus::Rejected,
            false => ReportedStatus::InProgress,
        };
        let (attempt, heartbeat) = (request.attempt, request.heartbeat);
        self.memory.insert(id.clone(), KnownExecution { request, request_text, came_in_shadow, status, seq: 0 });
        if status != ReportedStatus::InProgress {
            return vec![Action::Send(self.report(&id))];
        }
        let mut actions = vec![Action::StartRun { execution: id.clone(), attempt: Some(attempt) }];
        if random.chance(self.config.sends_progress) {
            actions.push(Action::Send(self.report(&id)));
        }
        if let Some(heartbeat) = heartbeat {
            let timer = Timer::Heartbeat { execution: id.clone(), attempt };
            actions.push(Action::SetTimer { after_ms: heartbeat * 1000, timer });
        }
        let status =
            if random.chance(self.config.succeeds) { ReportedStatus::Succeeded } else { ReportedStatus::Failed };
        let after_ms = random.between(1, self.config.max_run_ms);
        actions.push(Action::SetTimer { after_ms, timer: Timer::Finish { execution: id, attempt, status } });
        actions
    }

    pub fn on_timer(&mut self, timer: Timer, random: &mut Random) -> Vec<Action> {
        match timer {
            Timer::Heartbeat { execution, attempt } => self.on_heartbeat(execution, attempt, random),
            Timer::Finish { execution, attempt, status } => self.on_finish(&execution, attempt, status, random),
            Timer::FinishAtlas { topic, command } => vec![self.report_atlas(topic, &command)],
            Timer::AdoptState => {
                self.pending_state.take().map(|desired| self.report_state(&desired)).into_iter().collect()
            }
        }
    }

    fn on_heartbeat(&mut self, execution: String, attempt: u64, random: &mut Random) -> Vec<Action> {
        let Some(known) = self.running(&execution, attempt) else { return Vec::new() };
        known.seq += 1;
        let after_ms = known.request.heartbeat.unwrap_or(60) * 1000;
        let timer = Timer::Heartbeat { execution: execution.clone(), attempt };
        let mut actions = vec![Action::SetTimer { after_ms, timer }];
        if random.chance(self.config.sends_progress) {
            actions.push(Action::Send(self.report(&execution)));
        }
        actions
    }

    fn on_finish(&mut self, execution: &str, attempt: u64, status: ReportedStatus, random: &mut Random) -> Vec<Action> {
        let Some(known) = self.running(execution, attempt) else { return Vec::new() };
        known.status = status;
        match random.chance(self.config.omits_final_report) {
            true => Vec::new(),
            false => vec![Action::Send(self.report(execution))],
        }
    }

    fn running(&mut self, execution: &str, attempt: u64) -> Option<&mut KnownExecution> {
        let known = self.memory.get_mut(execution)?;
        (known.request.attempt == attempt && known.status == ReportedStatus::InProgress).then_some(known)
    }
}
