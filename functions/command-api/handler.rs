//! Which route is meant, with every part of the request decoded; then that is done.

use aws::Registry;
use domain::{By, CommandId, ThingName};

use crate::{cloud::Cloud, stopwatch::Stopwatch, turn::Turn};

use super::{
    cancel::{self, Cancel},
    create::{self, Order},
    fleet::{self, Change, ExecutionsPage},
    http::{Request, Response},
    problem::Problem,
    read::{self, PageRequest},
};

/// What the API knows besides the cloud.
#[derive(Clone, Debug)]
pub struct Site {
    /// Who is in a group, and whom a query finds.
    pub registry: Registry,
    /// Where whole fleets may be asked, besides the topics of groups.
    pub broadcast_topic: Option<String>,
}

/// What is asked for.
#[derive(Debug)]
pub enum Ask {
    Create(Box<Order>),
    Cancel(Cancel),
    Command(CommandId),
    Control(Change),
    Executions { of: CommandId, page: ExecutionsPage },
    Execution { of: CommandId, at: ThingName, explain: bool },
    OfThing(PageRequest),
}

/// Answers one request, whatever it is.
pub async fn handle(cloud: &Cloud, site: &Site, event: &str) -> Response {
    let request: Request = match serde_json::from_str(event) {
        Ok(request) => request,
        Err(error) => {
            tracing::error!(%error, "not an event of the HTTP API");
            return Problem::internal().answer(None);
        }
    };
    let answered = match decode(&request, site.broadcast_topic.as_deref()) {
        Ok(ask) => answer(cloud, site, ask, &request).await,
        Err(problem) => Err(problem),
    };
    answered.unwrap_or_else(|problem| problem.answer(Some(request.id())))
}

async fn answer(cloud: &Cloud, site: &Site, ask: Ask, request: &Request) -> Result<Response, Problem> {
    let now = request.at();
    let turn = Turn { cloud, now, by: By::function("command-api"), token: request.id(), since: Stopwatch::start() };
    match ask {
        Ask::Create(order) => create::create(&turn, site, *order).await,
        Ask::Control(change) => fleet::change(&turn, change).await,
        Ask::Cancel(order) => cancel::cancel(&turn, order).await,
        Ask::Command(id) => read::command(cloud, &id, now).await,
        Ask::Executions { of, page } => read::executions(cloud, &of, &page, now).await,
        Ask::Execution { of, at, explain } => read::execution(cloud, &of, &at, explain, now).await,
        Ask::OfThing(page) => read::of_thing(cloud, &page, now).await,
    }
}

/// What this request asks for. `broadcast_topic`: see [`Site`].
pub fn decode(request: &Request, broadcast_topic: Option<&str>) -> Result<Ask, Problem> {
    let path = request.path();
    let path: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
    match (request.method(), path.as_slice()) {
        ("POST", ["commands"]) => create::decode(request, broadcast_topic).map(Box::new).map(Ask::Create),
        ("POST", ["commands", id, "pause"]) => Change::pause(command_id(id)?, request).map(Ask::Control),
        ("POST", ["commands", id, "resume"]) => Change::resume(command_id(id)?, request).map(Ask::Control),
        ("POST", ["commands", id, "cancel"]) => cancel::decode(command_id(id)?, request).map(Ask::Cancel),
        ("GET", ["commands", id]) => {
            let [] = request.query([])?;
            Ok(Ask::Command(command_id(id)?))
        }
        ("GET", ["commands", id, "executions"]) => {
            Ok(Ask::Executions { of: command_id(id)?, page: ExecutionsPage::parse(request)? })
        }
        ("GET", ["commands", id, "executions", thing]) => {
            let [explain] = request.query(["explain"])?;
            let explain = read::explain(explain)?;
            Ok(Ask::Execution { of: command_id(id)?, at: thing_name(thing)?, explain })
        }
        ("GET", ["things", thing, "executions"]) => {
            let [limit, token, explain] = request.query(["limit", "nextToken", "explain"])?;
            let explain = read::explain(explain)?;
            Ok(Ask::OfThing(PageRequest::parse(thing_name(thing)?, limit, token, explain)?))
        }
        (_, ["commands"] | ["commands", _, "cancel" | "pause" | "resume"]) => Err(Problem::method_not_allowed("POST")),
        (_, ["commands", _] | ["commands", _, "executions"] | ["commands", _, "executions", _]) => {
            Err(Problem::method_not_allowed("GET"))
        }
        (_, ["things", _, "executions"]) => Err(Problem::method_not_allowed("GET")),
        _ => Err(Problem::not_found("there is nothing at this path")),
    }
}

fn command_id(text: &str) -> Result<CommandId, Problem> {
    CommandId::parse(text).map_err(|error| Problem::not_found(format!("there is no such command: {error}")))
}

fn thing_name(text: &str) -> Result<ThingName, Problem> {
    ThingName::parse(text).map_err(|error| Problem::bad_request("thing", error.to_string()))
}
