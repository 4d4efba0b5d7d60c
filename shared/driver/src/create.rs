//! Creates a command for one thing: the command and its execution are stored first, then the request is sent. Where an
//! earlier run has stored them, it goes on where that run stopped.

use calls::{Calls, Error, PutOutcome};
use domain::{Channel, Command, Delivery, Execution, ThingName};

use crate::driver::Driver;
use crate::send::SentExecution;
use crate::start::{StartOutcome, StoreOutcome};
use crate::transmit::Unsendable;

/// The outcome of creating a command.
#[derive(Debug)]
pub enum CreateOutcome {
    /// It is stored: the command as it is stored, and how far its execution has come.
    Created(Box<Command>, Box<Execution>),
    /// Another command with this id is stored, with another definition.
    IdTaken,
    /// The lane has no room. If this run has stored the command, it is deleted again.
    LaneFull,
    /// The shadow can't carry the request. Nothing stays stored.
    Unsendable(Unsendable),
}

impl<C: Calls> Driver<'_, C> {
    /// Creates a command for this thing, whose first attempt is sent on `channel`.
    ///
    /// # Errors
    /// A failed read or write. A failed sending is no error: it is recorded in the row.
    pub async fn create(&self, command: Command, thing: &ThingName, channel: Channel) -> Result<CreateOutcome, Error> {
        let Some(command) = self.store_command(command).await? else { return Ok(CreateOutcome::IdTaken) };
        let row = Execution::create(&command, thing, channel);
        self.note_raw_request(&row, &command).await?;
        match self.store(row).await? {
            StoreOutcome::Stored(row) if row.observe(self.event_time()).is_terminal() => Ok(created(command, row)),
            StoreOutcome::Stored(row) => self.start_or_undo(row, command).await,
            StoreOutcome::Exists(row) => self.resume_stored(row, command).await,
        }
    }

    /// Stores a new command. Returns the stored one, which an earlier run may have stored; none if a command with
    /// another definition has this id.
    ///
    /// # Errors
    /// A failed write.
    pub async fn store_command(&self, command: Command) -> Result<Option<Command>, Error> {
        Ok(match self.calls.put_command(&command).await? {
            PutOutcome::Stored => Some(command),
            PutOutcome::Exists(stored) => (stored.fingerprint == command.fingerprint).then_some(*stored),
        })
    }

    /// Starts the execution of a command that was stored by this run. If its lane is full, or its shadow can't carry the
    /// request, nothing stays stored.
    async fn start_or_undo(&self, row: Execution, command: Command) -> Result<CreateOutcome, Error> {
        match self.start_created(row, &command).await? {
            StartOutcome::LaneFull(row) => {
                self.undo_start(&row, &command).await?;
                Ok(CreateOutcome::LaneFull)
            }
            StartOutcome::NotSent(row) => Ok(created(command, row)),
            StartOutcome::Sent(SentExecution { row, unsendable: Some(reason) })
                if is_refused_by_shadow(&row, &command) =>
            {
                self.undo_start(&row, &command).await?;
                Ok(CreateOutcome::Unsendable(reason))
            }
            StartOutcome::Sent(sent) => Ok(created(command, sent.row)),
        }
    }

    /// Resumes the start of an execution that another request with the same key has stored.
    async fn resume_stored(&self, row: Execution, command: Command) -> Result<CreateOutcome, Error> {
        Ok(match self.resume_start(row, &command).await? {
            StartOutcome::LaneFull(_) => CreateOutcome::LaneFull,
            StartOutcome::NotSent(row) => created(command, row),
            StartOutcome::Sent(sent) => created(command, sent.row),
        })
    }
}

fn created(command: Command, row: Execution) -> CreateOutcome {
    CreateOutcome::Created(Box::new(command), Box::new(row))
}

fn is_refused_by_shadow(row: &Execution, command: &Command) -> bool {
    row.channel.shadow().is_some() && command.definition.delivery == Delivery::Shadow
}
