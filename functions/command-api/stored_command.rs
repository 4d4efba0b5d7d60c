//! Reads and stores the row of a command, and answers the request where that fails.

use aws::PutOutcome;
use domain::{Command, CommandId};
use runtime::clients::Clients;

use super::problem::Problem;

/// Reads a command, or answers 404.
pub async fn read(clients: &Clients, id: &CommandId) -> Result<Command, Problem> {
    clients.commands.get(id).await?.ok_or_else(|| Problem::not_found(format!("there is no command {id}")))
}

/// Stores a new command. If an earlier request with the same `Idempotency-Key` has stored it, returns the stored one; a
/// key of a different command is answered with 409.
pub async fn store(clients: &Clients, command: Command) -> Result<Command, Problem> {
    match clients.commands.put_new(&command).await? {
        PutOutcome::Stored => Ok(command),
        PutOutcome::Exists(stored) if stored.fingerprint == command.fingerprint => Ok(*stored),
        PutOutcome::Exists(_) => Err(Problem::conflict(
            "Idempotency-Key",
            "this Idempotency-Key belongs to a command that was created with another body",
        )),
    }
}
