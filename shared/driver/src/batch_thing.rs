//! Starts the execution of one thing of a batch: stores it, then sends its request.

use calls::{Calls, Error};
use domain::{BatchNumber, Channel, Command, Execution, ThingName};

use crate::driver::Driver;
use crate::start::{StartOutcome, StoreOutcome};

/// A table that needs this long for a write, in seconds, is overloaded: usually it needs ten milliseconds.
const SLOW_SECONDS: u32 = 1;

/// What storing and sending an execution has shown of the load on AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Neither of the others.
    Normal,
    /// The table took long to store the execution: more at the same time may make it slower.
    Slow,
    /// Sending failed because of too many requests.
    Throttled,
}

/// The outcome for one thing of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThingOutcome {
    /// The thing has an execution of this batch. If its request could not be sent, the execution has a due entry of its
    /// own.
    Stored(Load),
    /// The thing has an execution of another batch.
    Duplicate,
}

impl<C: Calls> Driver<'_, C> {
    /// Stores the execution of a thing, and sends its request. An execution of this batch that is stored already was
    /// created by an invocation that crashed, or whose answer was lost.
    ///
    /// # Errors
    /// A failed read or write. A failed sending is no error: it is recorded in the row.
    pub async fn start_in_batch(
        &self,
        command: &Command,
        batch: BatchNumber,
        thing: &ThingName,
        channel: Channel,
    ) -> Result<ThingOutcome, Error> {
        let begin = self.now();
        let row = Execution::create_in_batch(command, thing, batch, begin, channel);
        self.note_raw_request(&row, command).await?;
        let stored = self.store(row).await?;
        let is_slow = self.now() >= begin.plus_seconds(SLOW_SECONDS);
        let outcome = match stored {
            StoreOutcome::Stored(row) => self.start_created(row, command).await?,
            StoreOutcome::Exists(row) if row.batch != Some(batch) => {
                self.calls.put_duplicate(&row, batch).await?;
                return Ok(ThingOutcome::Duplicate);
            }
            StoreOutcome::Exists(row) => self.resume_start(row, command).await?,
        };
        let row = match outcome {
            StartOutcome::Sent(sent) => sent.row,
            StartOutcome::NotSent(row) => row,
            // The execution is not in the queue of its lane, so it is not sent when another one leaves: it must be due
            // by itself.
            StartOutcome::LaneFull(row) => {
                let change = row.send_failed(self.now(), self.actor.clone(), true);
                self.write(row.clone(), &change).await?;
                row
            }
        };
        Ok(ThingOutcome::Stored(match row.is_send_postponed(self.now()) {
            true => Load::Throttled,
            false if is_slow => Load::Slow,
            false => Load::Normal,
        }))
    }
}
