//! Reactions to new counts: abort criteria are applied, fan-out is woken, and the progress is published.

use aws::{CountTotals, Error};
use domain::{Actor, Command, CommandId, Fleet, Plan, Timestamp};

use runtime::clients::Clients;
use runtime::command_progress;
use runtime::conflict::ConflictRetries;

/// Reacts to the counts of a command as they are now.
///
/// # Errors
/// A table cannot be read or written.
pub async fn react(clients: &Clients, id: &CommandId, now: Timestamp) -> Result<(), Error> {
    let Some(read) = ReadCommand::read(clients, id).await? else { return Ok(()) };
    let read = match apply_abort_criteria(clients, &read, now).await? {
        false => read,
        // The event has to tell everything that was written before the control.
        true => match ReadCommand::read(clients, id).await? {
            Some(read) => read,
            None => return Ok(()),
        },
    };
    let ReadCommand { totals, plan, command, fleet } = &read;
    let counts = &totals.counts;
    if plan.as_ref().is_some_and(|plan| plan.is_unblocked_by(command, fleet, counts, now)) {
        wake_fan_out(clients, id, now).await?;
    }
    command_progress::publish(clients, command, fleet, plan.as_ref(), totals, now).await;
    Ok(())
}

/// Everything that is stored of a fleet command. The command itself is read last: an event must not know less of its
/// control than one with a smaller number.
struct ReadCommand {
    totals: CountTotals,
    plan: Option<Plan>,
    command: Command,
    fleet: Fleet,
}

impl ReadCommand {
    /// Reads a command; none if it was deleted, or is for one thing.
    async fn read(clients: &Clients, id: &CommandId) -> Result<Option<Self>, Error> {
        let totals = clients.counts.totals(id).await?;
        let plan = clients.fleets.plan(id).await?;
        let Some(command) = clients.commands.get(id).await? else { return Ok(None) };
        let Some(fleet) = command.definition.target.fleet().cloned() else { return Ok(None) };
        Ok(Some(Self { totals, plan, command, fleet }))
    }
}

/// Pauses or cancels the command if a criterion is met. Returns whether it did.
async fn apply_abort_criteria(clients: &Clients, read: &ReadCommand, now: Timestamp) -> Result<bool, Error> {
    let ReadCommand { totals, plan, command, fleet } = read;
    let id = &command.id;
    let mut control = command.control.clone();
    let mut retries = ConflictRetries::new("stopping a command by its abort criteria", id);
    loop {
        let actor = Actor::function("tally-command");
        let next = fleet.abort_control(&control, plan.as_ref(), &totals.counts, actor, now);
        let Some(next) = next else { return Ok(false) };
        if clients.commands.write_control(id, &next).await? {
            tracing::warn!(command = %id, why = next.why, "a fleet command was stopped by its abort criteria");
            return Ok(true);
        }
        retries.wait().await?;
        match clients.commands.get(id).await? {
            Some(command) => control = command.control,
            None => return Ok(false),
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
