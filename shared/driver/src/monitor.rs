//! Looks at an execution whose batch is due for it: ends it if its time has passed, or cancels it with its command.

use calls::{Calls, Error, chain};
use domain::{Control, ControlState, Execution, Timestamp, fleet::ExecutionCheck};

use crate::driver::{DecidedWrite, Driver};

/// What was done with one execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Monitored {
    /// Whether it was canceled.
    pub is_canceled: bool,
    /// When it has to be looked at again, if its batch has to do so.
    pub recheck_at: Option<Timestamp>,
}

impl<C: Calls> Driver<'_, C> {
    /// Does the next actions of an execution, if it is time for them.
    ///
    /// # Errors
    /// A failed read or write.
    pub async fn monitor(&self, row: Execution) -> Result<Monitored, Error> {
        match ExecutionCheck::of(&row, self.now(), &self.actor) {
            ExecutionCheck::Nothing => Ok(Monitored::default()),
            ExecutionCheck::Later(at) => Ok(Monitored { recheck_at: Some(at), ..Monitored::default() }),
            ExecutionCheck::RunNow => {
                self.run_until_idle(row).await?;
                Ok(Monitored::default())
            }
        }
    }

    /// Cancels an execution in the name of who canceled its command, and notifies its device. One that may not be
    /// canceled is looked at.
    ///
    /// # Errors
    /// A failed read or write. A notice that can't be published is no error.
    pub async fn cancel_with_command(&self, row: Execution, control: &Control) -> Result<Monitored, Error> {
        let ControlState::Canceled { force, reason } = control.state else { return Ok(Monitored::default()) };
        let actor = control.by.as_ref().unwrap_or(&self.actor);
        match self.cancel(row, reason, force, actor, control.why.as_deref()).await? {
            DecidedWrite::Applied(row) => {
                let execution = row.key.clone();
                let follow_up = self.follow_up_cancel(row).await;
                if let Err(error) = follow_up.notice {
                    tracing::warn!(
                        error = chain(&error),
                        %execution,
                        "a device could not be notified of a cancel: its report will be late"
                    );
                }
                follow_up.clean_up?;
                Ok(Monitored { is_canceled: true, recheck_at: None })
            }
            DecidedWrite::Refused(row, _) => self.monitor(row).await,
            DecidedWrite::NotFound => Ok(Monitored::default()),
        }
    }
}
