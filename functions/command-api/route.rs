//! `ApiCall`: the operation that a request asks for, by method and path, with every part of the request decoded.

use domain::{CommandId, ControlState, ThingName, fleet::ExecutionPage};

use super::{
    cancel::{self, CancelCommand},
    create::{self, CreateCommand},
    create_body::Topics,
    fleet::{ChangeControl, ChangeRate},
    page::{self, ThingPage},
    problem::Problem,
    request::Request,
};

/// An operation of the API.
#[derive(Debug)]
pub enum ApiCall {
    CreateCommand(Box<CreateCommand>),
    CancelCommand(CancelCommand),
    ChangeControl(ChangeControl),
    ChangeRate(ChangeRate),
    GetCommand(CommandId),
    ListCommandExecutions { command: CommandId, page: ExecutionPage, explain: bool },
    GetExecution { command: CommandId, thing: ThingName, explain: bool },
    ListThingExecutions(ThingPage),
}

/// Decodes a request.
pub fn decode(request: &Request, topics: Topics<'_>) -> Result<ApiCall, Problem> {
    let path = request.path();
    let path: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
    match (request.method(), path.as_slice()) {
        ("POST", ["commands"]) => create::decode(request, topics).map(Box::new).map(ApiCall::CreateCommand),
        ("POST", ["commands", id, "pause"]) => {
            ChangeControl::decode(command_id(id)?, ControlState::Paused, request).map(ApiCall::ChangeControl)
        }
        ("POST", ["commands", id, "resume"]) => {
            ChangeControl::decode(command_id(id)?, ControlState::Running, request).map(ApiCall::ChangeControl)
        }
        ("POST", ["commands", id, "cancel"]) => cancel::decode(command_id(id)?, request).map(ApiCall::CancelCommand),
        ("PATCH", ["commands", id]) => ChangeRate::decode(command_id(id)?, request).map(ApiCall::ChangeRate),
        ("GET", ["commands", id]) => {
            let [] = request.query([])?;
            Ok(ApiCall::GetCommand(command_id(id)?))
        }
        ("GET", ["commands", id, "executions"]) => {
            let command = command_id(id)?;
            let (page, explain) = page::decode_command_page(request)?;
            Ok(ApiCall::ListCommandExecutions { command, page, explain })
        }
        ("GET", ["commands", id, "executions", thing]) => {
            let [explain] = request.query(["explain"])?;
            let explain = page::decode_explain(explain)?;
            Ok(ApiCall::GetExecution { command: command_id(id)?, thing: page::decode_thing(thing)?, explain })
        }
        ("GET", ["things", thing, "executions"]) => ThingPage::decode(thing, request).map(ApiCall::ListThingExecutions),
        (_, ["commands"] | ["commands", _, "cancel" | "pause" | "resume"]) => Err(Problem::method_not_allowed("POST")),
        (_, ["commands", _]) => Err(Problem::method_not_allowed("GET, PATCH")),
        (_, ["commands", _, "executions"] | ["commands", _, "executions", _] | ["things", _, "executions"]) => {
            Err(Problem::method_not_allowed("GET"))
        }
        _ => Err(Problem::not_found("this path does not exist")),
    }
}

fn command_id(text: &str) -> Result<CommandId, Problem> {
    CommandId::parse(text).map_err(|error| Problem::not_found(format!("there is no such command: {error}")))
}
