//! A command for many things is stored, and planned by whoever the table's stream wakes.

use aws::{List, Listed, Put};
use domain::{Command, Counts, Delivery, Fleet, FleetState, Plan};
use serde_json::json;

use super::Names;
use crate::{
    command_api::{handler::Site, http::Response, problem::Problem},
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
    check(&asked, fleet)?;
    let known = turn.cloud.commands.get(&asked.id).await?;
    if known.is_none() {
        // Whoever asks again asks for what could be asked for then.
        fleet.schedule.check(turn.now)?;
        look(site, fleet).await?;
    }
    let _ = dry_run;
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
fn check(command: &Command, fleet: &Fleet) -> Result<(), Problem> {
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
    Ok(())
}

/// Sees that what is named is there, so that whoever names it is told, and not only the plan.
async fn look(site: &Site, fleet: &Fleet) -> Result<(), Problem> {
    let registry = &site.registry;
    for group in &fleet.selection.groups {
        if let Listed::NoSuchGroup = registry.things_in_group(group, None, 1).await? {
            let why = format!("there is no thing group {group}");
            return Err(Problem::unprocessable("target.groups", why));
        }
    }
    if let Some(query) = &fleet.selection.query {
        match registry.things_found(query, None, 1).await? {
            Listed::BadQuery(why) => {
                return Err(Problem::unprocessable("target.query", format!("the query does not parse: {why}")));
            }
            Listed::NoIndex(why) => {
                let why = format!("there is no fleet index to ask: {why}");
                return Err(Problem::unprocessable("target.query", why));
            }
            _ => {}
        }
    }
    Ok(())
}
