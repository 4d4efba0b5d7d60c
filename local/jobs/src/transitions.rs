//! Changes of an execution's status, and what follows from them: timers, events, retries, and the end of the job.

use super::abort;
use super::details::Details;
use super::events;
use super::execution::{Execution, StepTimer};
use super::retry;
use super::status::{ExecutionStatus, JobStatus};
use super::transaction::Transaction;

/// A change of the latest execution of a thing.
pub(super) struct Change {
    pub(super) status: ExecutionStatus,
    /// None: they stay as they are.
    pub(super) details: Option<Details>,
    pub(super) step_timer: StepTimer,
    pub(super) force_canceled: bool,
}

impl Change {
    pub(super) fn to(status: ExecutionStatus) -> Self {
        Self { status, details: None, step_timer: StepTimer::Keep, force_canceled: false }
    }
}

impl Transaction<'_> {
    /// Changes the latest execution of a job on a thing. Nothing happens if there is none.
    pub(super) fn change(&mut self, job_id: &str, thing: &str, change: Change) {
        self.touch(thing);
        let now_ms = self.now_ms;
        let Some(job) = self.store.jobs.get_mut(job_id) else { return };
        let minutes = job.configuration.in_progress_minutes();
        let Some(execution) = job.latest_mut(thing) else { return };
        let (before, before_deadline_ms) = (execution.status, execution.deadline_ms());
        if let Some(details) = change.details {
            execution.details = details;
        }
        execution.set_status(change.status, minutes, now_ms);
        execution.set_step_timer(change.step_timer, now_ms);
        execution.force_canceled = change.force_canceled;
        let deadline_ms = execution.deadline_ms();
        job.recount(Some(before), Some(change.status));
        job.updated_ms = now_ms;
        let timer = |at_ms: i64| (at_ms, job_id.to_owned(), thing.to_owned());
        if let Some(before_deadline_ms) = before_deadline_ms {
            self.store.timers.remove(&timer(before_deadline_ms));
        }
        self.store.timers.extend(deadline_ms.map(timer));
        if change.status.is_terminal() {
            events::execution_ended(self, job_id, thing);
            retry::retry_if_allowed(self, job_id, thing);
            abort::cancel_if_criteria_met(self, job_id);
            self.complete_if_done(job_id);
        }
    }

    /// Creates an execution on a thing, QUEUED.
    pub(super) fn queue(&mut self, job_id: &str, thing: &str, retry_attempt: u32) {
        self.touch(thing);
        let (sequence, now_ms) = (self.store.next_sequence(), self.now_ms);
        let Some(job) = self.store.jobs.get_mut(job_id) else { return };
        let before = job.latest(thing).map(|execution| (execution.number, execution.status));
        let number = before.map_or(1, |(number, _)| number + 1);
        job.recount(before.map(|(_, status)| status), Some(ExecutionStatus::Queued));
        let executions = job.executions.entry(thing.to_owned()).or_default();
        executions.push(Execution::queued(number, sequence, retry_attempt, now_ms));
    }

    /// Completes a SNAPSHOT job when each of its things has ended. A CONTINUOUS one never completes.
    pub(super) fn complete_if_done(&mut self, job_id: &str) {
        let Some(job) = self.store.jobs.get_mut(job_id) else { return };
        let open = job.count(|status| !status.is_terminal());
        if !job.is_active() || job.continuous || !job.waiting.is_empty() || open > 0 {
            return;
        }
        job.status = JobStatus::Completed;
        job.completed_ms = Some(self.now_ms);
        job.updated_ms = self.now_ms;
        events::job_changed(self, job_id, "completed", "COMPLETED");
    }
}
