//! `POST /commands/{commandId}/cancel`: cancels the execution of a command for one thing, or a whole fleet command. A
//! device that may have the request gets a notice. If it executes the command all the same, its report replaces
//! CANCELED.

use domain::{Actor, Command, CommandId, ControlState, Execution, Reason, Target};
use driver::cancel::{CancelFollowUp, CancelOutcome};
use runtime::event_calls::Driver;
use runtime::handler_error::chain;

use super::{
    change_body::ChangeBody, fleet, problem::Problem, request::Request, response::Response, stored_command,
    view::CommandView,
};

/// A decoded request.
#[derive(Debug)]
pub struct CancelCommand {
    command: CommandId,
    body: ChangeBody,
    actor: Actor,
}

/// Decodes a request. It may have no body.
pub fn decode(command: CommandId, request: &Request) -> Result<CancelCommand, Problem> {
    let [] = request.query([])?;
    Ok(CancelCommand { command, body: ChangeBody::of_cancel(request)?, actor: request.actor() })
}

/// Cancels a command, and answers with its state.
pub async fn cancel(driver: &Driver<'_>, cancel: CancelCommand) -> Result<Response, Problem> {
    let CancelCommand { command: id, body: ChangeBody { force, why }, actor } = cancel;
    let command = stored_command::read(driver.calls.clients, &id).await?;
    let thing = match &command.definition.target {
        Target::Thing(thing) => thing,
        Target::Fleet(_) => {
            let state = ControlState::Canceled { force, reason: Reason::CanceledByOperator };
            return fleet::change_control_of(driver, command, state, actor, why).await;
        }
    };
    match driver.cancel_by_operator(&command.key_at(thing), force, &actor, why.as_deref()).await? {
        CancelOutcome::Canceled(row, follow_up) => answer(&command, &row, follow_up),
        CancelOutcome::Refused(error) => Err(error.into()),
        CancelOutcome::NotCreated => {
            Err(Problem::conflict("commandId", "the command is still being created: send the request again"))
        }
        CancelOutcome::Deleted => Err(Problem::not_found(format!("the execution of command {id} has been deleted"))),
    }
}

fn answer(command: &Command, row: &Execution, follow_up: CancelFollowUp) -> Result<Response, Problem> {
    // Work that fails here stays in the due index, and the reconciler does it.
    if let Err(error) = follow_up.clean_up {
        tracing::warn!(error = chain(&error), execution = %row.key, "the clean-up after a cancel failed");
    }
    match follow_up.notice {
        // It is canceled, and a repeated request publishes the notice again.
        Err(error) if error.is_retryable() => return Err(Problem::from(error)),
        // The device may execute the command: its report is late then.
        Err(error) => {
            tracing::error!(error = chain(&error), execution = %row.key, "publishing a cancel notice failed");
        }
        Ok(()) => {}
    }
    Ok(Response::json(200, &CommandView::of_one_thing(command, row)))
}
