//! `POST /commands/{commandId}/pause` and `/resume`, and `/cancel` of a fleet command. Only the control state is
//! written here; fan-out-command and dispatch-commands propagate it to the batches.

use domain::{Actor, Command, CommandId, ControlError, ControlState};
use runtime::conflict::ConflictRetries;
use runtime::event_calls::Driver;

use super::show::FleetSnapshot;
use crate::command_api::{
    change_body::ChangeBody, problem::Problem, request::Request, response::Response, stored_command,
};

/// A pause or a resume.
#[derive(Debug)]
pub struct ChangeControl {
    command: CommandId,
    state: ControlState,
    actor: Actor,
    why: Option<String>,
}

impl ChangeControl {
    /// Decodes a request that changes the control state to `state`. It may have no body.
    pub fn decode(command: CommandId, state: ControlState, request: &Request) -> Result<Self, Problem> {
        let [] = request.query([])?;
        Ok(Self { command, state, actor: request.actor(), why: ChangeBody::of_pause(request)?.why })
    }
}

/// Pauses or resumes a fleet command, and answers with its state.
pub async fn change_control(driver: &Driver<'_>, change: ChangeControl) -> Result<Response, Problem> {
    let command = stored_command::read(driver.calls.clients, &change.command).await?;
    if command.definition.target.fleet().is_none() {
        let detail = "a command for one thing is sent at once: it can only be canceled";
        return Err(Problem::conflict("commandId", detail));
    }
    change_control_of(driver, command, change.state, change.actor, change.why).await
}

/// Changes the control state of a fleet command, and answers with the state of the command.
pub async fn change_control_of(
    driver: &Driver<'_>,
    mut command: Command,
    state: ControlState,
    actor: Actor,
    why: Option<String>,
) -> Result<Response, Problem> {
    let (clients, now) = (driver.calls.clients, driver.event_time());
    let mut retries = ConflictRetries::new("changing the control of a command", command.id.clone());
    loop {
        let snapshot = FleetSnapshot::read(clients, &command).await?;
        let current = snapshot.state(&command, now)?;
        let next = match command.control.change_by_operator(state, current, now, actor.clone(), why.clone()) {
            Ok(next) => next,
            // An earlier request has made the same change, and its answer was lost.
            Err(ControlError::Already) => return snapshot.show(&command, now),
            Err(error) => return Err(error.into()),
        };
        if clients.commands.write_control(&command.id, &next).await? {
            command.audit.extend(next.audit_entry());
            command.control = next;
            let snapshot = FleetSnapshot::read(clients, &command).await?;
            snapshot.publish(clients, &command, now).await?;
            return snapshot.show(&command, now);
        }
        retries.wait().await?;
        command = stored_command::read(clients, &command.id).await?;
    }
}
