//! Cancels an execution.

use crate::actor::Actor;
use crate::command::audit::{AuditAction, AuditEntry};
use crate::execution::change::{Change, DueEntry, Effect};
use crate::execution::progress::Rank;
use crate::execution::row::{Execution, Verdict};
use crate::status::{Reason, Status};
use crate::timestamp::Timestamp;

/// Why an execution can't be canceled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CancelError {
    /// It is canceled already.
    #[error("it has been canceled")]
    Already,
    /// It has ended with another status.
    #[error("it has ended: it is {0}")]
    Ended(Status),
    /// Its device has started it, and the cancel is not forced.
    #[error("its device has begun: only force cancels it")]
    Running,
}

/// Why a report that the device has stopped an execution changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmError {
    /// The stop is recorded already, or the device has reported an end.
    Already,
    /// The execution was not canceled: a device ends it with FAILED or REJECTED.
    NotCanceled,
}

impl Execution {
    /// Cancels it at `now`. A running execution is canceled only with `force`.
    ///
    /// # Errors
    /// [`CancelError`] where it has ended, or runs and `force` is not set. A deadline that has passed counts as an end,
    /// whether or not its verdict is written.
    pub fn cancel(&self, reason: Reason, now: Timestamp, force: bool, actor: Actor) -> Result<Change, CancelError> {
        match self.observe(now).status {
            Status::Canceled => return Err(CancelError::Already),
            Status::InProgress if !force => return Err(CancelError::Running),
            Status::Created | Status::InProgress => {}
            ended => return Err(CancelError::Ended(ended)),
        }
        let verdict = Verdict { reason, at: now };
        Ok(self.provisional_verdict(verdict, Rank::Canceled, self.due_after_end(now, false), actor))
    }

    /// Records a report at `at` that the device has stopped the execution.
    ///
    /// # Errors
    /// [`ConfirmError`] where there is nothing to confirm.
    pub fn confirm_stop(&self, at: Timestamp) -> Result<Change, ConfirmError> {
        match (self.status, self.stopped_at) {
            (Status::Canceled, None) => {
                Ok(Change { effect: Effect::StopConfirmed(at), ..self.due_at_change(DueEntry::Keep) })
            }
            (Status::Canceled, Some(_)) => Err(ConfirmError::Already),
            _ if self.outcome.is_some() => Err(ConfirmError::Already),
            _ => Err(ConfirmError::NotCanceled),
        }
    }

    /// Of a canceled execution whose device may have the request: whether the device has confirmed that it has stopped.
    pub fn stop_confirmed(&self) -> Option<bool> {
        let may_run = self.stopped_at.is_some() || self.may_be_delivered() || self.attempt > 1;
        (self.status == Status::Canceled && may_run).then_some(self.stopped_at.is_some())
    }

    /// The operator's cancel of a command for one thing, whose execution this is; none if no operator has canceled it.
    pub fn operators_cancel(&self) -> Option<AuditEntry> {
        let verdict = self.verdict.filter(|verdict| verdict.reason == Reason::CanceledByOperator)?;
        let entry = self.verdict_entry()?;
        // Only a forced cancel ends an execution that its device has started.
        let action = AuditAction::Canceled { force: self.started_at.is_some() };
        Some(AuditEntry { at: verdict.at, action, by: entry.actor.clone(), why: entry.why.clone() })
    }
}
