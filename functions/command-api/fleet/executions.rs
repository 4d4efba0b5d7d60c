//! `GET /commands/{id}/executions`: of a fleet command batch by batch, those of one status if someone asks for it.

use domain::{Command, Execution, Key, Status, Timestamp};
use serde_json::json;

use crate::{
    cloud::Cloud,
    command_api::{
        http::{Request, Response},
        problem::Problem,
        read,
        view::ExecutionView,
    },
    failure::chain,
};

/// Which of a command's executions.
#[derive(Debug)]
pub struct ExecutionsPage {
    status: Option<Status>,
    limit: usize,
    /// Where it goes on: in which batch, after so many of its things.
    from: (u32, u16),
    pub explain: bool,
}

const MOST: usize = 100;

/// So many batches are read for one page, which may be shorter for it.
const BATCHES: u32 = 20;

impl ExecutionsPage {
    /// The page that this request asks for.
    pub fn parse(request: &Request) -> Result<Self, Problem> {
        let [status, limit, token, explain] = request.query(["status", "limit", "nextToken", "explain"])?;
        let all = || Status::ALL.iter().map(|status| status.as_str()).collect::<Vec<_>>().join(", ");
        let status = status.map(Status::parse).transpose();
        let status = status.map_err(|error| Problem::bad_request("status", format!("{error}: it can be {}", all())))?;
        let limit = match limit {
            None => MOST,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| Problem::bad_request("limit", format!("limit must be 1 to {MOST}")))?,
        };
        let parse = |token: &str| {
            let (batch, place) = token.split_once('.')?;
            Some((batch.parse().ok()?, place.parse().ok()?))
        };
        let from = match token {
            None => (0, 0),
            Some(token) => parse(token)
                .ok_or_else(|| Problem::bad_request("nextToken", "nextToken must be the one of the page before"))?,
        };
        Ok(Self { status, limit, from, explain: read::explain(explain)? })
    }

    /// Whether an execution is one of those.
    pub fn takes(&self, execution: &Execution) -> bool {
        self.status.is_none_or(|status| status == execution.status)
    }
}

/// Those executions.
pub async fn executions(
    cloud: &Cloud,
    command: &Command,
    page: &ExecutionsPage,
    now: Timestamp,
) -> Result<Response, Problem> {
    let plan = cloud.fleets.plan(&command.id).await?;
    let batches = plan.map_or(0, |plan| plan.batches);
    let (mut number, mut place) = page.from;
    let until = number.saturating_add(BATCHES).min(batches);
    let mut shown = Vec::new();
    let mut next = None;
    'batches: while number < until {
        let things = cloud.fleets.things(&command.id, number).await?.unwrap_or_default();
        let keys: Vec<Key> = things.iter().skip(place.into()).map(|thing| command.key_at(thing)).collect();
        let mut found = cloud.executions.get_all(&keys).await?;
        for error in &found.unreadable {
            tracing::error!(error = chain(error), "a row was passed over");
        }
        for key in &keys {
            place = place.saturating_add(1);
            let row = found.executions.iter().position(|row| row.key == *key);
            let Some(row) = row.map(|at| found.executions.swap_remove(at)) else { continue };
            // One that is in several batches is shown in that which it goes out with.
            let row = row.observe(now);
            if row.batch == Some(number) && page.takes(&row) {
                shown.push(ExecutionView::new(&row, now, page.explain));
                if shown.len() == page.limit {
                    next = Some((number, place));
                    break 'batches;
                }
            }
        }
        (number, place) = (number.saturating_add(1), 0);
    }
    if next.is_none() && number < batches {
        next = Some((number, 0));
    }
    let next = next.map(|(number, place)| format!("{number}.{place}"));
    Ok(Response::json(200, &json!({"executions": shown, "nextToken": next})))
}
