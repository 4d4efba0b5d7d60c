//! The reading routes. Rows are shown as they are at the time of the request, also where a verdict has not been
//! written.

use domain::{Command, CommandId, Execution, Key, NewestFirst, Target, ThingName, Timestamp, fleet::ExecutionPage};
use runtime::clients::Clients;
use runtime::handler_error::chain;
use runtime::metrics;

use super::{
    fleet,
    page::ThingPage,
    problem::Problem,
    response::Response,
    stored_command,
    view::{CommandView, ExecutionList, ExecutionView},
};

/// `GET /commands/{commandId}`
pub async fn command(clients: &Clients, id: &CommandId, now: Timestamp) -> Result<Response, Problem> {
    let command = stored_command::read(clients, id).await?;
    match &command.definition.target {
        Target::Thing(thing) => {
            let execution = observed_execution(clients, &command, thing, now).await?;
            Ok(Response::json(200, &CommandView::of_one_thing(&command, &execution)))
        }
        Target::Fleet(_) => fleet::show(clients, &command, now).await,
    }
}

/// `GET /commands/{commandId}/executions`
pub async fn executions_of_command(
    clients: &Clients,
    id: &CommandId,
    page: ExecutionPage,
    explain: bool,
    now: Timestamp,
) -> Result<Response, Problem> {
    let command = stored_command::read(clients, id).await?;
    let Some(thing) = command.definition.target.thing() else {
        return fleet::executions(clients, &command, page, explain, now).await;
    };
    let execution = observed_execution(clients, &command, thing, now).await?;
    let shown = page.shows(execution.status).then(|| ExecutionView::new(&execution, now, explain));
    Ok(Response::json(200, &ExecutionList { executions: shown.into_iter().collect(), next_token: None }))
}

/// `GET /commands/{commandId}/executions/{thing}`
pub async fn execution(
    clients: &Clients,
    id: &CommandId,
    thing: &ThingName,
    explain: bool,
    now: Timestamp,
) -> Result<Response, Problem> {
    // The key follows from command and thing. The command is read only where the row is missing.
    let execution = match clients.executions.get(&Key::of(id, thing)).await? {
        Some(execution) => execution,
        None => {
            let missing = || Problem::not_found(format!("command {id} has no execution on thing {thing}"));
            let command = clients.commands.get(id).await?.ok_or_else(missing)?;
            match &command.definition.target {
                Target::Thing(target) if target == thing => Execution::unstored(&command, thing),
                Target::Thing(_) => return Err(missing()),
                Target::Fleet(fleet) => return fleet::unasked(clients, &command, fleet, thing, explain, now).await,
            }
        }
    };
    if !explain {
        return Ok(Response::json(200, &ExecutionView::new(&execution, now, false)));
    }
    let (unusable, connection) = tokio::join!(clients.unusable_reports.read(thing), clients.messages.connection(thing));
    let view = ExecutionView::new(&execution, now, true).with_unusable(&execution, &unusable?);
    let view = match connection {
        Ok(connection) => view.with_connection(&execution.observe(now), connection.as_ref()),
        Err(error) => {
            tracing::warn!(error = chain(&error), %thing, "an explanation says nothing of the device's connection");
            view
        }
    };
    Ok(Response::json(200, &view))
}

/// `GET /things/{thing}/executions`
pub async fn executions_of_thing(clients: &Clients, page: &ThingPage, now: Timestamp) -> Result<Response, Problem> {
    let found = clients.executions.of_thing(&page.thing, page.after.as_ref(), page.limit).await?;
    metrics::count_unreadable(now, &page.thing, &found.unreadable);
    let view = |execution| ExecutionView::new(execution, now, page.explain);
    let executions = found.executions.iter().map(view).collect();
    let last = found.executions.last().filter(|_| found.has_more);
    let next_token = last.map(|last| NewestFirst::of(last).to_string());
    Ok(Response::json(200, &ExecutionList { executions, next_token }))
}

/// The execution of a command for one thing. Where the creation of the command failed half-way there is no row: such an
/// execution is shown as created, and expires like any other.
async fn observed_execution(
    clients: &Clients,
    command: &Command,
    thing: &ThingName,
    now: Timestamp,
) -> Result<Execution, Problem> {
    let row = clients.executions.get(&command.key_at(thing)).await?;
    Ok(row.unwrap_or_else(|| Execution::unstored(command, thing)).observe(now))
}
