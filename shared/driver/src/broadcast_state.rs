//! Whether the message of a broadcast was sent. The rows of a broadcast are stored as SENT before its message is sent;
//! only the plan of the command knows whether it was.

use calls::{Calls, Error};
use domain::{CommandId, Execution};

use crate::driver::Driver;

impl<C: Calls> Driver<'_, C> {
    /// Whether the message of a broadcast was sent, or may have been.
    ///
    /// # Errors
    /// A failed read of the plan.
    pub async fn was_broadcast(&self, command: &CommandId) -> Result<bool, Error> {
        let plan = self.calls.read_plan(command).await?;
        Ok(plan.is_some_and(|plan| plan.broadcast_at.is_some()))
    }

    /// The row as the state of its broadcast makes it: PENDING if the message was not sent.
    ///
    /// # Errors
    /// A failed read of the plan.
    pub async fn with_broadcast_state(&self, row: Execution) -> Result<Execution, Error> {
        let may_be_sent = !row.awaits_broadcast() || self.was_broadcast(&row.command).await?;
        Ok(if may_be_sent { row } else { row.never_broadcast() })
    }
}
