//! Rows of a broadcast are stored as sent before their one message is: only the plan of their command knows whether it is.

use aws::Error;
use domain::{CommandId, Execution};

use crate::cloud::Cloud;

/// Whether the one message of a broadcast may be out.
pub async fn was_broadcast(cloud: &Cloud, command: &CommandId) -> Result<bool, Error> {
    let plan = cloud.fleets.plan(command).await?;
    Ok(plan.is_some_and(|plan| plan.broadcast_at.is_some()))
}

/// The row as it has to be judged.
pub async fn seen(cloud: &Cloud, row: Execution) -> Result<Execution, Error> {
    let out = !row.awaits_broadcast() || was_broadcast(cloud, &row.command).await?;
    Ok(if out { row } else { row.never_broadcast() })
}
