//! Tests of batches: what is done after a claim, and when a batch and its executions are looked at again.

use crate::actor::Actor;
use crate::command::delivery::Delivery;
use crate::command::row::Command;
use crate::execution::channel::Channel;
use crate::execution::fixtures::{CREATED_AT, after_report, command, thing};
use crate::execution::row::Execution;
use crate::fleet::batch::actions::BatchActions;
use crate::fleet::batch::monitor::ExecutionCheck;
use crate::fleet::batch::progress::BatchProgress;
use crate::fleet::batch::row::Batch;
use crate::fleet::control::{Control, ControlState};
use crate::status::Reason;
use crate::timestamp::Timestamp;

fn at(seconds: u32) -> Timestamp {
    CREATED_AT.plus_seconds(seconds)
}

/// A command with a ttl of 60 s.
fn topic_command() -> Command {
    command(Delivery::Topic, None)
}

/// A released batch of three things.
fn released() -> Batch {
    Batch::new(&topic_command(), 0, 3, true, at(0))
}

fn controlled(states: &[ControlState]) -> Control {
    let change = |control: Control, state: &ControlState| {
        control.change_to(*state, at(0), Actor::caller("operator"), None).unwrap()
    };
    states.iter().fold(Control::default(), change)
}

fn canceled() -> Control {
    controlled(&[ControlState::Canceled { force: false, reason: Reason::CanceledByOperator }])
}

/// The batch after all of its things were sent at `at(0)`.
fn sent() -> Batch {
    let progress = BatchProgress { done: Some(3), monitor_at: Some(Some(at(60))), ..BatchProgress::default() };
    released().with_progress(&progress, at(0))
}

#[test]
fn the_actions_follow_from_control_and_progress() {
    let actions = |batch: &Batch, control: &Control, seconds| batch.actions(control, true, at(seconds));
    let paused = controlled(&[ControlState::Paused]);
    let none = BatchActions::default();
    assert_eq!(actions(&released(), &Control::default(), 0), BatchActions { send: true, ..none });
    assert_eq!(actions(&released(), &paused, 0), BatchActions { hold: true, ..none });
    let cancel = BatchActions { cancel_executions: true, record_cancel: true, ..none };
    assert_eq!(actions(&released(), &canceled(), 0), cancel);
    assert_eq!(actions(&sent(), &Control::default(), 59), none);
    assert_eq!(actions(&sent(), &paused, 60), BatchActions { monitor: true, ..none }, "also while it is paused");
    assert_eq!(actions(&sent(), &canceled(), 60), cancel, "the cancel looks at the executions too");
    let untouched = released().actions(&canceled(), false, at(0));
    assert_eq!(untouched, BatchActions { record_cancel: true, ..none }, "no execution is stored");
    assert!(!untouched.needs_things());
}

#[test]
fn executions_may_exist_after_any_claim() {
    assert!(!released().may_have_executions());
    assert!(released().claim(at(0), "token").unwrap().may_have_executions());
    assert!(sent().may_have_executions());
}

#[test]
fn sent_executions_are_monitored_at_the_end_of_their_ttl() {
    let command = topic_command();
    let send = BatchActions { send: true, ..BatchActions::default() };
    let after = |batch: &Batch, actions, recheck_at| batch.monitor_after(&command, actions, true, recheck_at, at(10));
    assert_eq!(after(&released(), send, None), Some(Some(at(70))));
    assert_eq!(after(&sent(), send, None), Some(Some(at(60))), "executions that were sent before end earlier");
    let both = BatchActions { monitor: true, ..send };
    assert_eq!(after(&sent(), both, Some(at(20))), Some(Some(at(20))));
    let monitor = BatchActions { monitor: true, ..BatchActions::default() };
    assert_eq!(after(&sent(), monitor, Some(at(90))), Some(Some(at(90))));
    assert_eq!(after(&sent(), monitor, None), Some(None), "all executions have ended");
    let record_only = BatchActions { record_cancel: true, ..BatchActions::default() };
    assert_eq!(after(&released(), record_only, None), None);
}

#[test]
fn a_batch_on_hold_monitors_what_a_crashed_invocation_may_have_sent() {
    let hold = BatchActions { hold: true, ..BatchActions::default() };
    let after = |batch: &Batch, may_have_executions| {
        batch.monitor_after(&topic_command(), hold, may_have_executions, None, at(10))
    };
    assert_eq!(after(&released(), false), None);
    assert_eq!(after(&released(), true), Some(Some(at(70))));
    assert_eq!(after(&sent(), true), None, "it is monitored already");
}

