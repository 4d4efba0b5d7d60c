//! Settles a lane in which several executions have ended: one function ends what has to end, cleans up, removes all
//! that has ended from the queue, and sends the next execution.
//!
//! The execution on whose behalf the lane is settled stays due until the end, so that the reconciler repeats what a
//! crashed function left undone. Of a long lane only the holder of its claim does anything, so that slowness makes no
//! more work; the others leave their executions as they are, which stay due.

use calls::{Calls, Error, WriteOutcome};
use domain::{Change, Execution, HeadAction, Key, LaneClaim, LaneName, LaneQueue, LaneSettlement, NextAction};

use crate::drive_stats::DriveStats;
use crate::driver::Driver;
use crate::lane_entry::key_beside;

/// Which function settles a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LaneSettler {
    /// This function, without a claim: the lane is short.
    Unclaimed,
    /// This function, which has claimed the lane.
    Claimed(LaneClaim),
    /// Another function, with this claim.
    Other(LaneClaim),
}

/// What one look at a lane led to.
enum Progress {
    /// The lane is settled: these executions may be sent.
    Settled(Vec<Key>),
    /// Another function has changed a row or the queue: this is the queue as it is now.
    Conflict(LaneQueue),
    /// The time of the claim is over.
    OutOfTime,
}

impl<C: Calls> Driver<'_, C> {
    /// Claims a lane with this queue, unless it is short.
    ///
    /// # Errors
    /// A failed write.
    pub(crate) async fn claim_lane(
        &self,
        row: &Execution,
        lane: &LaneName,
        queue: &LaneQueue,
    ) -> Result<LaneSettler, Error> {
        let now = self.now();
        if !queue.needs_claim() {
            return Ok(LaneSettler::Unclaimed);
        }
        if let Some(settler) = queue.settler_at(now) {
            return Ok(LaneSettler::Other(settler.clone()));
        }
        let token = format!("{}/{:x}", self.token, self.calls.nonce());
        let claim = LaneClaim { token, as_of: self.event_time(), until: now.plus_seconds(LaneClaim::MAX_SECONDS) };
        Ok(match self.calls.claim_lane(&row.key.thing, lane, &claim, now).await? {
            Some(settler) if settler == claim => LaneSettler::Claimed(claim),
            Some(settler) => LaneSettler::Other(settler),
            None => LaneSettler::Unclaimed,
        })
    }

    /// Sends a wake for a row that stays due while its lane is claimed, at the end of the claim.
    pub(crate) async fn wake_after_claim(&self, row: &Execution, claim: &LaneClaim) {
        if let Some(due) = row.due_at {
            self.look_again(&row.key, due, claim.until.as_seconds_rounded_up()).await;
        }
    }

    /// Gives up the claim of a lane that needs nothing after all.
    ///
    /// # Errors
    /// A failed write.
    pub(crate) async fn release_lane(&self, row: &Execution, claim: &LaneClaim) -> Result<(), Error> {
        if let Some(lane) = &row.lane {
            self.calls.leave_lane(&row.key.thing, &lane.name, &[], Some(claim)).await?;
        }
        Ok(())
    }

    /// Settles a lane on behalf of an ended execution. Returns false if another function does, or the time of the
    /// claim is over: then the execution stays due, and has a wake at the end of the claim.
    ///
    /// # Errors
    /// A failed read or write.
    pub(crate) async fn settle_lane(
        &self,
        row: &Execution,
        lane: &LaneName,
        claim: Option<LaneClaim>,
        stats: &mut DriveStats,
    ) -> Result<bool, Error> {
        let queue = self.calls.read_lane(&row.key.thing, lane).await?;
        let settler = match claim {
            Some(claim) => LaneSettler::Claimed(claim),
            None => self.claim_lane(row, lane, &queue).await?,
        };
        let (is_settled, claim) = match settler {
            LaneSettler::Unclaimed => return self.settle_until_done(row, lane, queue, None, stats).await,
            LaneSettler::Claimed(claim) => (self.settle_until_done(row, lane, queue, Some(&claim), stats).await, claim),
            LaneSettler::Other(claim) => (Ok(false), claim),
        };
        if !matches!(is_settled, Ok(true)) {
            self.wake_after_claim(row, &claim).await;
        }
        is_settled
    }

    async fn settle_until_done(
        &self,
        row: &Execution,
        lane: &LaneName,
        mut queue: LaneQueue,
        claim: Option<&LaneClaim>,
        stats: &mut DriveStats,
    ) -> Result<bool, Error> {
        let mut retries = self.retries("settling a lane", format!("{}/{}", row.key.thing, lane.as_str()));
        loop {
            queue = match self.settle_once(row, lane, queue, claim, stats).await? {
                Progress::Settled(next) => {
                    for next in next {
                        if let Some(next) = self.read(&next).await?
                            && HeadAction::of(Some(&next), self.now()) == HeadAction::Send
                        {
                            // Boxed, since a sending may settle a lane.
                            Box::pin(self.claim_and_send(next)).await?;
                        }
                    }
                    return Ok(true);
                }
                Progress::Conflict(queue) => queue,
                Progress::OutOfTime => return Ok(false),
            };
            retries.wait().await?;
        }
    }

    async fn settle_once(
        &self,
        own: &Execution,
        lane: &LaneName,
        queue: LaneQueue,
        claim: Option<&LaneClaim>,
        stats: &mut DriveStats,
    ) -> Result<Progress, Error> {
        let is_over = || claim.is_some_and(|claim| claim.until <= self.now());
        let rows = self.rows_of(own, &queue).await?;
        let LaneSettlement { ends, ended, leaving, mut next } =
            queue.settle(&rows, &own.key.id, self.event_time(), &self.actor);
        for (position, change) in ends {
            if is_over() {
                return Ok(Progress::OutOfTime);
            }
            let Some(row) = rows.get(position).cloned().flatten() else { continue };
            match self.write(row, &change).await? {
                WriteOutcome::Applied(_) => stats.settled += 1,
                WriteOutcome::Conflict(_) | WriteOutcome::NotFound => {
                    stats.conflicts += 1;
                    return Ok(Progress::Conflict(queue));
                }
            }
        }
        let mut cleaned_up = Vec::new();
        for key in &ended {
            if is_over() {
                return Ok(Progress::OutOfTime);
            }
            cleaned_up.extend(self.clean_up_ended(key).await?);
        }
        if !leaving.is_empty() || claim.is_some() {
            match self.calls.leave_lane(&own.key.thing, lane, &leaving, claim).await? {
                WriteOutcome::Applied(rest) => {
                    if next.is_empty() {
                        next.extend(queue.next_entered(&rest, lane).map(|id| key_beside(own, id)));
                    }
                }
                WriteOutcome::NotFound => {}
                WriteOutcome::Conflict(queue) => {
                    let lost = claim.is_some() && queue.settler.as_ref() != claim;
                    return Ok(if lost { Progress::OutOfTime } else { Progress::Conflict(queue) });
                }
            }
        }
        for (row, then) in cleaned_up {
            match self.write(row, &then).await? {
                WriteOutcome::Applied(_) => stats.cleaned_up += 1,
                // It stays due, and is cleaned up once more.
                WriteOutcome::Conflict(_) | WriteOutcome::NotFound => stats.conflicts += 1,
            }
        }
        Ok(Progress::Settled(next))
    }

    /// The rows of a queue, in its order.
    async fn rows_of(&self, own: &Execution, queue: &LaneQueue) -> Result<Vec<Option<Execution>>, Error> {
        let keys: Vec<Key> = queue.ids.iter().map(|id| key_beside(own, id)).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let page = self.calls.read_executions(&keys).await?;
        if let Some(error) = page.unreadable.into_iter().next() {
            return Err(error);
        }
        let mut rows: Vec<Option<Execution>> = vec![None; keys.len()];
        for row in page.executions {
            let position = queue.ids.iter().position(|id| *id == row.key.id);
            if let Some(place) = position.and_then(|position| rows.get_mut(position)) {
                *place = Some(row);
            }
        }
        Ok(rows)
    }

    /// Cleans up the shadow of an ended execution. Returns the row and the change that records that, which holds only
    /// for this row: a sending that was in progress may put the request into the shadow again.
    async fn clean_up_ended(&self, key: &Key) -> Result<Option<(Execution, Box<Change>)>, Error> {
        let Some(row) = self.read(key).await? else { return Ok(None) };
        let NextAction::CleanUp { clean_shadow, then, .. } = row.next_action(self.event_time(), &self.actor) else {
            return Ok(None);
        };
        if clean_shadow {
            self.clean_shadow(&row).await?;
        }
        Ok(Some((row, then)))
    }
}
