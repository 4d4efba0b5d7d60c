//! Tests of the next action: verdicts, due entries, clean-ups and lane checks.

use proptest::prelude::*;

use super::*;

use crate::command::delivery::Delivery;
use crate::command::retry::RetryOptions;
use crate::execution::change::DueEntry;
use crate::execution::channel::Channel;
use crate::execution::fixtures::{CREATED_AT, actor, after_report, create, execution, in_lane, report, retried};
use crate::status::{Reason, Status};

fn at(seconds: u32) -> Timestamp {
    CREATED_AT.plus_seconds(seconds)
}

fn written(execution: &Execution, seconds: u32) -> Option<Change> {
    match execution.next_action(at(seconds), &actor()) {
        NextAction::Write(change) => Some(*change),
        _ => None,
    }
}

/// The moved due entry in seconds after the creation, where the next action only moves it.
fn moved_due(execution: &Execution, seconds: u32) -> Option<i64> {
    match written(execution, seconds)? {
        change if change.is_transition() => None,
        Change { due: DueEntry::At(due), .. } => Some(due - CREATED_AT.as_seconds_rounded_up()),
        _ => None,
    }
}

/// The last change of a clean-up that has to clean the shadow.
fn shadow_clean_up(execution: &Execution, seconds: u32) -> Change {
    match execution.next_action(at(seconds), &actor()) {
        NextAction::CleanUp { clean_shadow: true, then, .. } => *then,
        other => panic!("{other:?}"),
    }
}

#[test]
fn unstarted_execution_is_due_at_the_end_of_its_ttl() {
    let execution = execution(None);
    assert_eq!(execution.due_at, Some(1_700_000_061), "rounded up, so that it is not found too early");
    assert_eq!(execution.next_action(at(59), &actor()), NextAction::Nothing);
    let ended = execution.apply(&written(&execution, 61).unwrap()).unwrap();
    assert_eq!((ended.status, ended.due_at), (Status::TimedOut, None));
    assert_eq!(ended.next_action(at(99), &actor()), NextAction::Nothing);
}

#[test]
fn verdict_and_retry_name_the_function_that_wrote_them() {
    let options = RetryOptions { attempts: Some(2), wait: Some(10), ..RetryOptions::default() };
    let row = retried(None, &options);
    let first = row.apply(&row.sent(CREATED_AT, actor())).unwrap();
    let second = first.apply(&written(&first, 10).unwrap()).unwrap();
    let ended = second.apply(&written(&second, 60).unwrap()).unwrap();
    let entries: Vec<_> = ended.history.iter().map(|entry| (entry.event.as_str(), &entry.actor, entry.at)).collect();
    assert_eq!(entries, [("NO_RESPONSE", &actor(), at(10)), ("NO_RESPONSE", &actor(), row.start_by)]);
}

#[test]
fn due_entry_of_a_running_execution_moves_to_its_next_deadline() {
    let running = after_report(&execution(None), 5, "RUNNING").unwrap();
    assert_eq!(moved_due(&running, 61), Some(600));
    let active = after_report(&execution(Some(10)), 5, "RUNNING").unwrap();
    let first_due = CREATED_AT.as_seconds_rounded_up() + 30;
    assert_eq!(active.due_at, Some(first_due), "it may start at once, and then send no heartbeat");
    assert_eq!(moved_due(&active, 31), Some(35));
    assert!(written(&active, 35).unwrap().is_terminal());
}

#[test]
fn due_entry_of_an_ended_execution_is_removed() {
    let done = Execution { due_at: Some(7), ..after_report(&execution(None), 5, "SUCCEEDED").unwrap() };
    assert_eq!(done.apply(&written(&done, 9).unwrap()).unwrap().due_at, None);
}

#[test]
fn ended_execution_stays_due_until_it_is_cleaned_up() {
    let done = after_report(&execution(None), 5, "SUCCEEDED").unwrap();
    for (shadow_cleanup_pending, in_lane) in [(true, false), (false, true), (true, true)] {
        let ended = Execution { shadow_cleanup_pending, in_lane, due_at: Some(7), ..done.clone() };
        let NextAction::CleanUp { clean_shadow, leave_lane, then } = ended.next_action(CREATED_AT, &actor()) else {
            panic!("no clean-up")
        };
        assert_eq!((clean_shadow, leave_lane), (shadow_cleanup_pending, in_lane));
        let cleaned = ended.apply(&then).unwrap();
        assert_eq!((cleaned.shadow_cleanup_pending, cleaned.in_lane, cleaned.due_at), (false, false, None));
        assert_eq!(cleaned.next_action(CREATED_AT, &actor()), NextAction::Nothing);
    }
}

