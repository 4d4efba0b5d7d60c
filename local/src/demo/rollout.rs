//! A fleet command from its request to its end, with the clock moved whenever nothing but time is missing.

use std::time::{Duration, Instant};

use device::fleet::{Fleet, Script};

use super::api::{Api, ApiError, Asked};
use super::board::Board;
use super::progress::Progress;
use super::report::{Recount, with_sources};
use crate::stack::Stack;

/// How often the board is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// When nothing was heard for so long, only time can bring news: what is due, and what may go out, is looked for oftener than that.
const STILL: Duration = Duration::from_secs(7);
/// The same while the first ones are awaited.
const STILL_AT_GATE: Duration = Duration::from_millis(1_500);
/// The same after the clock was moved a little.
const STILL_AFTER_STEP: Duration = Duration::from_millis(400);
/// What is due is looked for this often at least, by the stack's clock.
const STEP: Duration = Duration::from_secs(5);
/// So many steps without any news, and it is given up.
const STEPS: u32 = 40;

pub(super) struct Rollout<'a> {
    pub api: &'a Api,
    pub board: &'a Board,
    pub fleet: &'a Fleet,
    pub stack: &'a Stack,
    pub progress: &'a Progress,
    pub asked: Asked<'a>,
    /// How long after the ttl late things answer.
    pub late_after: Duration,
    /// How long something that is bound to happen may take.
    pub patience: Duration,
}

/// How it went.
pub(super) struct Ended {
    pub command_id: String,
    pub asked_at: Instant,
    /// How long it took until the last thing had ended that waited for nothing but its work.
    pub in_time: Duration,
}

impl Rollout<'_> {
    /// Asks, and sees it to its end, or to where it does not come any further.
    pub async fn run(&self) -> Result<Ended, ApiError> {
        let (command_id, asked_at) = self.api.create(&self.asked).await?;
        let (mut in_time, mut steps, mut ended_before) = (None, 0, None);
        loop {
            tokio::time::sleep(LOOK).await;
            let standing = self.board.standing();
            if standing.state == "PAUSED" {
                self.resume(&command_id).await?;
                continue;
            }
            let completed = standing.state == "COMPLETED";
            if self.count(|script, answered| !script.waits_for_time() && !answered) == 0 {
                in_time.get_or_insert_with(|| asked_at.elapsed());
            }
            let late = self.count(|script, answered| script.expected(true).late && !answered);
            if completed && late == 0 {
                break;
            }
            let quiet = self.board.quiet_for();
            let working = self.working();
            if quiet > self.patience {
                self.progress.say(&format!("  no news for {quiet:.0?}, and {working} still work"));
                break;
            }
            // Behind the canary nothing goes out by itself.
            let gated = standing.counts.total.saturating_sub(standing.counts.waiting) <= u64::from(self.asked.canary);
            let still = match () {
                () if in_time.is_some() || steps > 0 => STILL_AFTER_STEP,
                () if gated => STILL_AT_GATE,
                () => STILL,
            };
            if working > 0 || quiet < still {
                continue;
            }
            // An event may have been missed.
            self.board.told(self.api.standing(&command_id).await?);
            let ended = standing.counts.ended() + u64::from(completed);
            if ended_before.replace(ended) != Some(ended) {
                steps = 0;
                self.jump(completed, late).await;
            } else if steps < STEPS {
                steps += 1;
                self.advance(STEP).await;
            } else {
                self.progress.say("  whatever is missing does not come");
                break;
            }
        }
        let in_time = in_time.unwrap_or_else(|| asked_at.elapsed());
        Ok(Ended { command_id, asked_at, in_time })
    }

    async fn resume(&self, command_id: &str) -> Result<(), ApiError> {
        self.progress.say("  Too few of the first have succeeded, and it has paused: an operator resumes it.");
        self.api.resume(command_id).await?;
        self.board.told(self.api.standing(command_id).await?);
        Ok(())
    }

    async fn jump(&self, completed: bool, late: usize) {
        if completed {
            self.progress
                .say(&format!("  It is completed; the clock is moved on to when the late ones ({late}) answer."));
            self.advance(self.late_after).await;
        } else {
            let ttl = self.asked.ttl;
            self.progress.say(&format!("  All others are silent: the clock is moved past the ttl of {ttl} s."));
            self.advance(Duration::from_secs(ttl.into())).await;
        }
    }

    async fn advance(&self, by: Duration) {
        // It also waits until all is quiet, which the board shows as well: then only the time is missing.
        let there = self.stack.clock.now_ms().saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
        if tokio::time::timeout(self.patience, self.stack.advance(by)).await.is_err() {
            let left = there.saturating_sub(self.stack.clock.now_ms());
            self.stack.clock.advance(Duration::from_millis(u64::try_from(left).unwrap_or(0)));
        }
    }

    /// Things of which it is so, by their script and by whether they have said how it ended.
    fn count(&self, of_kind: impl Fn(&Script, bool) -> bool) -> usize {
        let things = self.fleet.things().iter();
        let scripts = things.filter_map(|thing| Some((thing, self.fleet.script(thing)?)));
        scripts.filter(|(thing, script)| of_kind(script, self.board.heard(thing).answered.is_some())).count()
    }

    /// Things that were asked, and will answer without the clock being moved.
    fn working(&self) -> usize {
        let things = self.fleet.things().iter().filter(|thing| {
            let heard = self.board.heard(thing);
            let prompt = self.fleet.script(thing).is_some_and(|script| !script.waits_for_time());
            prompt && heard.asked.is_some() && heard.answered.is_none()
        });
        things.count()
    }
}

/// The executions as they stand, and whether the counts agree with them; asked again for a while, since counts lag.
pub(super) async fn recount(api: &Api, command_id: &str, patience: Duration) -> Result<Recount, ApiError> {
    let start = Instant::now();
    loop {
        let executions = api.executions(command_id).await?;
        let standing = api.standing(command_id).await?;
        let recount = Recount { executions, standing };
        if recount.is_equal() || start.elapsed() > patience {
            return Ok(recount);
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Progress {
    /// Says what went wrong with a request that can be done without.
    pub(super) fn complain(&self, error: &ApiError) {
        self.say(&format!("  {}", with_sources(error)));
    }
}
