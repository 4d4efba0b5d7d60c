//! Runs a fleet command from its request to its end, and moves the stack's clock whenever only time is missing.

use std::time::{Duration, Instant};

use device::fleet::{Fleet, Script};
use local::stack::Stack;

use super::api::{Api, ApiError, NewCommand};
use super::checks::{Recount, expected};
use super::display::Display;
use super::observed::Observed;

/// How often the observed state is read.
const POLL: Duration = Duration::from_millis(50);
/// Without a change for this long, the clock has to be moved: longer than the period in which the stack looks for due
/// work.
const IDLE: Duration = Duration::from_secs(7);
/// The same while only the canary has been sent.
const IDLE_AT_CANARY: Duration = Duration::from_millis(1_500);
/// The same after the clock was moved.
const IDLE_AFTER_MOVE: Duration = Duration::from_millis(400);
/// A small move of the clock: what is due is looked for at least this often by the stack's clock.
const SMALL_MOVE: Duration = Duration::from_secs(5);
/// Small moves without any change after which the demo stops waiting.
const MAX_SMALL_MOVES: u32 = 40;

pub(super) struct Rollout<'a> {
    pub api: &'a Api,
    pub observed: &'a Observed,
    pub fleet: &'a Fleet,
    pub stack: &'a Stack,
    pub display: &'a Display,
    pub command: NewCommand<'a>,
    /// Time after the ttl at which late things report.
    pub late_after: Duration,
    /// Longest time without any change, and longest time for a move of the clock.
    pub timeout: Duration,
}

pub(super) struct RolloutResult {
    pub command_id: String,
    pub created_at: Instant,
    /// Time from the command to the last final report that needs no move of the clock; `None` if one of them is
    /// missing.
    pub reported_after: Option<Duration>,
}

impl Rollout<'_> {
    /// Creates the command, and returns when it is completed and all late things have reported, or when nothing changes
    /// any more.
    ///
    /// # Errors
    /// The API refuses a request, or does not answer.
    pub async fn run(&self) -> Result<RolloutResult, ApiError> {
        let (command_id, created_at) = self.api.create(&self.command).await?;
        let (mut reported_after, mut small_moves, mut ended_before) = (None, 0, None);
        loop {
            tokio::time::sleep(POLL).await;
            let command = self.observed.command();
            if command.state == "PAUSED" {
                self.resume(&command_id).await?;
                continue;
            }
            let completed = command.state == "COMPLETED";
            if self.count(|script, reported| !script.ends_at_deadline() && !reported) == 0 {
                reported_after.get_or_insert_with(|| created_at.elapsed());
            }
            let late = self.count(|script, reported| expected(script).late && !reported);
            if completed && late == 0 {
                break;
            }
            let unchanged = self.observed.unchanged_for();
            let working = self.working();
            if unchanged > self.timeout {
                self.display.print(&format!("  no change for {unchanged:.0?}, and {working} things have not reported"));
                break;
            }
            // After the canary, only its success or a move of the clock lets more requests out.
            let at_canary =
                command.counts.total.saturating_sub(command.counts.waiting) <= u64::from(self.command.canary);
            let idle = match () {
                () if reported_after.is_some() || small_moves > 0 => IDLE_AFTER_MOVE,
                () if at_canary => IDLE_AT_CANARY,
                () => IDLE,
            };
            if working > 0 || unchanged < idle {
                continue;
            }
            // An event may have been lost.
            self.observed.note_command(self.api.command(&command_id).await?);
            let ended = command.counts.ended() + u64::from(completed);
            if ended_before.replace(ended) != Some(ended) {
                small_moves = 0;
                self.move_past_ttl(completed, late).await;
            } else if small_moves < MAX_SMALL_MOVES {
                small_moves += 1;
                self.advance(SMALL_MOVE).await;
            } else {
                self.display.print("  Moving the clock changes nothing any more.");
                break;
            }
        }
        Ok(RolloutResult { command_id, created_at, reported_after })
    }

    async fn resume(&self, command_id: &str) -> Result<(), ApiError> {
        self.display
            .print("  Too few things of the canary succeeded, and the command is paused: the operator resumes it.");
        self.api.resume(command_id).await?;
        self.observed.note_command(self.api.command(command_id).await?);
        Ok(())
    }

    async fn move_past_ttl(&self, completed: bool, late: usize) {
        if completed {
            self.display.print(&format!(
                "  The command is completed; the clock moves to when the late things ({late}) report."
            ));
            self.advance(self.late_after).await;
        } else {
            let ttl = self.command.ttl_seconds;
            self.display.print(&format!("  The remaining things are silent: the clock moves past the ttl of {ttl} s."));
            self.advance(Duration::from_secs(ttl.into())).await;
        }
    }

    async fn advance(&self, by: Duration) {
        // `Stack::advance` also waits for the stack to settle. If that takes too long, the clock still reaches its
        // target.
        let target_ms = self.stack.clock.now_ms().saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
        if tokio::time::timeout(self.timeout, self.stack.advance(by)).await.is_err() {
            let left_ms = target_ms.saturating_sub(self.stack.clock.now_ms());
            self.stack.clock.advance(Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)));
        }
    }

    /// Number of things for which `is_counted` holds of the script and of whether the thing has sent its final report.
    fn count(&self, is_counted: impl Fn(&Script, bool) -> bool) -> usize {
        let things = self.fleet.things().iter();
        let scripts = things.filter_map(|thing| Some((thing, self.fleet.script(thing)?)));
        scripts.filter(|(thing, script)| is_counted(script, self.observed.times(thing).final_report.is_some())).count()
    }

    /// Number of things that have their request, and will report without a move of the clock.
    fn working(&self) -> usize {
        let things = self.fleet.things().iter().filter(|thing| {
            let times = self.observed.times(thing);
            let in_time = self.fleet.script(thing).is_some_and(|script| !script.ends_at_deadline());
            in_time && times.request.is_some() && times.final_report.is_none()
        });
        things.count()
    }
}

/// Lists the executions and reads the command's counts, again until both agree or `timeout` has passed: counts lag
/// behind.
///
/// # Errors
/// The API refuses a request, or does not answer.
pub(super) async fn recount(api: &Api, command_id: &str, timeout: Duration) -> Result<Recount, ApiError> {
    let start = Instant::now();
    loop {
        let executions = api.executions(command_id).await?;
        let command = api.command(command_id).await?;
        let recount = Recount { executions, command };
        if recount.is_consistent() || start.elapsed() > timeout {
            return Ok(recount);
        }
        tokio::time::sleep(POLL).await;
    }
}
