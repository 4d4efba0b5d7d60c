//! The reading routes. What is shown is what is true now, whether or not anyone has written it yet.

use std::cmp::Reverse;

use domain::{Command, CommandId, Execution, ExecutionId, Key, Target, ThingName, Timestamp};
use serde_json::json;

use crate::{cloud::Cloud, unreadable};

use super::{
    fleet::{self, ExecutionsPage},
    http::Response,
    problem::Problem,
    view::{CommandView, ExecutionView},
};

const MOST: u16 = 100;

/// `GET /commands/{id}`
pub async fn command(cloud: &Cloud, id: &CommandId, now: Timestamp) -> Result<Response, Problem> {
    let command = get(cloud, id).await?;
    match &command.definition.target {
        Target::Thing(thing) => {
            let execution = execution_at(cloud, &command, thing, now).await?;
            Ok(Response::json(200, &CommandView::of_one(&command, &execution)))
        }
        Target::Fleet(fleet) => fleet::show(cloud, &command, fleet, now).await,
    }
}

/// `GET /commands/{id}/executions`
pub async fn executions(
    cloud: &Cloud,
    id: &CommandId,
    page: &ExecutionsPage,
    now: Timestamp,
) -> Result<Response, Problem> {
    let command = get(cloud, id).await?;
    let Some(thing) = command.definition.target.thing() else {
        return fleet::executions(cloud, &command, page, now).await;
    };
    let execution = execution_at(cloud, &command, thing, now).await?;
    let shown: Vec<_> =
        page.takes(&execution).then(|| ExecutionView::new(&execution, now, page.explain)).into_iter().collect();
    Ok(Response::json(200, &json!({"executions": shown, "nextToken": null})))
}

/// `GET /commands/{id}/executions/{thing}`
pub async fn execution(
    cloud: &Cloud,
    id: &CommandId,
    thing: &ThingName,
    explain: bool,
    now: Timestamp,
) -> Result<Response, Problem> {
    // The key follows from the two, so the command need not be read, save where its creation was cut short.
    let execution = match cloud.executions.get(&Key::of(id, thing)).await? {
        Some(execution) => Some(execution),
        None => cloud
            .commands
            .get(id)
            .await?
            .filter(|command| command.definition.target.thing() == Some(thing))
            .as_ref()
            .map(|command| Execution::unstored(command, thing)),
    };
    match execution {
        Some(execution) => Ok(Response::json(200, &ExecutionView::new(&execution, now, explain))),
        None => Err(Problem::not_found(format!("command {id} has no execution at {thing}"))),
    }
}

/// `GET /things/{thing}/executions`
pub async fn of_thing(cloud: &Cloud, page: &PageRequest, now: Timestamp) -> Result<Response, Problem> {
    let mut found = cloud.executions.of_thing(&page.thing, page.after.as_ref(), page.limit).await?;
    unreadable::tell(now, &page.thing, &found.unreadable);
    // The table's order is that of the ids, which says nothing; pages follow it, so only within one the newest is first.
    found.executions.sort_by_key(|execution| Reverse(execution.created_at));
    let view = |execution| ExecutionView::new(execution, now, page.explain);
    let executions: Vec<_> = found.executions.iter().map(view).collect();
    let next = found.next.as_ref().map(ExecutionId::as_str);
    Ok(Response::json(200, &json!({"executions": executions, "nextToken": next})))
}

/// Which part of a thing's executions.
#[derive(Debug)]
pub struct PageRequest {
    thing: ThingName,
    after: Option<ExecutionId>,
    limit: u16,
    explain: bool,
}

/// Whether someone wants to know why it is so.
pub fn explain(parameter: Option<&str>) -> Result<bool, Problem> {
    match parameter {
        None | Some("false") => Ok(false),
        Some("" | "true") => Ok(true),
        Some(_) => Err(Problem::bad_request("explain", "explain must be true, false or without a value")),
    }
}

impl PageRequest {
    /// The page that these parameters ask for.
    pub fn parse(thing: ThingName, limit: Option<&str>, token: Option<&str>, explain: bool) -> Result<Self, Problem> {
        let limit = match limit {
            None => MOST,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| Problem::bad_request("limit", format!("limit must be 1 to {MOST}")))?,
        };
        let after = token
            .map(ExecutionId::parse)
            .transpose()
            .map_err(|_| Problem::bad_request("nextToken", "nextToken must be the one of the page before"))?;
        Ok(Self { thing, after, limit, explain })
    }
}

/// The command with this id.
pub async fn get(cloud: &Cloud, id: &CommandId) -> Result<Command, Problem> {
    cloud.commands.get(id).await?.ok_or_else(|| Problem::not_found(format!("there is no command {id}")))
}

async fn execution_at(
    cloud: &Cloud,
    command: &Command,
    thing: &ThingName,
    now: Timestamp,
) -> Result<Execution, Problem> {
    // A command whose creation was cut short has no row yet: then it is as new as on the first day, and expires like any other.
    let row = cloud.executions.get(&command.key_at(thing)).await?;
    Ok(row.unwrap_or_else(|| Execution::unstored(command, thing)).observe(now))
}
