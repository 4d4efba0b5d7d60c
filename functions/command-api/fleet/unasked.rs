//! `GET /commands/{commandId}/executions/{thing}` of a fleet command, where the thing has no execution: whether it
//! waits for one.

use aws::{Error, Fleets};
use domain::{BatchNumber, Command, Counts, Fleet, Key, Plan, ThingName, Timestamp, fleet::UnaskedThing};
use runtime::clients::Clients;
use runtime::time_format;
use serde::Serialize;

use crate::command_api::{problem::Problem, response::Response};

/// The most batches that are searched for a thing. The first ones that are not released are searched first.
const MAX_BATCHES: usize = 1000;

/// A thing without an execution, as the API shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UnaskedView<'a> {
    command_id: &'a str,
    execution_id: String,
    thing: &'a str,
    name: &'a str,
    status: &'static str,
    next_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
}

/// Answers with what the thing waits for, or 404 if it is not known to be a target of the command.
pub async fn unasked(
    clients: &Clients,
    command: &Command,
    fleet: &Fleet,
    thing: &ThingName,
    explain: bool,
    now: Timestamp,
) -> Result<Response, Problem> {
    let missing = || Problem::not_found(format!("command {} has no execution on thing {thing}", command.id));
    let plan = clients.fleets.plan(&command.id).await?.ok_or_else(missing)?;
    let Some(place) = find(clients, &plan, thing).await? else {
        return Err(match plan.complete {
            true => missing(),
            false => Problem::not_found(format!(
                "command {} has no execution on thing {thing} yet: its target is still being read",
                command.id
            )),
        });
    };
    let counts: Counts = clients.counts.sum(&command.id).await?;
    let found = UnaskedThing::of(command, fleet, &plan, &counts, place, now);
    let next_at = if let UnaskedThing::Waiting { next_at, .. } = found { next_at } else { None };
    let view = UnaskedView {
        command_id: command.id.as_str(),
        execution_id: Key::of(&command.id, thing).id.to_string(),
        thing: thing.as_str(),
        name: command.definition.name.as_str(),
        status: found.as_str(),
        next_at: next_at.map(time_format::show),
        explanation: explain.then(|| found.explanation(command, time_format::show)),
    };
    Ok(Response::json(200, &view))
}

/// The place of a thing in the order of the batches; none if it is in none of the searched ones.
async fn find(clients: &Clients, plan: &Plan, thing: &ThingName) -> Result<Option<u64>, Error> {
    let first = plan.release_position;
    // Batches before are released as a whole: their things are asked next, in no order.
    let numbers = (first.batch..plan.batches).chain(0..first.batch);
    let numbers: Vec<BatchNumber> = numbers.take(MAX_BATCHES).collect();
    let mut before = first.before;
    for numbers in numbers.chunks(Fleets::MAX_BATCHES) {
        for (number, things) in clients.fleets.things_of_all(&plan.command, numbers).await? {
            if let Some(place) = things.iter().position(|found| found == thing) {
                let is_released = number < first.batch;
                return Ok(Some(if is_released {
                    0
                } else {
                    before.saturating_add(u64::try_from(place).unwrap_or(0))
                }));
            }
            before = before.saturating_add(u64::try_from(things.len()).unwrap_or(0));
        }
    }
    Ok(None)
}