#[test]
fn an_execution_is_checked_by_its_batch_only_without_a_due_entry() {
    let command = command(Delivery::Direct, None);
    let row = Execution::create_in_batch(&command, &thing(), 0, at(0), Channel::of(&command, None));
    let actor = Actor::function("test");
    let check = |row: &Execution, seconds| ExecutionCheck::of(row, at(seconds), &actor);
    let with_entry = Execution { due_at: Some(at(30).as_seconds()), ..row.clone() };
    assert_eq!(check(&with_entry, 1_000), ExecutionCheck::Nothing);
    let sent = row.apply(&row.sent(at(1), actor.clone())).unwrap();
    let sent = Execution { due_at: None, ..sent };
    assert!(matches!(check(&sent, 10), ExecutionCheck::Later(next) if next > at(10)), "{:?}", check(&sent, 10));
    assert_eq!(check(&sent, 1_000), ExecutionCheck::RunNow);
    let ended = after_report(&sent, 5, "SUCCEEDED").unwrap();
    assert_eq!(check(&Execution { due_at: None, ..ended }, 1_000), ExecutionCheck::Nothing);
}

#[test]
fn a_processed_batch_is_due_for_its_next_task() {
    let due_after = |progress: &BatchProgress| released().with_progress(progress, at(0)).due_at;
    let seconds = |seconds| Some(at(seconds).as_seconds_rounded_up());
    let retry = BatchProgress { done: Some(3), retry_places: vec![1], ..BatchProgress::default() };
    assert_eq!(due_after(&retry), seconds(5));
    let held = BatchProgress { held: true, ..BatchProgress::default() };
    assert_eq!(due_after(&held), seconds(3600));
    let monitored = BatchProgress { done: Some(3), monitor_at: Some(Some(at(60))), ..BatchProgress::default() };
    assert_eq!(due_after(&monitored), seconds(60));
    let both = BatchProgress { retry_places: vec![1], ..monitored };
    assert_eq!(due_after(&both), seconds(5));
    assert_eq!(due_after(&BatchProgress { done: Some(3), ..BatchProgress::default() }), None);
}

/// Otherwise a broadcast whose ttl is over, and of which one execution can't be stored, would be tried without pause.
#[test]
fn an_overdue_check_waits_for_the_next_sending() {
    let due_after = |progress: &BatchProgress| released().with_progress(progress, at(30)).due_at;
    let seconds = |seconds| Some(at(seconds).as_seconds_rounded_up());
    let overdue = BatchProgress { done: Some(3), monitor_at: Some(Some(at(10))), ..BatchProgress::default() };
    assert_eq!(due_after(&overdue), seconds(10), "nothing is sent: the executions are looked at, at once");
    assert_eq!(due_after(&BatchProgress { retry_places: vec![1], ..overdue.clone() }), seconds(35));
    let held = BatchProgress { done: None, held: true, ..overdue };
    assert_eq!(due_after(&held), seconds(10), "nothing is sent soon");
}

#[test]
fn a_change_of_control_wakes_only_batches_that_it_concerns() {
    let wakes = |batch: &Batch, control: &Control| batch.mark_ready_after(control, at(0)).is_some();
    assert!(wakes(&sent(), &canceled()));
    assert!(!wakes(&Batch { canceled_generation: 1, ..sent() }, &canceled()));
    let resumed = controlled(&[ControlState::Paused, ControlState::Running]);
    assert!(!wakes(&sent(), &resumed));
    assert!(wakes(&released(), &resumed));
}

#[test]
fn a_hold_that_was_written_after_a_resume_wakes_the_batch() {
    let held = Batch { ready: false, ..released() };
    let resumed = controlled(&[ControlState::Paused, ControlState::Running]);
    assert!(held.mark_ready_after_hold(&resumed, at(0)).is_some());
    assert!(held.mark_ready_after_hold(&controlled(&[ControlState::Paused]), at(0)).is_none());
    assert!(released().mark_ready_after_hold(&resumed, at(0)).is_none(), "it is ready already");
}

#[test]
fn the_entry_of_a_batch_that_is_released_step_by_step_stays() {
    let step = |batch: &Batch, allowed: u16, seconds| {
        let released = batch.release(allowed, at(seconds)).unwrap().claim(at(seconds), "token").unwrap();
        let monitor_at = Some(Some(at(seconds + 300)));
        let progress = BatchProgress { done: Some(allowed), monitor_at, ..BatchProgress::default() };
        (released.due_at, released.with_progress(&progress, at(seconds)))
    };
    let (_, first) = step(&Batch::new(&topic_command(), 0, 100, false, at(0)), 1, 0);
    let entry = first.due_at;
    assert_eq!(entry, Some(at(120).as_seconds_rounded_up()), "it waits for another release");
    let mut batch = first;
    for seconds in 1..60 {
        let (claimed, next) = step(&batch, u16::try_from(seconds + 1).unwrap(), seconds);
        assert_eq!((claimed, next.due_at), (entry, entry), "after {seconds} s");
        batch = next;
    }
    let (_, later) = step(&batch, 61, 60);
    assert_eq!(later.due_at, Some(at(60 + 120).as_seconds_rounded_up()), "before a claim would move it");
    let (_, last) = step(&later, 100, 61);
    assert_eq!(last.due_at, Some(at(361).as_seconds_rounded_up()), "nothing more is released");
}
