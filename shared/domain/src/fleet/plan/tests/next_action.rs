//! Tests of the order of a plan's actions, and of the due entry when nothing is left to do.

use super::{
    CANCELED, at, command_for, controlled, counted, immediate, planned, with_abort, with_broadcast, with_canary,
    with_rate,
};
use crate::command::row::Command;
use crate::fleet::control::ControlState;
use crate::fleet::counts::totals::Counts;
use crate::fleet::plan::next_action::PlanAction;
use crate::fleet::plan::row::{ControlPropagation, Cursor, Plan};
use crate::fleet::rollout::new_rate::NewRate;
use crate::fleet::rollout::options::RolloutOptions;
use crate::fleet::rollout::progress::RolloutProgress;
use crate::fleet::rollout::step_wakes::StepWakes;
use crate::fleet::schedule::config::Schedule;
use crate::fleet::selection::Source;
use crate::fleet::target::Fleet;
use crate::status::Status;

fn action<'a>(plan: &Plan, command: &Command, fleet: &'a Fleet, counts: Option<&Counts>) -> PlanAction<'a> {
    plan.next_action(command, fleet, counts, at(10))
}

/// The action that follows once the counts are read.
fn counted_action<'a>(plan: &Plan, command: &Command, fleet: &'a Fleet, counts: &Counts) -> PlanAction<'a> {
    assert_eq!(action(plan, command, fleet, None), PlanAction::ReadCounts);
    action(plan, command, fleet, Some(counts))
}

fn released(things: u64) -> RolloutProgress {
    RolloutProgress { released: things, rate_used_until: Some(at(10)) }
}

/// Up to how many things the action releases.
fn released_by(action: &PlanAction<'_>) -> Option<u64> {
    if let PlanAction::Release(step) = action { Some(step.released) } else { None }
}

#[test]
fn an_immediate_fleet_is_read_without_counts() {
    let fleet = immediate();
    let command = command_for(&fleet);
    let plan = Plan::new(&command, at(0));
    let group = &fleet.selection.groups[0];
    assert_eq!(action(&plan, &command, &fleet, None), PlanAction::ReadPage(Source::Group(group)));
    let plan = plan.page_read(25, 3, None, at(0));
    assert_eq!(action(&plan, &command, &fleet, None), PlanAction::FinishReading);
    let plan = plan.finish_reading();
    assert_eq!(action(&plan, &command, &fleet, None), PlanAction::Reschedule(Box::new(plan.idle())));
    assert_eq!(action(&plan.idle(), &command, &fleet, None), PlanAction::Idle);
}

#[test]
fn things_are_released_before_the_next_page_is_read() {
    let fleet = with_rate(600);
    let command = command_for(&fleet);
    let plan = Plan { complete: false, ..planned(&fleet, 100) };
    let counts = Counts::default();
    assert_eq!(released_by(&counted_action(&plan, &command, &fleet, &counts)), Some(10));
    let waiting = Plan { progress: released(10), ..plan.clone() };
    assert!(matches!(counted_action(&waiting, &command, &fleet, &counts), PlanAction::ReadPage(_)));
    let all_released = Plan { progress: released(100), ..plan };
    assert!(matches!(action(&all_released, &command, &fleet, None), PlanAction::ReadPage(_)), "no counts are needed");
}

#[test]
fn a_resume_is_recorded_first_then_propagated_then_more_is_released() {
    let fleet = with_rate(60);
    let command = controlled(&fleet, &[ControlState::Paused, ControlState::Running]);
    let plan = Plan { propagation: ControlPropagation { generation: 1, next: 10 }, ..planned(&fleet, 100) };
    let counts = counted(&[Status::Failed]);
    let recorded = plan.record_resume(&command.control, &counts, at(10));
    let action_now = counted_action(&plan, &command, &fleet, &counts);
    assert_eq!(action_now, PlanAction::RecordResume(Box::new(recorded.clone())));
    assert_eq!(action(&recorded, &command, &fleet, None), PlanAction::PropagateControl(0..10));
    let propagated = recorded.propagated(2, 10, at(10));
    assert!(matches!(counted_action(&propagated, &command, &fleet, &counts), PlanAction::Release(_)));
}

#[test]
fn a_change_of_control_reaches_fifty_batches_at_a_time() {
    let fleet = immediate();
    let command = controlled(&fleet, &[CANCELED]);
    let plan = planned(&fleet, 1_010);
    assert_eq!(action(&plan, &command, &fleet, None), PlanAction::PropagateControl(0..50));
    let plan = plan.propagated(1, 50, at(10));
    assert_eq!(action(&plan, &command, &fleet, None), PlanAction::PropagateControl(50..100));
    let plan = plan.propagated(1, 100, at(10));
    assert_eq!(action(&plan, &command, &fleet, None), PlanAction::PropagateControl(100..101));
    let plan = plan.propagated(1, 101, at(10));
    assert_eq!(action(&plan, &command, &fleet, None), PlanAction::Reschedule(Box::new(plan.idle())));
    let empty = Plan::new(&command, at(0));
    assert_eq!(action(&empty, &command, &fleet, None), PlanAction::PropagateControl(0..0), "recorded without batches");
}

