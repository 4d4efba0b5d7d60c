//! What no change of a row may do.

use domain::{DeliveryStatus, Execution, Status, Timestamp};

use super::event::{Event, Kind, actor};
use super::messages::ReportStatus;
use super::scenario::at;

pub const ILLEGAL: &str = "no transition is illegal";
pub const FINAL: &str = "a final status never changes";
pub const ECHO: &str = "what is no report of the device changes no execution";
pub const OUTDATED: &str = "of an attempt before the one that a device is known to run, only a success counts";
pub const EARLY: &str = "no verdict is written before its deadline";

/// The rule that a change breaks which a handler of this event has decided.
pub fn violation(before: &Execution, after: &Execution, event: &Event) -> Option<&'static str> {
    let now = at(event.at);
    let was_final = before.outcome.is_some();
    let same_end =
        after.outcome == before.outcome && after.status == before.status && after.progress == before.progress;
    if was_final && !same_end {
        return Some(FINAL);
    }
    if is_outdated(before, event) && !same_run(before, after) {
        return Some(OUTDATED);
    }
    let max_attempts = before.retry.map_or(1, |retry| retry.max_attempts());
    let next_attempt = after.attempt == before.attempt + 1 && after.attempt <= max_attempts;
    if !is_legal(before, after, next_attempt) {
        return Some(ILLEGAL);
    }
    let retried_by_cloud = next_attempt && after.history.last().is_some_and(|entry| entry.actor == actor());
    // A request that is not known to have been sent is sent again in the same attempt.
    let was_sent = matches!(before.delivery_status, DeliveryStatus::Sent | DeliveryStatus::Delivered);
    if retried_by_cloud && (now >= before.start_by || !was_sent) {
        return Some(ILLEGAL);
    }
    if retried_by_cloud && before.status == Status::InProgress && now < running_deadline(before) {
        return Some(EARLY);
    }
    match after.verdict.filter(|_| before.verdict.is_none()) {
        Some(verdict) if verdict.reason.status() == Status::TimedOut => {
            let deadline = match before.status {
                // Its request may have to leave its shadow early; its device has not begun.
                Status::Created if matches!(event.kind, Kind::Early { .. }) && before.shadow_cleanup_pending => now,
                Status::Created => before.start_by,
                _ => running_deadline(before),
            };
            (now < deadline || verdict.at > now).then_some(EARLY)
        }
        _ => None,
    }
}

/// Whether an event is a report, other than a success, of an earlier attempt than the one of which reports were applied.
fn is_outdated(before: &Execution, event: &Event) -> bool {
    let Kind::Report(message) = event.kind else { return false };
    let runs = before.last_active_at.map(|_| before.runs_attempt.unwrap_or(before.attempt));
    message.status != ReportStatus::Succeeded && runs.is_some_and(|runs| message.attempt < runs)
}

/// Whether a change leaves alone what is known of the run.
fn same_run(before: &Execution, after: &Execution) -> bool {
    let run = |row: &Execution| (row.status, row.attempt, row.progress, row.last_active_at, row.outcome.is_some());
    run(before) == run(after)
}

fn is_legal(before: &Execution, after: &Execution, next_attempt: bool) -> bool {
    let same_attempt = after.attempt == before.attempt;
    let is_final = after.outcome.is_some();
    let legal_status = match (before.status, after.status) {
        // The delivery status never falls behind a proof.
        (Status::Created, Status::Created) if same_attempt => {
            before.delivery_status != DeliveryStatus::Delivered || after.delivery_status == DeliveryStatus::Delivered
        }
        (Status::Created | Status::InProgress, Status::Created) => next_attempt && after.sent_at.is_none() && !is_final,
        (Status::Created | Status::InProgress, Status::InProgress) => same_attempt && !is_final,
        (Status::Created | Status::InProgress, Status::TimedOut | Status::Canceled) => {
            same_attempt && (is_final || after.verdict.is_some())
        }
        (Status::Created | Status::InProgress, _) => same_attempt && is_final,
        // Only a report overrides a verdict.
        (a, b) => same_attempt && (a == b || (before.outcome.is_none() && is_final)),
    };
    let older_activity =
        same_attempt && after.progress == before.progress && after.last_active_at < before.last_active_at;
    legal_status && after.progress >= before.progress && !older_activity
}

/// When a running execution times out, or its heartbeats are lost.
pub fn running_deadline(row: &Execution) -> Timestamp {
    let silent_at = |heartbeat: u32| row.last_active_at.map(|at| at.plus_seconds(3 * heartbeat));
    row.heartbeat_seconds.and_then(silent_at).map_or(row.finish_by, |silent| silent.min(row.finish_by))
}
