//! Reads the row of a command, and answers the request where it is not what the request asks for.

use domain::{Command, CommandId};
use runtime::clients::Clients;

use super::problem::Problem;

/// Reads a command, or answers 404.
pub async fn read(clients: &Clients, id: &CommandId) -> Result<Command, Problem> {
    clients.commands.get(id).await?.ok_or_else(|| Problem::not_found(format!("there is no command {id}")))
}

/// The `Idempotency-Key` of a request belongs to a different command: 409.
pub fn id_taken() -> Problem {
    Problem::conflict("Idempotency-Key", "this Idempotency-Key belongs to a command that was created with another body")
}