#[test]
fn a_paused_command_is_read_to_its_end_but_not_released() {
    let fleet = with_rate(60);
    let command = controlled(&fleet, &[ControlState::Paused]);
    let plan = planned(&fleet, 100).propagated(1, 10, at(5));
    let reading = Plan { complete: false, ..plan.clone() };
    assert!(matches!(action(&reading, &command, &fleet, None), PlanAction::ReadPage(_)));
    assert_eq!(action(&plan, &command, &fleet, None), PlanAction::Reschedule(Box::new(plan.idle())));
}

#[test]
fn a_canceled_command_is_not_read_any_further() {
    let fleet = with_broadcast();
    let command = controlled(&fleet, &[CANCELED]);
    let plan = Plan { complete: false, ..planned(&fleet, 100) }.propagated(1, 10, at(5));
    assert_eq!(action(&plan, &command, &fleet, None), PlanAction::Reschedule(Box::new(plan.idle())));
}

#[test]
fn too_few_successes_of_a_canary_pause_the_command() {
    let fleet = with_canary(2);
    let command = command_for(&fleet);
    let plan = Plan { progress: RolloutProgress { released: 2, rate_used_until: None }, ..planned(&fleet, 10) };
    let reason = "1 of the 2 things of the canary succeeded, less than 100 %".to_owned();
    let counts = counted(&[Status::Succeeded, Status::Failed]);
    assert_eq!(counted_action(&plan, &command, &fleet, &counts), PlanAction::Pause { reason });
}

#[test]
fn a_plan_that_waits_for_its_rate_sends_wakes_and_keeps_its_entry() {
    let fleet = with_rate(600);
    let command = command_for(&fleet);
    let due_at = Some(at(40).as_seconds_rounded_up());
    let plan = Plan { progress: released(10), due_at, ..planned(&fleet, 100) };
    let counts = Counts::default();
    let PlanAction::AwaitStep(next, wakes) = counted_action(&plan, &command, &fleet, &counts) else {
        panic!("no wakes are sent")
    };
    assert_eq!((wakes.first(), wakes.last()), (Some(&at(11)), Some(&at(20))));
    assert_eq!((next.due_at, next.revision), (due_at, plan.revision + 1));
    assert_eq!(counted_action(&next, &command, &fleet, &counts), PlanAction::Idle, "enough wakes are sent");
    let faster = NewRate::new(&RolloutOptions { maximum_per_minute: Some(1200), ..RolloutOptions::default() }).unwrap();
    let rollout = fleet.rollout.change_rate(&faster).unwrap();
    let changed = Fleet { rollout, ..fleet.clone() };
    let action_now = counted_action(&next, &command, &changed, &counts);
    assert!(matches!(action_now, PlanAction::AwaitStep(..)), "another rate has wakes of its own: {action_now:?}");
    for due_at in [None, Some(at(10).as_seconds()), Some(at(71).as_seconds_rounded_up())] {
        let PlanAction::AwaitStep(next, _) =
            counted_action(&Plan { due_at, ..plan.clone() }, &command, &fleet, &counts)
        else {
            panic!("no wakes are sent")
        };
        assert_eq!(next.due_at, Some(at(70).as_seconds_rounded_up()), "in case all wakes are lost: {due_at:?}");
    }
}

#[test]
fn a_plan_that_waits_for_its_schedule_is_due_when_it_opens() {
    let schedule = Schedule { not_before: Some(at(3600)), ..Schedule::default() };
    let fleet = Fleet { schedule, ..with_rate(60) };
    let command = command_for(&fleet);
    let plan = planned(&fleet, 100);
    let counts = Counts::default();
    let rescheduled = Plan { due_at: Some(at(3600).as_seconds_rounded_up()), revision: 1, ..plan.clone() };
    let action_now = counted_action(&plan, &command, &fleet, &counts);
    assert_eq!(action_now, PlanAction::Reschedule(Box::new(rescheduled.clone())));
    assert_eq!(counted_action(&rescheduled, &command, &fleet, &counts), PlanAction::Idle, "it is due then already");
}

