//! Drives a row until it is idle: takes its next action, again and again, until nothing is left to do now.
//!
//! Work that a crashed function left undone stays in the due index, and the reconciler does it.

use calls::{Calls, Error, WriteOutcome};
use domain::{Execution, LaneClaim, NextAction};

use crate::drive_stats::DriveStats;
use crate::driver::Driver;
use crate::lane_settlement::LaneSettler;

/// The most actions on one row. A row needs fewer at any time; more would be a loop.
const MAX_ACTIONS: usize = 16;

impl<C: Calls> Driver<'_, C> {
    /// Drives a row until it is idle. What another function is doing for its lane is left to that.
    ///
    /// # Errors
    /// A failed read or write. What was done before it stays done.
    pub async fn run_until_idle(&self, mut row: Execution) -> Result<DriveStats, Error> {
        let (mut stats, mut claim) = (DriveStats::default(), None);
        let done = self.run_actions(&mut row, &mut claim, &mut stats).await;
        if let Some(claim) = claim {
            match done {
                Ok(()) => self.release_lane(&row, &claim).await?,
                Err(_) => self.wake_after_claim(&row, &claim).await,
            }
        }
        done.map(|()| stats)
    }

    /// As [`Self::run_until_idle`]. `row` is the row as it is known last, and `claim` the claim of its lane that this
    /// function has taken and not used.
    async fn run_actions(
        &self,
        row: &mut Execution,
        claim: &mut Option<LaneClaim>,
        stats: &mut DriveStats,
    ) -> Result<(), Error> {
        for _ in 0..MAX_ACTIONS {
            let (counter, change) = match row.next_action(self.event_time(), &self.actor) {
                NextAction::Nothing => break,
                NextAction::Write(change) if change.is_terminal() && change.is_transition() => {
                    let turn = match claim.take() {
                        // The verdict is decided again after a conflict.
                        Some(held) => LaneTurn::Own(Some(held)),
                        None => self.lane_to_settle(row).await?,
                    };
                    match turn {
                        LaneTurn::Own(taken) => *claim = taken,
                        LaneTurn::Other => break,
                        LaneTurn::Changed(changed) => {
                            *row = *changed;
                            continue;
                        }
                    }
                    (&mut stats.settled, self.with_clean_shadow(row, change).await)
                }
                NextAction::Write(change) if change.is_transition() => (&mut stats.retried, change),
                NextAction::Write(change) => (&mut stats.due_moved, change),
                action @ (NextAction::Send | NextAction::TryLane) => {
                    let sent = match action {
                        NextAction::Send => {
                            let sent = self.claim_and_send(row.clone()).await?;
                            if sent.is_none() {
                                self.look_after_claim(row).await?;
                            }
                            sent
                        }
                        _ => self.try_lane(row.clone()).await?,
                    };
                    let Some(sent) = sent else { break };
                    stats.sent += 1;
                    *row = sent.row;
                    continue;
                }
                NextAction::CleanUp { clean_shadow, leave_lane, then } => {
                    if clean_shadow {
                        self.clean_shadow(row).await?;
                    }
                    if leave_lane && !self.leave_lane(row, claim.take(), stats).await? {
                        break;
                    }
                    (&mut stats.cleaned_up, then)
                }
            };
            *row = match self.write(row.clone(), &change).await? {
                WriteOutcome::Applied(next) => {
                    *counter += 1;
                    next
                }
                WriteOutcome::Conflict(other) => {
                    stats.conflicts += 1;
                    other
                }
                WriteOutcome::NotFound => break,
            };
        }
        Ok(())
    }

    /// Whether this function may end a row that waits in its lane. The first of many that end at the same time claims
    /// the lane and ends all of them; the others need no write.
    async fn lane_to_settle(&self, row: &Execution) -> Result<LaneTurn, Error> {
        let Some(lane) = row.lane.as_ref().filter(|_| row.waits_in_lane()) else { return Ok(LaneTurn::Own(None)) };
        let queue = self.calls.read_lane(&row.key.thing, &lane.name).await?;
        if !queue.ids.contains(&row.key.id) {
            // The function that has settled the lane may have ended it since it was read.
            return Ok(match self.read(&row.key).await? {
                Some(changed) if changed != *row => LaneTurn::Changed(Box::new(changed)),
                _ => LaneTurn::Own(None),
            });
        }
        Ok(match self.claim_lane(row, &lane.name, &queue).await? {
            LaneSettler::Unclaimed => LaneTurn::Own(None),
            LaneSettler::Claimed(claim) => LaneTurn::Own(Some(claim)),
            // It ends this one with the others of the lane.
            LaneSettler::Other(claim) if claim.ends(row) => LaneTurn::Other,
            LaneSettler::Other(claim) => {
                self.wake_after_claim(row, &claim).await;
                LaneTurn::Other
            }
        })
    }
}

/// Who ends a row that waits in its lane.
enum LaneTurn {
    /// This function, with its claim of the lane where the lane is long.
    Own(Option<LaneClaim>),
    /// Another function, which settles the lane.
    Other,
    /// It has changed since it was read.
    Changed(Box<Execution>),
}
