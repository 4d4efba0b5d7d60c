//! Enters the lane of an execution, and cancels the older executions that it supersedes.

use calls::{Calls, Error, LaneEntry, WriteOutcome};
use domain::{
    Command, Execution, ExecutionId, HeadAction, Key, LaneCancel, LaneName, LaneQueue, NextAction, Reason, ThingName,
    desired_states_overlap,
};

use crate::driver::{DecidedWrite, Driver};

/// The position of an execution in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LanePosition {
    /// It may be sent now.
    Head,
    /// It waits for the executions before it.
    Waiting,
    /// It is not in the queue, which has no room for it.
    Full,
}

impl LanePosition {
    const fn of_head(is_head: bool) -> Self {
        if is_head { Self::Head } else { Self::Waiting }
    }
}

impl<C: Calls> Driver<'_, C> {
    /// Enters the lane, and cancels the executions that this one supersedes. An execution without a lane is always at
    /// the head.
    ///
    /// # Errors
    /// A failed read or write.
    pub async fn enter_lane(&self, row: &Execution, command: &Command) -> Result<LanePosition, Error> {
        let Some(lane) = &row.lane else { return Ok(LanePosition::Head) };
        let Key { thing, id } = &row.key;
        match self.calls.enter_lane(thing, &lane.name, id, row.purge_at).await? {
            LaneEntry::Joined(queue) => self.take_position(row, command, &lane.name, queue).await,
            LaneEntry::Full => Ok(LanePosition::Full),
        }
    }

    /// As [`Self::enter_lane`], for an execution that probably is in the queue already: a read finds that, and costs
    /// less than a refused write.
    ///
    /// # Errors
    /// A failed read or write.
    pub(crate) async fn enter_lane_again(&self, row: &Execution, command: &Command) -> Result<LanePosition, Error> {
        let Some(lane) = &row.lane else { return Ok(LanePosition::Head) };
        let queue = self.calls.read_lane(&row.key.thing, &lane.name).await?;
        match queue.ids.contains(&row.key.id) {
            true => self.take_position(row, command, &lane.name, queue).await,
            false => self.enter_lane(row, command).await,
        }
    }

    /// Cancels the executions that this one supersedes, which is in the queue.
    async fn take_position(
        &self,
        row: &Execution,
        command: &Command,
        lane: &LaneName,
        mut queue: LaneQueue,
    ) -> Result<LanePosition, Error> {
        let Key { thing, id } = &row.key;
        let supersede = command.definition.supersede;
        if !supersede && !row.sets_desired_state() {
            return Ok(LanePosition::of_head(queue.head() == Some(id)));
        }
        let mut waits = false;
        for older in queue.before(id) {
            // Boxed: few executions supersede others, and the future of the rest stays small.
            let older = Box::pin(self.supersede(&key_beside(row, older), row, command)).await?;
            waits |= older.is_some_and(|older| row.waits_for(&older));
        }
        if supersede {
            // The superseded executions have left.
            queue = self.calls.read_lane(thing, lane).await?;
            waits = queue.head() != Some(id);
        }
        Ok(LanePosition::of_head(!waits))
    }

    /// Cancels an older execution that a newer one supersedes, and cleans up after it before the newer one is sent. A
    /// desired state supersedes only those that set the same attribute. Returns the older one if it stays.
    async fn supersede(&self, older: &Key, newer: &Execution, command: &Command) -> Result<Option<Execution>, Error> {
        let Some(row) = self.read(older).await? else { return Ok(None) };
        let only_overlapping = newer.sets_desired_state();
        if only_overlapping && !(row.sets_desired_state() && self.overlaps(&row, command).await?) {
            return Ok(Some(row));
        }
        // The record says whose command took the place of this one.
        let why = format!("command {} of {}", command.id, command.created_by);
        let decide = |row: &Execution| {
            row.cancel_superseded(self.event_time(), self.actor.clone()).with_why(Reason::Superseded, &why)
        };
        // If it stops the lane, the function that removes it from the lane cancels those behind it, the newer one among
        // them.
        if let Some(ended) = self.cancel_in_lane(row, decide).await?
            && !ended.stops_lane()
        {
            self.clean_up_superseded(ended, newer).await?;
        }
        Ok(None)
    }

    async fn overlaps(&self, older: &Execution, newer: &Command) -> Result<bool, Error> {
        let Some(older) = self.calls.read_command(&older.command).await? else { return Ok(false) };
        Ok(match (&older.definition.payload, &newer.definition.payload) {
            (Some(older), Some(newer)) => desired_states_overlap(older, newer),
            _ => false,
        })
    }

    /// Ends an execution on behalf of another one of its lane. Returns the ended row; none if it stays.
    pub(crate) async fn cancel_in_lane(
        &self,
        row: Execution,
        decide: impl Fn(&Execution) -> LaneCancel,
    ) -> Result<Option<Execution>, Error> {
        let decide = |row: &Execution| match decide(row) {
            LaneCancel::Write(change) => Ok(change),
            other => Err(other),
        };
        Ok(match self.decide_and_write("canceling an execution of a lane", row, decide).await? {
            DecidedWrite::Applied(row) | DecidedWrite::Refused(row, LaneCancel::Ended) => Some(row),
            DecidedWrite::Refused(..) | DecidedWrite::NotFound => None,
        })
    }

    /// Cleans up after a superseded execution, and sends the next one of its lane, unless that is the newer one.
    async fn clean_up_superseded(&self, row: Execution, newer: &Execution) -> Result<(), Error> {
        if row.shadow_cleanup_pending {
            self.clean_shadow(&row).await?;
        }
        if let Some(lane) = row.lane.as_ref().filter(|_| row.in_lane) {
            let rest = self.leave_queue(&row.key.thing, &lane.name, &row.key.id).await?;
            self.send_between(&rest, &row, newer).await?;
        }
        if let NextAction::CleanUp { then, .. } = row.next_action(self.event_time(), &self.actor) {
            self.write(row, &then).await?;
        }
        Ok(())
    }

    /// Sends the head of a lane that waits between a desired state and a newer one: a command in the dialect `atlas`.
    async fn send_between(&self, rest: &LaneQueue, older: &Execution, newer: &Execution) -> Result<(), Error> {
        let Some(head) = rest.head().filter(|head| newer.sets_desired_state() && **head != newer.key.id) else {
            return Ok(());
        };
        if let Some(head) = self.read(&key_beside(older, head)).await?
            && !head.sets_desired_state()
            && HeadAction::of(Some(&head), self.now()) == HeadAction::Send
        {
            // Boxed, since a sending may enter a lane.
            Box::pin(self.claim_and_send(head)).await?;
        }
        Ok(())
    }

    /// Removes an execution from the queue of a lane. Returns the rest of the queue.
    pub(crate) async fn leave_queue(
        &self,
        thing: &ThingName,
        lane: &LaneName,
        id: &ExecutionId,
    ) -> Result<LaneQueue, Error> {
        let mut queue = self.calls.read_lane(thing, lane).await?;
        let mut retries = self.retries("leaving a lane", format!("{thing}/{}", lane.as_str()));
        loop {
            let Some(position) = queue.ids.iter().position(|other| other == id) else { return Ok(queue) };
            queue = match self.calls.leave_lane(thing, lane, &[(position, id.clone())], None).await? {
                WriteOutcome::Applied(queue) => return Ok(queue),
                // Executions before it have left since the queue was read.
                WriteOutcome::Conflict(queue) => queue,
                WriteOutcome::NotFound => return Ok(LaneQueue::default()),
            };
            retries.wait().await?;
        }
    }
}

/// The key of another execution of the same thing.
pub(crate) fn key_beside(row: &Execution, id: &ExecutionId) -> Key {
    Key { thing: row.key.thing.clone(), id: id.clone() }
}