#[test]
fn shadow_is_cleaned_up_again_once_no_sending_can_be_in_progress() {
    let row = create(Delivery::Shadow, None);
    let cancel = row.cancel(Reason::CanceledByOperator, CREATED_AT, false, actor()).unwrap();
    let canceled = row.apply(&cancel).unwrap();
    let once = canceled.apply(&shadow_clean_up(&canceled, 0)).unwrap();
    assert_eq!((once.shadow_cleanup_pending, once.due_at), (true, Some(at(10).as_seconds_rounded_up())));
    assert_eq!(once.next_action(at(9), &actor()), NextAction::Nothing);
    // AWS may apply the write of a sending after its sender has given it up.
    let twice = once.apply(&shadow_clean_up(&once, 10)).unwrap();
    assert_eq!((twice.shadow_cleanup_pending, twice.due_at), (true, Some(at(20).as_seconds_rounded_up())));
    assert_eq!(twice.next_action(at(19), &actor()), NextAction::Nothing);
    assert_eq!(twice.apply(&shadow_clean_up(&twice, 20)).unwrap().due_at, None);
}

#[test]
fn shadow_is_cleaned_up_once_where_the_device_has_answered_the_only_sending() {
    let only = create(Delivery::Shadow, None);
    assert!(only.leaves_one_cleanup(&report(&only, "SUCCEEDED"), at(5)));
    let first_failed = only.apply(&only.send_failed(CREATED_AT, actor(), false)).unwrap();
    let again = first_failed.apply(&first_failed.claim(at(30), "token").unwrap()).unwrap();
    let succeeded = report(&again, "SUCCEEDED");
    // The device may have read the first request, and the second one may still be on its way.
    assert!(!again.leaves_one_cleanup(&succeeded, at(31)) && again.leaves_one_cleanup(&succeeded, at(50)));
    // A refusal clears the time of the sending, not that an earlier one may be on its way.
    let refused = again.apply(&again.send_failed(at(31), actor(), true)).unwrap();
    let done = after_report(&refused, 32, "SUCCEEDED").unwrap();
    let once = done.apply(&shadow_clean_up(&done, 32)).unwrap();
    assert_eq!((once.shadow_cleanup_pending, once.due_at), (true, Some(at(42).as_seconds_rounded_up())));
}

#[test]
fn lane_is_checked_after_its_creator_may_have_crashed() {
    let row = in_lane(Channel::Topic);
    assert_eq!(row.due_at, Some(at(10).as_seconds_rounded_up()));
    assert_eq!(row.next_action(at(9), &actor()), NextAction::Nothing);
    assert_eq!(row.next_action(at(11), &actor()), NextAction::TryLane);
    let waiting = row.apply(&row.wait_in_lane()).unwrap();
    assert_eq!(waiting.due_at, Some(row.start_by.as_seconds_rounded_up()));
    assert_eq!(waiting.next_action(at(11), &actor()), NextAction::Nothing);
    assert!(waiting.claim(at(30), "token").is_some(), "the function that ends the execution before it sends it");
}

proptest! {
    /// So a wake that finds nothing to do sends another one for the right time, and a wake that finds something does it.
    #[test]
    fn open_row_has_a_later_look_if_and_only_if_it_needs_nothing_now(
        starts in proptest::option::of(0..60u32), heartbeat in proptest::option::of(2..200i64), waits in any::<bool>(),
        wait in proptest::option::of(1..59i64), seconds in 0..700u32,
    ) {
        let options = RetryOptions { attempts: Some(2), wait, ..RetryOptions::default() };
        let row = match (wait, waits) {
            (_, true) => in_lane(Channel::Direct),
            (Some(_), _) => retried(heartbeat, &options),
            (None, _) => execution(heartbeat),
        };
        let row = if waits { row } else { row.apply(&row.sent(CREATED_AT, actor())).unwrap() };
        let row = starts.and_then(|starts| after_report(&row, starts, "RUNNING")).unwrap_or(row);
        let needs_nothing = match row.next_action(at(seconds), &actor()) {
            NextAction::Nothing => true,
            NextAction::Write(change) => !change.is_transition(),
            _ => false,
        };
        let later = row.next_look_at(at(seconds));
        prop_assert_eq!(later.is_some(), needs_nothing, "{:?}", row);
        prop_assert!(later.is_none_or(|later| later > at(seconds).as_seconds()));
    }
}

proptest! {
    #[test]
    fn silent_execution_ends_after_a_few_looks_at_its_due_time(
        starts in proptest::option::of(0..60u32), heartbeat in proptest::option::of(2..200i64),
    ) {
        let mut execution = execution(heartbeat);
        if let Some(starts) = starts {
            execution = after_report(&execution, starts, "RUNNING").unwrap_or(execution);
        }
        for _ in 0..4 {
            let Some(due_at) = execution.due_at else { break };
            match execution.next_action(Timestamp::from_seconds(due_at), &actor()) {
                NextAction::Write(change) => {
                    let next = execution.apply(&change).unwrap();
                    prop_assert!(next.due_at.is_none_or(|later| later > due_at));
                    execution = next;
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(execution.status, Status::TimedOut);
    }
}
