//! `GET /commands/{commandId}/executions` of a fleet command: a page of its executions, read batch by batch.

use domain::{Command, Key, Timestamp, fleet::ExecutionPage};
use runtime::clients::Clients;
use runtime::handler_error::chain;

use crate::command_api::{
    problem::Problem,
    response::Response,
    view::{ExecutionList, ExecutionView},
};

pub async fn executions(
    clients: &Clients,
    command: &Command,
    page: ExecutionPage,
    explain: bool,
    now: Timestamp,
) -> Result<Response, Problem> {
    let plan = clients.fleets.plan(&command.id).await?;
    let mut scan = page.scan(plan.map_or(0, |plan| plan.batches));
    let mut shown = Vec::new();
    while let Some(position) = scan.next_batch() {
        let things = clients.fleets.things(&command.id, position.batch).await?.unwrap_or_default();
        let keys: Vec<Key> = things.iter().skip(position.place.into()).map(|thing| command.key_at(thing)).collect();
        let mut found = clients.executions.get_all(&keys).await?;
        for error in &found.unreadable {
            tracing::error!(error = chain(error), command = %command.id, "an unreadable execution is not listed");
        }
        // A batch get answers in any order.
        let take = |key: &Key| {
            let place = found.executions.iter().position(|row| row.key == *key)?;
            Some(found.executions.swap_remove(place))
        };
        let rows: Vec<_> = keys.iter().map(take).collect();
        let rows = scan.add_batch(rows, now);
        shown.extend(rows.iter().map(|row| ExecutionView::new(row, now, explain)));
    }
    let next_token = scan.next_page().map(|position| position.to_string());
    Ok(Response::json(200, &ExecutionList { executions: shown, next_token }))
}
