//! Reactions to new counts: abort criteria are applied, fan-out is woken, and the progress is published.

use aws::Error;
use domain::{Actor, Command, CommandId, Control, Counts, Fleet, Plan, Timestamp};

use runtime::clients::Clients;
use runtime::command_progress;
use runtime::conflict::ConflictRetries;

/// Reacts to the counts of a command as they are now.
///
/// # Errors
/// A table cannot be read or written.
pub async fn react(clients: &Clients, id: &CommandId, now: Timestamp) -> Result<(), Error> {
    let counts = clients.counts.sum(id).await?;
    let plan = clients.fleets.plan(id).await?;
    let Some(mut command) = clients.commands.get(id).await? else { return Ok(()) };
    let Some(fleet) = command.definition.target.fleet().cloned() else { return Ok(()) };
    if let Some(control) = apply_abort_criteria(clients, &command, &fleet, plan.as_ref(), &counts, now).await? {
        command.control = control;
    }
    if plan.as_ref().is_some_and(|plan| plan.is_unblocked_by(&command, &fleet, &counts, now)) {
        wake_fan_out(clients, id, now).await?;
    }
    command_progress::publish(clients, &command, &fleet, plan.as_ref(), &counts, now).await;
    Ok(())
}

/// Pauses or cancels the command if a criterion is met. Returns the written control.
async fn apply_abort_criteria(
    clients: &Clients,
    command: &Command,
    fleet: &Fleet,
    plan: Option<&Plan>,
    counts: &Counts,
    now: Timestamp,
) -> Result<Option<Control>, Error> {
    let id = &command.id;
    let mut control = command.control.clone();
    let mut retries = ConflictRetries::new("stopping a command by its abort criteria", id);
    loop {
        let actor = Actor::function("tally-command");
        let Some(next) = fleet.abort_control(&control, plan, counts, actor, now) else { return Ok(None) };
        if clients.commands.write_control(id, &next).await? {
            tracing::warn!(command = %id, why = next.why, "a fleet command was stopped by its abort criteria");
            return Ok(Some(next));
        }
        retries.wait().await?;
        match clients.commands.get(id).await? {
            Some(command) => control = command.control,
            None => return Ok(None),
        }
    }
}

/// Writes the plan, whose stream record starts fan-out.
async fn wake_fan_out(clients: &Clients, id: &CommandId, now: Timestamp) -> Result<(), Error> {
    let mut retries = ConflictRetries::new("waking fan-out", id);
    loop {
        let Some(plan) = clients.fleets.plan(id).await? else { return Ok(()) };
        // The invocation that sends the message of a broadcast writes the plan next.
        if plan.has_broadcast_claim(now) || clients.fleets.write_plan(&plan.mark_ready(now)).await? {
            return Ok(());
        }
        retries.wait().await?;
    }
}
