//! A command for many things is stored, and planned by whoever the table's stream wakes.

use aws::{List, Put};
use domain::{Command, Counts, Delivery, Fleet, FleetState, Plan, ThingName, Via};
use serde_json::json;

use super::{Names, members};
use crate::{
    command_api::{create::fits, handler::Site, http::Response, problem::Problem},
    fleet_view,
    turn::Turn,
};

/// Stores it, and answers how it stands.
pub async fn create(
    turn: &Turn<'_>,
    site: &Site,
    asked: Command,
    names: Names,
    dry_run: bool,
) -> Result<Response, Problem> {
    let Some(fleet) = asked.definition.target.fleet() else { return Err(Problem::internal()) };
    check(turn, &asked, fleet)?;
    if dry_run {
        fleet.schedule.check(turn.now)?;
        return super::dry_run::dry_run(turn, site, &asked, fleet, &names).await;
    }
    let known = turn.cloud.commands.get(&asked.id).await?;
    if known.is_none() {
        // Whoever asks again asks for what could be asked for then.
        fleet.schedule.check(turn.now)?;
        members::look(site, fleet).await?;
    }
    let fleets = &turn.cloud.fleets;
    let (purge_at, digest) = (asked.purge_at(), &fleet.selection.digest);
    if known.is_none() {
        fleets.put_list(&asked.id, digest, List::Listed, &names.things, purge_at).await?;
        fleets.put_list(&asked.id, digest, List::Excluded, &names.excluded, purge_at).await?;
    }
    let command = match turn.cloud.commands.put_new(&asked).await? {
        Put::Stored => asked,
        Put::Exists(first) if first.fingerprint == asked.fingerprint => *first,
        Put::Exists(_) => {
            return Err(Problem::conflict(
                "Idempotency-Key",
                "this Idempotency-Key belongs to a command that was asked for with another body",
            ));
        }
    };
    let plan = Plan::new(&command, turn.now);
    let plan = match fleets.put_plan(&plan).await? {
        Put::Stored => plan,
        Put::Exists(plan) => *plan,
    };
    answer(turn, &command, &plan).await
}

async fn answer(turn: &Turn<'_>, command: &Command, plan: &Plan) -> Result<Response, Problem> {
    let Some(fleet) = command.definition.target.fleet() else { return Err(Problem::internal()) };
    let counts = if plan.revision == 0 { Counts::default() } else { turn.cloud.tallies.sum(&command.id).await? };
    let state = FleetState::of(command, fleet, Some(plan), &counts, turn.now);
    let counts = fleet_view::counts_of(Some(plan), &counts);
    let body = json!({"commandId": command.id.as_str(), "state": state.as_str(), "counts": counts});
    Ok(Response::json(202, &body).with("location", format!("/commands/{}", command.id)))
}

/// What a fleet can't be asked so.
fn check(turn: &Turn<'_>, command: &Command, fleet: &Fleet) -> Result<(), Problem> {
    let definition = &command.definition;
    if fleet.broadcast.is_some() {
        let why = "one message to all things has no place in the order of each of them: leave it out";
        if definition.lane.is_some() {
            return Err(Problem::unprocessable("lane", why));
        }
        if definition.retry.is_some() {
            let why = "a broadcast goes out once: leave it out, or deliver otherwise";
            return Err(Problem::unprocessable("retry", why));
        }
    }
    if definition.delivery == Delivery::Broadcast && fleet.broadcast.is_none() {
        return Err(Problem::unprocessable("broadcast", "delivery broadcast needs to know where to"));
    }
    // Things may say otherwise of themselves; this is how most are asked.
    let Ok(some) = ThingName::parse("thing") else { return Err(Problem::internal()) };
    fits(turn, command, &some, &Via::of(command, None))
}
