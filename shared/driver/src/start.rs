//! Starts an execution: its row is stored first, and then its request is sent. A function that finds the row stored
//! already resumes the start where an earlier run stopped.

use calls::{Calls, Error, PutOutcome};
use domain::{Channel, Command, CreatorToken, Execution};

use crate::drive_stats::DriveStats;
use crate::driver::{DecidedWrite, Driver};
use crate::lane_entry::LanePosition;
use crate::send::SentExecution;

/// The result of storing a new row.
#[derive(Debug)]
pub enum StoreOutcome {
    /// It is stored, and this function is its creator: only it may send the request without a claim.
    Stored(Execution),
    /// Another function has stored it before, or an earlier run of this one: this is the row as it is now.
    Exists(Execution),
}

/// The result of a start.
#[derive(Debug)]
pub enum StartOutcome {
    /// The request was sent, or its sending failed and is recorded.
    Sent(SentExecution),
    /// Nothing is to be sent now: the execution waits in its lane or for its broadcast, has ended, or another function
    /// sends it.
    NotSent(Execution),
    /// The lane has no room for the execution, which is not in its queue.
    LaneFull(Execution),
}

impl<C: Calls> Driver<'_, C> {
    /// Stores a new row, unless one with its key exists, and sends the wake of its due entry. Of two functions that
    /// store the same row at the same time, exactly one is its creator, also where the answer of its write is lost.
    ///
    /// # Errors
    /// A failed write, or an existing row that can't be read.
    pub async fn store(&self, row: Execution) -> Result<StoreOutcome, Error> {
        let creator = CreatorToken::new(self.token, self.calls.nonce());
        let row = row.stored_by(creator.clone(), self.now());
        let stored = match self.calls.put_execution(&row).await? {
            PutOutcome::Stored => row,
            // The row was written, and only the answer was lost.
            PutOutcome::Exists(row) if row.is_created_by(&creator) => *row,
            PutOutcome::Exists(row) => return Ok(StoreOutcome::Exists(*row)),
        };
        if let Some(due) = stored.due_at {
            self.wake_at(&stored.key, due).await;
        }
        Ok(StoreOutcome::Stored(stored))
    }

    /// Sends the request of a row that this function has just stored ([`StoreOutcome::Stored`]).
    ///
    /// # Errors
    /// A failed read or write. A failed sending is no error: it is recorded in the row.
    pub async fn start_created(&self, row: Execution, command: &Command) -> Result<StartOutcome, Error> {
        if row.channel == Channel::Broadcast {
            return Ok(StartOutcome::NotSent(row));
        }
        if !row.in_lane {
            return self.send_created(row, command).await.map(StartOutcome::Sent);
        }
        match self.enter_lane(&row, command).await? {
            LanePosition::Full => Ok(StartOutcome::LaneFull(row)),
            LanePosition::Waiting => Ok(StartOutcome::NotSent(row)),
            LanePosition::Head => match self.claim(row.clone()).await? {
                Some(row) => self.send(row, command).await.map(StartOutcome::Sent),
                None => self.leave_lane_if_ended(row).await.map(StartOutcome::NotSent),
            },
        }
    }

    /// Resumes the start of a row that another function has stored: the request is sent, unless the device has it, or
    /// the creator may still be sending it.
    ///
    /// # Errors
    /// A failed read or write. A failed sending is no error: it is recorded in the row.
    pub async fn resume_start(&self, row: Execution, command: &Command) -> Result<StartOutcome, Error> {
        if row.channel == Channel::Broadcast || row.observe(self.now()).is_terminal() {
            return Ok(StartOutcome::NotSent(row));
        }
        if row.waits_in_lane() && row.should_send(self.event_time()) {
            match self.enter_lane(&row, command).await? {
                LanePosition::Head => {}
                LanePosition::Waiting => return Ok(StartOutcome::NotSent(row)),
                LanePosition::Full => return Ok(StartOutcome::LaneFull(row)),
            }
        }
        match self.claim(row.clone()).await? {
            Some(row) => self.send(row, command).await.map(StartOutcome::Sent),
            None => self.doubt_creator(row).await.map(StartOutcome::NotSent),
        }
    }

    /// The creator may be sending the request, or have crashed: in that case the request goes out again.
    async fn doubt_creator(&self, row: Execution) -> Result<Execution, Error> {
        let decide = |row: &Execution| row.doubt_creator(self.token, self.now()).map(Box::new).ok_or(());
        let as_read = row.clone();
        Ok(match self.decide_and_write("doubting the creator of an execution", row, decide).await? {
            DecidedWrite::Applied(row) | DecidedWrite::Refused(row, ()) => row,
            DecidedWrite::NotFound => as_read,
        })
    }

    /// Deletes an execution that was not sent, and its command. The row goes first, so that no request can be sent
    /// without its command.
    ///
    /// # Errors
    /// A failed read or write.
    pub async fn undo_start(&self, row: &Execution, command: &Command) -> Result<(), Error> {
        self.calls.delete_unsent_execution(row).await?;
        // Other executions may have entered the lane behind it.
        self.leave_lane(row, None, &mut DriveStats::default()).await?;
        self.calls.delete_unsent_command(command).await
    }
}