#[test]
fn the_end_of_the_schedule_is_due_if_it_comes_before_the_next_step() {
    let schedule = Schedule { not_after: Some(at(30)), ..Schedule::default() };
    let fleet = Fleet { schedule, ..with_rate(1) };
    let command = command_for(&fleet);
    let plan = Plan { progress: released(1), ..planned(&fleet, 100) };
    let PlanAction::Reschedule(next) = counted_action(&plan, &command, &fleet, &Counts::default()) else {
        panic!("the end is not due")
    };
    assert_eq!(next.due_at, Some(at(30).as_seconds_rounded_up()));
}

#[test]
fn abort_criteria_that_the_counts_meet_stop_the_command_before_the_next_release() {
    let fleet = Fleet { abort: with_abort("CANCEL"), ..with_rate(600) };
    let command = command_for(&fleet);
    let plan = planned(&fleet, 100);
    let counts = counted(&[Status::Failed]);
    let PlanAction::Stop(control) = counted_action(&plan, &command, &fleet, &counts) else { panic!("it goes on") };
    assert!(control.is_canceled() && control.generation == 1);
    assert_eq!(released_by(&counted_action(&plan, &command, &fleet, &counted(&[Status::Succeeded]))), Some(10));
}

#[test]
fn with_abort_criteria_a_step_waits_until_all_but_the_last_step_are_counted() {
    let fleet = Fleet { abort: with_abort("CANCEL"), ..with_rate(600) };
    let command = command_for(&fleet);
    let plan =
        Plan { progress: RolloutProgress { released: 20, rate_used_until: Some(at(5)) }, ..planned(&fleet, 100) };
    let plan = Plan { released_before: 10, ..plan };
    let known = |executions| counted(&vec![Status::Created; executions]);
    assert_eq!(counted_action(&plan, &command, &fleet, &known(9)), PlanAction::Idle);
    assert!(!plan.is_unblocked_by(&command, &fleet, &known(9), at(10)));
    assert_eq!(released_by(&counted_action(&plan, &command, &fleet, &known(10))), Some(30));
    assert!(plan.is_unblocked_by(&command, &fleet, &known(10), at(10)), "the counts wake fan-out");
    let step_wakes = Some(StepWakes { until: at(12), rate_changes: 0 });
    let woken = Plan { step_wakes, ..plan.clone() };
    assert!(!woken.is_unblocked_by(&command, &fleet, &known(10), at(10)), "a message does");
    assert!(woken.is_unblocked_by(&command, &fleet, &known(10), at(12)), "no message is ahead");
    let without = with_rate(600);
    let released = counted_action(&plan, &command_for(&without), &without, &known(0));
    assert_eq!(released_by(&released), Some(30), "nothing waits without criteria");
}

#[test]
fn the_watchdog_is_renewed_while_a_gate_waits_for_executions() {
    let fleet = with_canary(2);
    let command = command_for(&fleet);
    let plan = Plan { progress: RolloutProgress { released: 2, rate_used_until: None }, ..planned(&fleet, 10) };
    let counts = counted(&[Status::Created, Status::Created]);
    assert_eq!(counted_action(&plan, &command, &fleet, &counts), PlanAction::Idle);
    let due = Plan { due_at: Some(at(9).as_seconds()), ..plan };
    let renewed = due.mark_ready(at(10));
    assert_eq!(counted_action(&due, &command, &fleet, &counts), PlanAction::Reschedule(Box::new(renewed)));
}

#[test]
fn the_end_of_the_schedule_closes_a_plan_once_the_target_is_read() {
    let schedule = Schedule { not_after: Some(at(8)), ..Schedule::default() };
    let fleet = Fleet { schedule, ..with_rate(60) };
    let command = command_for(&fleet);
    let plan = Plan { progress: released(10), ..planned(&fleet, 100) };
    let counts = Counts::default();
    let reading = Plan { complete: false, ..plan.clone() };
    assert!(matches!(counted_action(&reading, &command, &fleet, &counts), PlanAction::ReadPage(_)));
    let note = "the schedule has ended, and 90 things were not released".to_owned();
    assert_eq!(counted_action(&plan, &command, &fleet, &counts), PlanAction::Close { note: note.clone() });
    let closed = plan.close(note, 10, plan.release_position, at(10));
    assert_eq!(action(&closed, &command, &fleet, None), PlanAction::Reschedule(Box::new(closed.idle())));
}

#[test]
fn a_failed_source_does_not_end_the_reading() {
    let fleet = immediate();
    let command = command_for(&fleet);
    let skipped = Plan::new(&command, at(0)).skip_source("there is no group pumps".to_owned(), at(0));
    assert_eq!(skipped.cursor, Cursor { source: 1, token: None, restarts: 0 });
    assert_eq!(action(&skipped, &command, &fleet, None), PlanAction::FinishReading);
}
