//! Tests of the one message of a broadcast: when it may be sent, and what is written around the sending.

use super::{CANCELED, at, command_for, controlled, counted, immediate, planned, with_broadcast};
use crate::fleet::control::ControlState;
use crate::fleet::plan::broadcast::BroadcastReadiness::{self, CountsNeeded, NotNeeded, Ready, Waiting};
use crate::fleet::plan::next_action::PlanAction;
use crate::fleet::plan::row::Plan;
use crate::status::Status;

const STORED: [Status; 2] = [Status::Created, Status::Created];

fn readiness(plan: &Plan, statuses: Option<&[Status]>, seconds: u32) -> BroadcastReadiness {
    let fleet = with_broadcast();
    let counts = statuses.map(counted);
    plan.broadcast_readiness(&command_for(&fleet), &fleet, counts.as_ref(), at(seconds))
}

#[test]
fn the_message_is_ready_once_every_thing_has_its_execution() {
    let plan = planned(&with_broadcast(), 2);
    assert_eq!(readiness(&plan, None, 10), CountsNeeded);
    assert_eq!(readiness(&plan, Some(&STORED[..1]), 10), Waiting);
    assert_eq!(readiness(&plan, Some(&STORED), 10), Ready);
    assert_eq!(readiness(&plan, Some(&STORED), 59), Ready);
    assert_eq!(readiness(&plan, Some(&STORED), 60), NotNeeded, "the ttl has passed");
    assert_eq!(readiness(&Plan { complete: false, ..plan.clone() }, Some(&STORED), 10), Waiting);
    assert_eq!(readiness(&plan.with_broadcast_sent(), Some(&STORED), 10), NotNeeded);
    assert_eq!(readiness(&planned(&with_broadcast(), 0), None, 10), NotNeeded, "there is no thing");
}

#[test]
fn a_command_that_is_stopped_or_has_no_broadcast_needs_no_message() {
    let fleet = with_broadcast();
    let plan = planned(&fleet, 2);
    let counts = counted(&STORED);
    for state in [ControlState::Paused, CANCELED] {
        let command = controlled(&fleet, &[state]);
        assert_eq!(plan.broadcast_readiness(&command, &fleet, Some(&counts), at(10)), NotNeeded, "{state:?}");
        assert!(!command.may_broadcast(at(10)), "{state:?}");
    }
    let immediate = immediate();
    let command = command_for(&immediate);
    assert_eq!(plan.broadcast_readiness(&command, &immediate, Some(&counts), at(10)), NotNeeded);
}

#[test]
fn a_claim_keeps_other_invocations_from_sending_for_30_seconds() {
    let plan = planned(&with_broadcast(), 2);
    let claimed = plan.claim_broadcast(at(10));
    assert_eq!(claimed.due_at, Some(at(40).as_seconds_rounded_up()), "the reconciler looks again after the claim");
    assert_eq!(readiness(&claimed, Some(&STORED), 39), Waiting);
    assert_eq!(readiness(&claimed, Some(&STORED), 40), Ready, "the invocation has crashed");
    assert!(claimed.mark_ready(at(11)).has_claim_of(&claimed));
    assert!(!claimed.with_broadcast_sent().has_claim_of(&claimed));
    assert!(!claimed.claim_broadcast(at(41)).has_claim_of(&claimed), "another invocation has claimed it");
}

#[test]
fn an_earlier_claim_stays_recorded_when_a_later_one_sent_nothing() {
    let first = planned(&with_broadcast(), 2).claim_broadcast(at(5));
    let second = first.claim_broadcast(at(40));
    let undone = second.broadcast_not_sent(&first, at(41));
    assert_eq!(undone.broadcast_at, Some(at(5)), "the message of the first claim may have been sent");
    assert_eq!(readiness(&undone, Some(&STORED), 41), Ready);
}

#[test]
fn a_plan_sends_its_message_with_the_counts_and_is_watched_until_then() {
    let fleet = with_broadcast();
    let command = command_for(&fleet);
    let plan = planned(&fleet, 2);
    let action = |plan: &Plan, statuses: Option<&[Status]>| {
        let counts = statuses.map(counted);
        let action = plan.next_action(&command, &fleet, counts.as_ref(), at(10));
        action == PlanAction::SendBroadcast(fleet.broadcast.as_ref().unwrap())
    };
    assert!(action(&plan, Some(&STORED)));
    assert!(!action(&plan, Some(&STORED[..1])));
    assert_eq!(plan.next_action(&command, &fleet, None, at(10)), PlanAction::ReadCounts);
    let due = Plan { due_at: Some(at(9).as_seconds()), ..plan.clone() };
    let waits = due.next_action(&command, &fleet, Some(&counted(&STORED[..1])), at(10));
    assert_eq!(waits, PlanAction::Reschedule(Box::new(due.mark_ready(at(10)))));
    let sent = plan.with_broadcast_sent();
    let idle = sent.next_action(&command, &fleet, None, at(10));
    assert_eq!(idle, PlanAction::Reschedule(Box::new(sent.idle())));
    let unblocked =
        |plan: &Plan, statuses: &[Status]| plan.is_unblocked_by(&command, &fleet, &counted(statuses), at(10));
    assert!(unblocked(&plan, &STORED));
    assert!(!unblocked(&plan, &STORED[..1]));
    assert!(!unblocked(&plan.claim_broadcast(at(5)), &STORED));
}
