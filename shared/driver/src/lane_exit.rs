//! Leaves the lane of an execution and sends the next one; and tries to send one that waits in its lane.

use calls::{Calls, Error};
use domain::{Execution, HeadAction, Key, LaneClaim};

use crate::drive_stats::DriveStats;
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
        let mut position = self.enter_lane_again(&row, &command).await?;
        if position == LanePosition::Waiting && self.remove_stale_head(&row).await? {
            position = self.enter_lane_again(&row, &command).await?;
        }
        let change = match position {
            // Boxed, since a sending may enter a lane, and entering a lane leads to a sending.
            LanePosition::Head => {
                let sent = Box::pin(self.claim_and_send(row.clone())).await?;
                if sent.is_none() {
                    self.leave_lane_if_ended(row).await?;
                }
                return Ok(sent);
            }
            LanePosition::Waiting => row.wait_in_lane(),
            // It is not in the queue, so no execution that leaves the lane sends it.
            LanePosition::Full => row.send_failed(self.now(), self.actor.clone(), true),
        };
        self.write(row, &change).await?;
        Ok(None)
    }

    /// The row could not be claimed at the head of its lane: the execution that left the lane last has sent it, or it
    /// has ended. One that ended before it entered the lane has to leave the queue: the function that ended it has not
    /// found it there, also where that function has yet to record that the lane is left. Returns the row as it is now.
    pub(crate) async fn leave_lane_if_ended(&self, row: Execution) -> Result<Execution, Error> {
        let row = self.read(&row.key).await?.unwrap_or(row);
        if row.is_terminal() && !row.shadow_cleanup_pending {
            self.leave_lane(&row, None, &mut DriveStats::default()).await?;
        }
        Ok(row)
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

    /// Leaves the lane, and sends its next execution. If this execution stops the lane, or others in it have ended too,
    /// the lane is settled for all of them. `claim`: the claim of the lane, if this function has it.
    ///
    /// Returns false if another function settles the lane: then the execution stays due.
    ///
    /// # Errors
    /// A failed read or write.
    pub(crate) async fn leave_lane(
        &self,
        row: &Execution,
        claim: Option<LaneClaim>,
        stats: &mut DriveStats,
    ) -> Result<bool, Error> {
        let Some(lane) = &row.lane else { return Ok(true) };
        if row.stops_lane() || claim.is_some() {
            return self.settle_lane(row, &lane.name, claim, stats).await;
        }
        let Key { thing, id } = &row.key;
        let queue = self.leave_queue(thing, &lane.name, id).await?;
        let Some(head) = queue.head().filter(|_| !lane.name.holds_only_desired_states()) else { return Ok(true) };
        let next = self.read(&key_beside(row, head)).await?;
        // Desired states do not wait for each other: each of those at the head may be sent.
        let several = queue.ids.len() > 1 && next.as_ref().is_some_and(Execution::sets_desired_state);
        if several && !row.sets_desired_state() {
            return self.settle_lane(row, &lane.name, None, stats).await;
        }
        match (HeadAction::of(next.as_ref(), self.now()), next) {
            (HeadAction::Send, Some(next)) if !next.observe(self.event_time()).is_terminal() => {
                // Boxed, since a sending may leave a lane.
                Box::pin(self.claim_and_send(next)).await?;
                Ok(true)
            }
            (HeadAction::Wait, Some(next)) if !next.observe(self.event_time()).is_terminal() => Ok(true),
            _ => self.settle_lane(row, &lane.name, None, stats).await,
        }
    }
}
