//! Cancels an execution: writes the cancel, notifies the device, and does the work that is left then.

use calls::{Calls, Error};
use domain::{Actor, CancelError, CancelNotice, Execution, Key, Reason};

use crate::driver::{DecidedWrite, Driver};

/// The results of the two steps after a cancel is written. Either may fail without the other.
#[derive(Debug)]
pub struct CancelFollowUp {
    /// The notice to the device. Without it, the device may execute the command, and its report is late.
    pub notice: Result<(), Error>,
    /// Leaving the lane and cleaning up the shadow. Work that failed stays in the due index.
    pub clean_up: Result<(), Error>,
}

/// The outcome of a cancel that an operator asks for.
#[derive(Debug)]
pub enum CancelOutcome {
    /// The execution is canceled: its row, and the results of the steps after that.
    Canceled(Box<Execution>, CancelFollowUp),
    /// It may not be canceled.
    Refused(CancelError),
    /// Its command is still being created.
    NotCreated,
    /// It was deleted meanwhile.
    Deleted,
}

impl<C: Calls> Driver<'_, C> {
    /// Cancels an execution as an operator asks for; `actor` and `why` are those in the history. Where an earlier request
    /// has canceled it, only the steps after that are done again: that request may have failed before the notice was
    /// sent.
    ///
    /// # Errors
    /// A failed read or write of the row, or a write that was lost as often as the retry policy allows.
    pub async fn cancel_by_operator(
        &self,
        key: &Key,
        force: bool,
        actor: &Actor,
        why: Option<&str>,
    ) -> Result<CancelOutcome, Error> {
        let Some(row) = self.read(key).await? else { return Ok(CancelOutcome::NotCreated) };
        Ok(match self.cancel(row, Reason::CanceledByOperator, force, actor, why).await? {
            DecidedWrite::Applied(row) | DecidedWrite::Refused(row, CancelError::Already) => {
                let follow_up = self.follow_up_cancel(row.clone()).await;
                CancelOutcome::Canceled(Box::new(row), follow_up)
            }
            DecidedWrite::Refused(_, error) => CancelOutcome::Refused(error),
            DecidedWrite::NotFound => CancelOutcome::Deleted,
        })
    }

    /// Writes a cancel. `actor` and `why` are those in the history; a running execution is canceled only with `force`.
    ///
    /// After [`DecidedWrite::Applied`], [`Self::follow_up_cancel`] does the rest.
    ///
    /// # Errors
    /// A failed write, or one that was lost as often as the retry policy allows.
    pub async fn cancel(
        &self,
        row: Execution,
        reason: Reason,
        force: bool,
        actor: &Actor,
        why: Option<&str>,
    ) -> Result<DecidedWrite<CancelError>, Error> {
        let decide = |row: &Execution| {
            let change = row.cancel(reason, self.event_time(), force, actor.clone())?;
            Ok(Box::new(change.with_why(why)))
        };
        self.decide_and_write("canceling an execution", row, decide).await
    }

    /// Notifies the device of a canceled execution if it may have the request, and does the work that is left. Doing so
    /// twice is safe.
    pub async fn follow_up_cancel(&self, row: Execution) -> CancelFollowUp {
        let notice = match CancelNotice::of(&row) {
            Some(notice) => self.calls.publish(&notice.topic, notice.body).await,
            None => Ok(()),
        };
        let clean_up = self.run_until_idle(row).await.map(|_| ());
        CancelFollowUp { notice, clean_up }
    }
}
