//! `POST /commands/{id}/cancel`: calls off what has not begun; with `force`, also what runs. The device is told where it may have
//! the request. It can't be called back for certain: if it has done it all the same, its word stands.

use domain::{By, CancelNotice, CommandId, ControlState, Execution, NotCanceled, Reason, Target};

use super::{
    fields::Fields,
    fleet,
    http::{Request, Response},
    problem::Problem,
    view::CommandView,
};
use crate::{
    failure::chain,
    turn::{Turn, Wrote},
};

/// What is to be called off.
#[derive(Debug)]
pub struct Cancel {
    id: CommandId,
    force: bool,
    by: By,
}

/// Whoever answers may be faster, a few times.
const TRIES: usize = 4;

/// What this request asks for. A body is not needed.
pub fn decode(id: CommandId, request: &Request) -> Result<Cancel, Problem> {
    let [] = request.query([])?;
    let body = request.body()?;
    let force = match body.trim_ascii() {
        [] => None,
        body => {
            let mut fields = Fields::of_body(body)?;
            let force = fields.take("force", "true or false")?;
            fields.end("force")?;
            force
        }
    };
    Ok(Cancel { id, force: force.unwrap_or(false), by: request.by() })
}

/// Calls it off, and answers how it stands then.
pub async fn cancel(turn: &Turn<'_>, order: Cancel) -> Result<Response, Problem> {
    let Cancel { id, force, by } = order;
    let command = turn.cloud.commands.get(&id).await?;
    let command = command.ok_or_else(|| Problem::not_found(format!("there is no command {id}")))?;
    let beginning = || Problem::conflict("commandId", "the command is still being created: try the same again");
    let thing = match &command.definition.target {
        Target::Thing(thing) => thing,
        Target::Fleet(_) => {
            let state = ControlState::Canceled { force, reason: Reason::CanceledByOperator };
            return fleet::control(turn, command, state, by).await;
        }
    };
    let mut row = turn.read(&command.key_at(thing)).await?.ok_or_else(beginning)?;
    for _ in 0..TRIES {
        let change = match row.cancel(Reason::CanceledByOperator, turn.now, force, by.clone()) {
            Ok(change) => change,
            // The first request's answer was lost: what was left to do may be.
            Err(NotCanceled::Already) => return finish(turn, &command, row).await,
            Err(error @ NotCanceled::Running) => return Err(Problem::conflict("force", error.to_string())),
            Err(error @ NotCanceled::Ended(_)) => return Err(Problem::conflict("status", error.to_string())),
        };
        row = match turn.write(row, &change).await? {
            Wrote::New(row) => return finish(turn, &command, row).await,
            Wrote::Old(row) => row,
            Wrote::Gone => return Err(Problem::not_found(format!("command {id} is gone"))),
        };
    }
    Err(Problem::from(aws::Error::busy("canceling an execution", &row.key)))
}

async fn finish(turn: &Turn<'_>, command: &domain::Command, row: Execution) -> Result<Response, Problem> {
    let told = match CancelNotice::of(&row) {
        Some(notice) => turn.cloud.messages.publish(&notice.topic, notice.body).await,
        None => Ok(()),
    };
    // What is not done now is done when it is due.
    if let Err(error) = turn.drive(row.clone()).await {
        tracing::warn!(error = chain(&error), execution = %row.key, "what is left to do has to wait");
    }
    match told {
        // It is called off, and the same request tells its device again.
        Err(error) if error.is_retryable() => return Err(Problem::from(error)),
        // The device's answer will be late then.
        Err(error) => tracing::error!(error = chain(&error), execution = %row.key, "its device could not be told"),
        Ok(()) => {}
    }
    Ok(Response::json(200, &CommandView::of_one(command, &row)))
}
