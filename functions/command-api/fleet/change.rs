//! `POST /commands/{id}/pause`, `/resume`, and `/cancel` of a fleet command: what is written here is done batch by batch.

use domain::{By, Command, CommandId, ControlState};

use super::show;
use crate::{
    command_api::{
        http::{Request, Response},
        problem::Problem,
        read,
    },
    turn::Turn,
};

/// What is to become of a fleet command.
#[derive(Debug)]
pub struct Change {
    id: CommandId,
    state: ControlState,
    by: By,
}

/// Others may be faster, a few times.
const TRIES: usize = 4;

impl Change {
    /// Nothing more goes out.
    pub fn pause(id: CommandId, request: &Request) -> Result<Self, Problem> {
        Self::to(ControlState::Paused, id, request)
    }

    /// It goes on.
    pub fn resume(id: CommandId, request: &Request) -> Result<Self, Problem> {
        Self::to(ControlState::Running, id, request)
    }

    fn to(state: ControlState, id: CommandId, request: &Request) -> Result<Self, Problem> {
        let [] = request.query([])?;
        if !request.body()?.trim_ascii().is_empty() {
            return Err(Problem::bad_request("body", "nothing is asked for besides: leave the body out"));
        }
        Ok(Self { id, state, by: request.by() })
    }
}

/// Writes it, and answers how it stands then.
pub async fn change(turn: &Turn<'_>, change: Change) -> Result<Response, Problem> {
    let command = read::get(turn.cloud, &change.id).await?;
    if command.definition.target.fleet().is_none() {
        let why = "a command for one thing goes out at once: it can only be canceled";
        return Err(Problem::conflict("commandId", why));
    }
    control(turn, command, change.state, change.by).await
}

/// The same of a command that is in hand.
pub async fn control(turn: &Turn<'_>, mut command: Command, state: ControlState, by: By) -> Result<Response, Problem> {
    for _ in 0..TRIES {
        let next = match command.control.to(state, turn.now, by.clone(), None) {
            Ok(next) => next,
            // The same was asked for before, and its answer was lost.
            Err(domain::NotControlled::Already) => return show::shown(turn.cloud, &command, turn.now).await,
            Err(error) => return Err(error.into()),
        };
        let counts = show::state(turn.cloud, &command, turn.now).await?;
        if counts == domain::FleetState::Completed {
            return Err(Problem::conflict("state", "it is completed: nothing is left to change"));
        }
        if turn.cloud.commands.write_control(&command.id, &next).await? {
            command.control = next;
            return show::shown(turn.cloud, &command, turn.now).await;
        }
        command = read::get(turn.cloud, &command.id).await?;
    }
    Err(Problem::from(aws::Error::busy("changing a command", &command.id)))
}
