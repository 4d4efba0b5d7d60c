//! Starts an execution: its row is stored first, and then its request is sent. A function that finds the row stored
//! already resumes the start where an earlier run stopped.

use aws::Error;
use domain::{Channel, Command, Execution};

use crate::driver::Driver;
use crate::lane_entry::LanePosition;
use crate::send::SentExecution;

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

impl Driver<'_> {
    /// Sends the request of a row that this function has just stored.
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

    /// The row could not be claimed at the head of its lane: the execution that left the lane last has sent it, or it
    /// has ended since it was stored. One that ended before it entered the lane has to leave the queue.
    async fn leave_lane_if_ended(&self, row: Execution) -> Result<Execution, Error> {
        let row = self.read(&row.key).await?.unwrap_or(row);
        if row.has_left_lane() {
            self.leave_lane(&row).await?;
        }
        Ok(row)
    }

    /// Resumes the start of a row that an earlier run has stored: the request is sent, unless the device has it, or the
    /// earlier run may still be sending it.
    ///
    /// `is_creator`: the earlier run was this event too, and only the answer of its write was lost. It needs no claim.
    ///
    /// # Errors
    /// A failed read or write. A failed sending is no error: it is recorded in the row.
    pub async fn resume_start(
        &self,
        row: Execution,
        command: &Command,
        is_creator: bool,
    ) -> Result<StartOutcome, Error> {
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
        let needs_no_claim = is_creator && row.is_as_created() && row.sent_at.is_some();
        let claimed = if needs_no_claim { Some(row.clone()) } else { self.claim(row.clone()).await? };
        match claimed {
            Some(row) => self.send(row, command).await.map(StartOutcome::Sent),
            None => Ok(StartOutcome::NotSent(row)),
        }
    }

    /// Deletes an execution that was not sent, and its command. The row goes first, so that no request can be sent
    /// without its command.
    ///
    /// # Errors
    /// A failed read or write.
    pub async fn undo_start(&self, row: &Execution, command: &Command) -> Result<(), Error> {
        self.clients.executions.delete_unsent(row).await?;
        // Other executions may have entered the lane behind it.
        for ended in self.leave_lane(row).await? {
            self.run_until_idle(ended).await?;
        }
        self.clients.commands.delete_unsent(command).await
    }
}
