//! What a function needs to work on executions, and how it reads and writes their rows.

use std::fmt::Display;

use calls::{Calls, Error, WriteOutcome};
use domain::{Actor, Change, DueEntry, Execution, Key, Timestamp, Wake};

use crate::conflict::ConflictRetries;

/// The work of one function on executions, for one event.
#[derive(Clone, Debug)]
pub struct Driver<'a, C> {
    /// What the driver does outside of itself.
    pub calls: C,
    /// The time of the event. Decisions about deadlines use it, so that a retry of the event decides the same.
    pub event_time: Timestamp,
    /// The actor that the history names for the changes of this function.
    pub actor: Actor,
    /// The id of the event; the same when Lambda retries it. Claims contain it.
    pub token: &'a str,
}

/// The outcome of a write that is decided on the newest row.
#[derive(Debug)]
pub enum DecidedWrite<R> {
    /// The change is written: this is the row after it.
    Applied(Execution),
    /// No change was decided on this row, for this reason.
    Refused(Execution, R),
    /// The row does not exist.
    NotFound,
}

impl<C: Calls> Driver<'_, C> {
    /// The time of the event. Decisions about deadlines use it, so that a retry of the event decides the same.
    pub fn event_time(&self) -> Timestamp {
        self.event_time
    }

    /// The time of the event plus the time that has passed since, to the millisecond: each step of the history has its
    /// own. Sendings use it too: those before them may have taken seconds, and an event that Lambda retries is minutes
    /// old. A claim that began in the past would end while the request is being sent.
    pub fn now(&self) -> Timestamp {
        self.event_time.plus(self.calls.since_event())
    }

    /// The retries of a conditional write of an item, such as "claiming an execution" of the execution's key. Both are
    /// shown in the error.
    pub fn retries<K: Display>(&self, operation: &'static str, key: K) -> ConflictRetries<'_, C, K> {
        ConflictRetries::new(&self.calls, operation, key)
    }

    /// Reads a row, with every write that was answered before.
    ///
    /// # Errors
    /// A failed read.
    pub async fn read(&self, key: &Key) -> Result<Option<Execution>, Error> {
        self.calls.read_execution(key).await
    }

    /// Writes a change that was decided on `row`, and sends the wake of a due entry that it sets.
    ///
    /// # Errors
    /// A failed write.
    pub async fn write(&self, row: Execution, change: &Change) -> Result<WriteOutcome<Execution>, Error> {
        Ok(match self.calls.write_execution(change).await? {
            WriteOutcome::Applied(written) => {
                if let DueEntry::At(due) = change.due {
                    self.wake_at(&change.key, due).await;
                }
                // Another writer may have changed the row since it was read, and the condition held all the same.
                match written.or_else(|| row.apply(change)) {
                    Some(next) => WriteOutcome::Applied(next),
                    // The condition held in the table, but not on `row`.
                    None => self.read(&change.key).await?.map_or(WriteOutcome::NotFound, WriteOutcome::Applied),
                }
            }
            WriteOutcome::Conflict(row) => WriteOutcome::Conflict(row),
            WriteOutcome::NotFound => WriteOutcome::NotFound,
        })
    }

    /// Sends the wake of a due entry that this function has written. It goes on with what was due at the time of its
    /// event; what has come due since then is left to the wake.
    pub(crate) async fn wake_at(&self, key: &Key, due: i64) {
        if due > self.event_time.as_seconds() {
            self.look_again(key, due, due).await;
        }
    }

    /// Sends a wake for the entry `due`, which arrives at `at`, in seconds since 1970, or at once where that has passed.
    pub(crate) async fn look_again(&self, key: &Key, due: i64, at: i64) {
        self.calls.send_wake(Wake::Execution { key: key.clone(), due, at }).await;
    }

    /// Decides a change of `row` and writes it. If the write is lost, it is decided again on the row that the other
    /// writer has left.
    ///
    /// # Errors
    /// A failed write, or one that was lost as often as the retry policy allows. `operation` names it in the error.
    pub async fn decide_and_write<R>(
        &self,
        operation: &'static str,
        mut row: Execution,
        decide: impl Fn(&Execution) -> Result<Box<Change>, R>,
    ) -> Result<DecidedWrite<R>, Error> {
        let mut retries = self.retries(operation, row.key.clone());
        loop {
            let change = match decide(&row) {
                Ok(change) => change,
                Err(reason) => return Ok(DecidedWrite::Refused(row, reason)),
            };
            row = match self.write(row, &change).await? {
                WriteOutcome::Applied(row) => return Ok(DecidedWrite::Applied(row)),
                WriteOutcome::Conflict(row) => row,
                WriteOutcome::NotFound => return Ok(DecidedWrite::NotFound),
            };
            retries.wait().await?;
        }
    }
}
