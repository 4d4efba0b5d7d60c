//! `POST /commands` with `dryRun`: which things a command would reach, how long it would take and what it would cost.
//!
//! Nothing is stored or sent.

use domain::{Command, Fleet, fleet::SelectionNames};
use serde_json::{Value, json};

use super::{
    cost::{Cost, usd},
    members,
    quota::Duration,
};
use crate::command_api::{context::ApiContext, problem::Problem, response::Response};
use runtime::event_calls::Driver;

/// Answers with the estimate.
///
/// # Errors
/// The members of a group or the result of a query cannot be read.
pub async fn dry_run(
    driver: &Driver<'_>,
    context: &ApiContext,
    command: &Command,
    fleet: &Fleet,
    names: &SelectionNames,
) -> Result<Response, Problem> {
    let members = members::read(context, fleet, names, driver.calls.clock).await?;
    let things = u64::try_from(members.things.len()).unwrap_or(u64::MAX);
    let sample: Vec<&str> = members.sample.iter().map(|thing| thing.as_str()).collect();
    let duration = Duration::of(fleet, command.definition.delivery, things, driver.event_time());
    let body = json!({
        "target": {"count": things, "complete": members.complete, "sample": sample},
        "duration": {"seconds": duration.seconds, "assumes": duration.assumes},
        "cost": cost_view(Cost::of(&command.definition), things),
    });
    Ok(Response::json(200, &body))
}

fn cost_view(each: Cost, things: u64) -> Value {
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
