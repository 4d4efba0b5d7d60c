//! Cancels an execution: writes the cancel, notifies the device, and does the work that is left then.

use aws::Error;
use domain::{Actor, CancelError, CancelNotice, Execution, Reason};

use crate::driver::{DecidedWrite, Driver};

/// The results of the two steps after a cancel is written. Either may fail without the other.
#[derive(Debug)]
pub struct CancelFollowUp {
    /// The notice to the device. Without it, the device may execute the command, and its report is late.
    pub notice: Result<(), Error>,
    /// Leaving the lane and cleaning up the shadow. Work that failed stays in the due index.
    pub clean_up: Result<(), Error>,
}

impl Driver<'_> {
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
            Some(notice) => self.clients.messages.publish(&notice.topic, notice.body).await,
            None => Ok(()),
        };
        let clean_up = self.run_until_idle(row).await.map(|_| ());
        CancelFollowUp { notice, clean_up }
    }
}
