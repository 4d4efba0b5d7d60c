//! Tests of released things: wake-ups by the counts, the resume point and the end of the schedule.

use super::{CANCELED, at, command_for, controlled, counted, immediate, planned, with_canary, with_rate};
use crate::command::row::Command;
use crate::fleet::control::ControlState;
use crate::fleet::counts::totals::Counts;
use crate::fleet::plan::next_action::PlanAction;
use crate::fleet::plan::row::{ControlPropagation, Plan, ReleasePosition};
use crate::fleet::rollout::progress::RolloutProgress;
use crate::status::Status;

fn released(things: u64) -> RolloutProgress {
    RolloutProgress { released: things, rate_used_until: None }
}

#[test]
fn counts_wake_fan_out_when_a_gate_opens_or_stops_the_rollout() {
    let fleet = with_canary(2);
    let command = command_for(&fleet);
    let plan = Plan { progress: released(2), ..planned(&fleet, 10) };
    let is_unblocked = |statuses: &[Status]| plan.is_unblocked_by(&command, &fleet, &counted(statuses), at(10));
    assert!(!is_unblocked(&[Status::Succeeded, Status::InProgress]));
    assert!(is_unblocked(&[Status::Succeeded, Status::Succeeded]), "the gate opens");
    assert!(is_unblocked(&[Status::Succeeded, Status::Failed]), "the command must be paused");
    let ended = counted(&[Status::Succeeded, Status::Succeeded]);
    for (state, command) in [("paused", [ControlState::Paused]), ("canceled", [CANCELED])]
        .map(|(name, states)| (name, controlled(&fleet, &states)))
    {
        assert!(!plan.is_unblocked_by(&command, &fleet, &ended, at(10)), "{state}");
    }
    let all_released = Plan { progress: released(10), ..plan.clone() };
    assert!(!all_released.is_unblocked_by(&command, &fleet, &ended, at(10)));
    let immediate = immediate();
    assert!(!planned(&immediate, 10).is_unblocked_by(&command, &immediate, &ended, at(10)));
}

#[test]
fn a_resume_waives_a_gate_only_if_all_released_executions_had_ended() {
    let fleet = with_canary(2);
    let command = controlled(&fleet, &[ControlState::Paused, ControlState::Running]);
    let propagation = ControlPropagation { generation: 1, next: 1 };
    let plan = Plan { progress: released(2), propagation, ..planned(&fleet, 10) };
    assert!(plan.has_unrecorded_resume(&command.control));
    let waived = plan.record_resume(&command.control, &counted(&[Status::Failed, Status::Failed]), at(10));
    assert_eq!((waived.resume_point.released, waived.resume_point.outcomes.failed), (2, 2));
    assert!(!waived.has_unrecorded_resume(&command.control));
    let judged = plan.record_resume(&command.control, &counted(&[Status::Failed, Status::InProgress]), at(10));
    assert_eq!((judged.resume_point.released, judged.resume_point.outcomes.failed), (0, 1));
}

#[test]
fn released_batches_that_the_plan_does_not_know_are_recorded_before_it_closes() {
    let fleet = with_rate(60);
    let plan = Plan { progress: released(10), ..planned(&fleet, 100) };
    let position = ReleasePosition { batch: 2, before: 20 };
    let recorded = plan.close("closed".to_owned(), 25, position, at(10));
    assert_eq!((recorded.progress.released, recorded.release_position), (25, position));
    assert!(!recorded.closed && recorded.notes.is_empty());
    let closed = recorded.close("closed".to_owned(), 25, position, at(10));
    assert!(closed.closed);
    assert_eq!(closed.notes, ["closed"]);
}

#[test]
fn a_position_allows_the_rest_of_the_released_things_in_its_batch() {
    let position = ReleasePosition { batch: 2, before: 20 };
    assert_eq!([20, 25, 1_000_000].map(|released| position.allowed_in_batch(released)), [0, 5, u16::MAX]);
    assert_eq!(position.after_batch(10), ReleasePosition { batch: 3, before: 30 });
}

#[test]
fn the_snapshot_of_a_plan_has_its_counts() {
    let fleet = immediate();
    let snapshot = planned(&fleet, 10).rollout_snapshot(&counted(&[Status::Succeeded, Status::Created]));
    assert_eq!((snapshot.planned, snapshot.planning_complete), (10, true));
    assert_eq!((snapshot.outcomes.succeeded, snapshot.outcomes.executed, snapshot.duplicates), (1, 1, 0));
    assert_eq!(planned(&fleet, 10).rollout_snapshot(&Counts::default()).waived_up_to, 0);
}

#[test]
fn the_next_release_is_known_where_it_depends_on_time_alone() {
    let fleet = with_rate(60);
    let command = command_for(&fleet);
    let counts = Counts::default();
    let plan = planned(&fleet, 100);
    let next = |plan: &Plan, command: &Command| plan.next_release_at(command, &fleet, &counts, at(10));
    assert_eq!(next(&plan, &command), Some(at(10)), "at once");
    let released = Plan { progress: RolloutProgress { released: 1, rate_used_until: Some(at(10)) }, ..plan.clone() };
    assert_eq!(next(&released, &command), Some(at(11)));
    assert_eq!(next(&released, &controlled(&fleet, &[ControlState::Paused])), None);
    assert_eq!(next(&Plan { closed: true, ..released }, &command), None);
    let all = Plan { progress: RolloutProgress { released: 100, rate_used_until: None }, ..plan };
    assert_eq!(next(&all, &command), None);
    let canary = with_canary(2);
    let waits = Plan { progress: RolloutProgress { released: 2, rate_used_until: None }, ..planned(&canary, 10) };
    assert_eq!(waits.next_release_at(&command_for(&canary), &canary, &counts, at(10)), None, "the canary decides");
}

#[test]
fn a_release_records_what_was_released_before_and_the_wakes_of_the_next_steps() {
    let fleet = with_rate(600);
    let command = command_for(&fleet);
    let plan = planned(&fleet, 100);
    let PlanAction::Release(step) = plan.next_action(&command, &fleet, Some(&Counts::default()), at(10)) else {
        panic!("nothing is released")
    };
    let (released, wakes) = plan.released(&fleet, &step, ReleasePosition { batch: 1, before: 10 }, at(10));
    assert_eq!((released.progress.released, released.released_before), (10, 0));
    let until = released.step_wakes.map(|sent| (sent.until, sent.rate_changes));
    assert_eq!((wakes.len(), wakes.last().copied(), until), (10, Some(at(20)), Some((at(20), 0))));
    let next = released.progress.next_step(
        &fleet.rollout,
        &fleet.schedule,
        &released.rollout_snapshot(&Counts::default()),
        at(11),
    );
    let (again, wakes) = released.released(&fleet, &next, ReleasePosition { batch: 2, before: 20 }, at(11));
    assert_eq!((again.released_before, wakes.len()), (10, 0), "enough are sent");
}
