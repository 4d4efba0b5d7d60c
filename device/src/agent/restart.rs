//! What becomes of the executions that were running when the device stopped: each is started again, or has FAILED.

use super::action::Action;
use super::execution::{ExecutionState, Rerun};
use super::execution_cache::ExecutionCache;
use super::outcome::Outcome;

/// Starts again what is safe to run twice and has not expired; everything else that ran has FAILED. Returns the starts.
pub(super) fn resume(executions: &mut ExecutionCache, expiry_tolerance_ms: i64, now_ms: i64) -> Vec<Action> {
    let is_in_time = |rerun: &Rerun| now_ms < rerun.expires_at_ms.saturating_add(expiry_tolerance_ms);
    let mut starts = Vec::new();
    for execution in executions.iter_mut().filter(|execution| execution.is_running()) {
        match &mut execution.state {
            ExecutionState::Running { seq, heartbeat_ms, next_heartbeat_ms, rerun: Some(rerun) }
                if is_in_time(rerun) =>
            {
                *seq = seq
                    .saturating_add(max_heartbeats_since(*next_heartbeat_ms, *heartbeat_ms, now_ms))
                    .saturating_add(1);
                *next_heartbeat_ms = now_ms.saturating_add(heartbeat_ms.unwrap_or(i64::MAX));
                starts.push(Action::Start {
                    execution_id: execution.id.as_str().to_owned(),
                    attempt: execution.attempt,
                    command: rerun.command.clone(),
                    payload: rerun.payload.clone(),
                    expires_at_ms: rerun.expires_at_ms,
                });
            }
            state => {
                let outcome = Outcome::failed("DEVICE_RESTARTED", "the device restarted while the command ran");
                *state = ExecutionState::Ended(outcome);
            }
        }
    }
    starts
}

/// The most heartbeats that can have been sent after the snapshot was taken. The sequence number must exceed theirs, or
/// the cloud would ignore the next reports as stale.
fn max_heartbeats_since(next_heartbeat_ms: i64, heartbeat_ms: Option<i64>, now_ms: i64) -> u32 {
    let Some(interval_ms) = heartbeat_ms else { return 0 };
    let since_ms = now_ms.saturating_sub(next_heartbeat_ms);
    let count = if since_ms < 0 { 0 } else { 1 + since_ms / interval_ms.max(1) };
    u32::try_from(count).unwrap_or(u32::MAX)
}
