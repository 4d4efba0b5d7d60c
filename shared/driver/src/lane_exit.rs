//! Leaves the lane of an execution and sends the next one; and tries to send one that waits in its lane.

use calls::{Calls, Error};
use domain::{Execution, HeadAction, Key};

use crate::driver::Driver;
use crate::lane_entry::{LanePosition, key_beside};
use crate::send::SentExecution;

impl<C: Calls> Driver<'_, C> {
    /// Enters the lane, in case the function that created the row crashed before it did. At the head the request is
    /// sent; otherwise the row waits. Returns none if nothing was sent.
    ///
    /// # Errors
    /// A failed read or write.
    pub async fn try_lane(&self, row: Execution) -> Result<Option<SentExecution>, Error> {
        let Some(command) = self.calls.read_command(&row.command).await? else { return Ok(None) };
        let mut position = self.enter_lane(&row, &command).await?;
        if position == LanePosition::Waiting && self.remove_stale_head(&row).await? {
            position = self.enter_lane(&row, &command).await?;
        }
        let change = match position {
            // Boxed, since a sending may enter a lane, and entering a lane leads to a sending.
            LanePosition::Head => return Box::pin(self.claim_and_send(row)).await,
            LanePosition::Waiting => row.wait_in_lane(),
            // It is not in the queue, so no execution that leaves the lane sends it.
            LanePosition::Full => row.send_failed(self.now(), self.actor.clone(), true),
        };
        self.write(row, &change).await?;
        Ok(None)
    }

    /// Removes the head from the queue if its row does not exist, or has left the lane. A function that crashed can
    /// leave such a head. Returns whether it was removed.
    async fn remove_stale_head(&self, row: &Execution) -> Result<bool, Error> {
        let Some(lane) = &row.lane else { return Ok(false) };
        let queue = self.calls.read_lane(&row.key.thing, &lane.name).await?;
        let Some(head) = queue.head() else { return Ok(false) };
        let head_row = self.read(&key_beside(row, head)).await?;
        if HeadAction::of(head_row.as_ref(), self.now()) != HeadAction::Remove {
            return Ok(false);
        }
        self.leave_queue(&row.key.thing, &lane.name, head).await?;
        Ok(true)
    }

    /// Leaves the lane, and sends its next execution. If this execution stops the lane, those behind it are canceled
    /// first.
    ///
    /// Returns the executions that have ended and have yet to leave the lane: the caller cleans up after them.
    ///
    /// # Errors
    /// A failed read or write.
    pub async fn leave_lane(&self, row: &Execution) -> Result<Vec<Execution>, Error> {
        let Some(lane) = &row.lane else { return Ok(Vec::new()) };
        let Key { thing, id } = &row.key;
        let mut ended = if row.stops_lane() { self.cancel_behind(row).await? } else { Vec::new() };
        let mut queue = self.leave_queue(thing, &lane.name, id).await?;
        // Desired states do not wait for each other.
        if lane.name.is_desired_state() {
            return Ok(ended);
        }
        while let Some(head) = queue.head().cloned() {
            let next = self.read(&key_beside(row, &head)).await?;
            match (HeadAction::of(next.as_ref(), self.now()), next) {
                (HeadAction::Remove, _) => queue = self.leave_queue(thing, &lane.name, &head).await?,
                (HeadAction::CleanUp, Some(next)) => {
                    ended.push(next);
                    break;
                }
                (HeadAction::Send, Some(next)) => {
                    // Boxed, since a sending may leave a lane.
                    Box::pin(self.claim_and_send(next)).await?;
                    break;
                }
                _ => break,
            }
        }
        Ok(ended)
    }

    /// Cancels the executions behind one that stops its lane. Returns those that have ended.
    async fn cancel_behind(&self, row: &Execution) -> Result<Vec<Execution>, Error> {
        let Some(lane) = &row.lane else { return Ok(Vec::new()) };
        let queue = self.calls.read_lane(&row.key.thing, &lane.name).await?;
        let mut ended = Vec::new();
        for behind in queue.behind(&row.key.id) {
            if let Some(waiting) = self.read(&key_beside(row, behind)).await? {
                let decide = |row: &Execution| row.cancel_stopped(self.event_time(), self.actor.clone());
                ended.extend(self.cancel_in_lane(waiting, decide).await?);
            }
        }
        Ok(ended)
    }
}
