//! What is due by the clock, in the order of its times: executions that time out, and the next minute of each rollout.

use super::membership;
use super::rollout;
use super::status::ExecutionStatus;
use super::store::Store;
use super::transaction::Transaction;
use super::transitions::Change;

/// When something is due next, in milliseconds since 1970.
pub(super) fn next_ms(store: &Store) -> Option<i64> {
    let timer = store.timers.first().map(|(at_ms, ..)| *at_ms);
    let release = rollout::next(store.jobs.iter()).map(|(at_ms, _)| at_ms);
    [timer, release].into_iter().flatten().min()
}

/// Does the first thing that is due at the transaction's time. False if nothing is.
pub(super) fn run_next(transaction: &mut Transaction<'_>) -> bool {
    let now_ms = transaction.now_ms;
    let release = rollout::next(transaction.store.jobs.iter()).map(|(at_ms, job_id)| (at_ms, job_id.clone()));
    let timer_ms = transaction.store.timers.first().map(|(at_ms, ..)| *at_ms);
    match release.filter(|(at_ms, _)| *at_ms <= now_ms && timer_ms.is_none_or(|timer_ms| *at_ms < timer_ms)) {
        Some((at_ms, job_id)) => {
            transaction.now_ms = at_ms;
            rollout::release(transaction, &job_id);
            true
        }
        None => run_timer(transaction, now_ms),
    }
}

fn run_timer(transaction: &mut Transaction<'_>, now_ms: i64) -> bool {
    let due = transaction.store.timers.first().filter(|(at_ms, ..)| *at_ms <= now_ms).cloned();
    let Some(timer) = due else { return false };
    transaction.store.timers.remove(&timer);
    let (at_ms, job_id, thing) = timer;
    let execution = transaction.store.jobs.get(&job_id).and_then(|job| job.latest(&thing));
    if execution.is_some_and(|execution| execution.deadline_ms() == Some(at_ms)) {
        transaction.now_ms = at_ms;
        transaction.change(&job_id, &thing, Change::to(ExecutionStatus::TimedOut));
    }
    true
}

/// Follows the registry if it has changed since.
pub(super) fn follow_registry(transaction: &mut Transaction<'_>, changes: u64) {
    if transaction.store.registry_seen.replace(changes) != Some(changes) {
        membership::follow_registry(transaction);
    }
}
