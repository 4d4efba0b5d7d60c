//! Handles one HTTP request: decodes it, does what it asks for, and answers.

use domain::Actor;
use runtime::clients::Clients;
use runtime::event_calls::driver;
use runtime::event_clock::EventClock;

use super::{
    cancel,
    context::ApiContext,
    create, fleet,
    problem::Problem,
    read,
    request::Request,
    response::Response,
    route::{self, ApiCall},
};

/// Answers one request. Every failure is an answer too, so the function itself never fails.
pub async fn handle(clients: &Clients, context: &ApiContext, event: &str) -> Response {
    let request: Request = match serde_json::from_str(event) {
        Ok(request) => request,
        Err(error) => {
            tracing::error!(%error, "the event is not an HTTP request of API Gateway, format 2.0");
            return Problem::internal().into_response(None);
        }
    };
    let answered = match route::decode(&request, context.topics()) {
        Ok(call) => execute(clients, context, call, &request).await,
        Err(problem) => Err(problem),
    };
    answered.unwrap_or_else(|problem| problem.into_response(Some(request.id())))
}

async fn execute(
    clients: &Clients,
    context: &ApiContext,
    call: ApiCall,
    request: &Request,
) -> Result<Response, Problem> {
    let now = request.received_at();
    let driver = driver(clients, EventClock::start(now), Actor::function("command-api"), request.id());
    match call {
        ApiCall::CreateCommand(create) => create::create(&driver, context, *create).await,
        ApiCall::CancelCommand(cancel) => cancel::cancel(&driver, cancel).await,
        ApiCall::ChangeControl(change) => fleet::change_control(&driver, change).await,
        ApiCall::ChangeRate(change) => fleet::change_rate(&driver, change).await,
        ApiCall::GetCommand(id) => read::command(clients, &id, now).await,
        ApiCall::ListCommandExecutions { command, page, explain } => {
            read::executions_of_command(clients, &command, page, explain, now).await
        }
        ApiCall::GetExecution { command, thing, explain } => {
            read::execution(clients, &command, &thing, explain, now).await
        }
        ApiCall::ListThingExecutions(page) => read::executions_of_thing(clients, &page, now).await,
    }
}
