//! `POST /commands` of a fleet command: stores the command and an empty plan. The stream of the table then calls
//! fan-out-command, which reads the target and writes the batches.

use aws::{CountTotals, List, PutOutcome};
use domain::{Command, Delivery, FleetState, Plan, fleet::SelectionNames};
use runtime::command_progress;
use runtime::event_calls::Driver;
use serde_json::json;

use super::{dry_run, members};
use crate::command_api::{
    context::ApiContext, problem::Problem, response::Response, stored_command, view::shadow_note,
};

/// Stores a fleet command, and answers with its state; a dry run stores nothing and answers with an estimate.
pub async fn create(
    driver: &Driver<'_>,
    context: &ApiContext,
    command: Command,
    names: SelectionNames,
    dry_run: bool,
) -> Result<Response, Problem> {
    let Some(fleet) = command.definition.target.fleet() else { return Err(Problem::internal()) };
    command.check_fleet_channel(driver.event_time())?;
    if dry_run {
        fleet.schedule.check(driver.event_time())?;
        return dry_run::dry_run(driver, context, &command, fleet, &names).await;
    }
    let fleets = &driver.calls.clients.fleets;
    // A repeated request is not checked again: its schedule may have ended and its groups may be gone since.
    if driver.calls.clients.commands.get(&command.id).await?.is_none() {
        fleet.schedule.check(driver.event_time())?;
        members::check_sources(context, fleet).await?;
        let (digest, purge_at) = (&fleet.selection.digest, command.purge_at());
        fleets.put_list(&command.id, digest, List::Listed, &names.things, purge_at).await?;
        fleets.put_list(&command.id, digest, List::Excluded, &names.excluded, purge_at).await?;
    }
    let command = driver.store_command(command).await?.ok_or_else(stored_command::id_taken)?;
    let plan = Plan::new(&command, driver.event_time());
    let plan = match fleets.put_plan(&plan).await? {
        PutOutcome::Stored => plan,
        PutOutcome::Exists(plan) => *plan,
    };
    answer(driver, &command, &plan).await
}

async fn answer(driver: &Driver<'_>, command: &Command, plan: &Plan) -> Result<Response, Problem> {
    let Some(fleet) = command.definition.target.fleet() else { return Err(Problem::internal()) };
    // A plan that was never changed has no batches yet, so there are no counts to read.
    let totals = match plan.revision {
        0 => CountTotals::default(),
        _ => driver.calls.clients.counts.totals(&command.id).await?,
    };
    let state = FleetState::of(command, fleet, Some(plan), &totals.counts, driver.event_time());
    let counts = command_progress::counts_json(command, fleet, Some(plan), &totals);
    let mut body = json!({"commandId": command.id.as_str(), "state": state.as_str(), "counts": counts});
    if command.definition.delivery == Delivery::Shadow {
        body["notes"] = json!([shadow_note(command)]);
    }
    Ok(Response::json(202, &body).with_header("location", format!("/commands/{}", command.id)))
}
