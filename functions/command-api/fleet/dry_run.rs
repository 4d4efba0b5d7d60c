//! `POST /commands` with `dryRun`: whom it would be for, how long it would take and what it would cost. Nothing is stored or sent.

use domain::{
    Command, Fleet,
    fleet::{Assumption, Cost, usd},
};
use serde_json::{Value, json};

use super::{Names, members};
use crate::{
    command_api::{handler::Site, http::Response, problem::Problem},
    turn::Turn,
};

/// Answers what would come of it.
pub async fn dry_run(
    turn: &Turn<'_>,
    site: &Site,
    asked: &Command,
    fleet: &Fleet,
    names: &Names,
) -> Result<Response, Problem> {
    let members = members::read(site, fleet, names, turn.since).await?;
    let things = u64::try_from(members.things.len()).unwrap_or(u64::MAX);
    let sample: Vec<&str> = members.sample.iter().map(|thing| thing.as_str()).collect();
    let takes = fleet.duration(asked.definition.delivery, things, turn.now);
    let assumes: Vec<&str> = takes.assumes.iter().copied().map(Assumption::as_str).collect();
    let body = json!({
        "target": {"count": things, "complete": members.complete, "sample": sample},
        "duration": {"seconds": takes.seconds, "assumes": assumes},
        "cost": cost(Cost::of(&asked.definition), things),
    });
    Ok(Response::json(200, &body))
}

fn cost(each: Cost, things: u64) -> Value {
    const MILLION: u64 = 1_000_000;
    json!({
        "currency": "USD",
        "total": usd(each.total(), things),
        "perMillionThings": usd(each.total(), MILLION),
        "items": {
            "messages": usd(each.messages, things),
            "rules": usd(each.rules, things),
            "functions": usd(each.functions, things),
            "tables": usd(each.tables, things),
        },
        "assumes": ["LIST_PRICES_OF_US_EAST_1", "EVERY_THING_IS_CONNECTED", "EVERY_THING_ANSWERS_ONCE"],
    })
}
