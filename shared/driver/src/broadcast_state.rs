//! Whether the message of a broadcast was sent. The rows of a broadcast are stored as SENT before its message is sent;
//! only the plan of the command knows whether it was.

use aws::Error;
use domain::{CommandId, Execution};
use runtime::clients::Clients;

/// Whether the message of a broadcast was sent, or may have been.
///
/// # Errors
/// A failed read of the plan.
pub async fn was_broadcast(clients: &Clients, command: &CommandId) -> Result<bool, Error> {
    let plan = clients.fleets.plan(command).await?;
    Ok(plan.is_some_and(|plan| plan.broadcast_at.is_some()))
}

/// The row as the state of its broadcast makes it: PENDING if the message was not sent.
///
/// # Errors
/// A failed read of the plan.
pub async fn with_broadcast_state(clients: &Clients, row: Execution) -> Result<Execution, Error> {
    let may_be_sent = !row.awaits_broadcast() || was_broadcast(clients, &row.command).await?;
    Ok(if may_be_sent { row } else { row.never_broadcast() })
}
