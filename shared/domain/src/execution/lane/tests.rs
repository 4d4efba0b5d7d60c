//! Tests of the queue of a lane, and of the decisions about its executions.

use super::*;

use crate::command::lane::{Lane, LaneName};
use crate::execution::channel::Channel;
use crate::execution::fixtures::{CREATED_AT, actor, after_report, in_lane, thing};
use crate::ids::CommandId;
use crate::messages::shadow::route::ShadowRoute;

fn id(n: char) -> ExecutionId {
    ExecutionId::parse(&n.to_string().repeat(26)).unwrap()
}

fn queue(ids: &[char]) -> LaneQueue {
    ids.iter().fold(LaneQueue::default(), |queue, n| queue.joined(&id(*n)).unwrap())
}

fn valve() -> LaneName {
    LaneName::parse("valve").unwrap()
}

fn at(seconds: u32) -> Timestamp {
    CREATED_AT.plus_seconds(seconds)
}

/// An execution in the lane `valve`, before its request is sent.
fn waiting() -> Execution {
    in_lane(Channel::Topic)
}

fn sent() -> Execution {
    let claimed = waiting().apply(&waiting().claim(at(1), "token").unwrap()).unwrap();
    claimed.apply(&claimed.sent(at(1), actor())).unwrap()
}

fn with_on_failure(row: Execution, on_failure: OnFailure) -> Execution {
    Execution { lane: Some(Lane { name: valve(), on_failure }), ..row }
}

fn written(cancel: LaneCancel, row: &Execution) -> Execution {
    let LaneCancel::Write(change) = cancel else { panic!("{cancel:?}") };
    row.apply(&change).unwrap()
}

fn reason(row: &Execution) -> Option<Reason> {
    row.verdict.map(|verdict| verdict.reason)
}

#[test]
fn queue_keeps_the_order_in_which_executions_join() {
    let queue = queue(&['a', 'b', 'c']);
    assert_eq!(queue.head(), Some(&id('a')));
    assert_eq!(queue.joined(&id('b')), None, "it is in the queue already");
    assert_eq!((queue.before(&id('b')), queue.before(&id('z')).len()), (&[id('a')][..], 3));
    let without = queue.left(&id('a')).unwrap();
    assert_eq!(without.head(), Some(&id('b')));
    assert_eq!(without.left(&id('a')), None);
}

#[test]
fn full_queue_takes_no_more() {
    let mut queue = LaneQueue::default();
    for n in 0..LaneQueue::MAX_LENGTH {
        let command = CommandId::from_request(Timestamp::default(), &n.to_string());
        queue = queue.joined(&ExecutionId::of(&command, &thing())).unwrap();
    }
    assert_eq!(queue.joined(&id('a')), None);
}

#[test]
fn only_desired_states_do_not_wait_for_each_other() {
    let (state, atlas) =
        (in_lane(Channel::Shadow(ShadowRoute::State(None))), in_lane(Channel::Shadow(ShadowRoute::Atlas)));
    assert!(!state.waits_for(&state));
    for (row, before) in [(&state, &atlas), (&atlas, &state), (&atlas, &atlas), (&waiting(), &waiting())] {
        assert!(row.waits_for(before), "{} for {}", row.channel, before.channel);
        let failed = after_report(before, 2, "FAILED").unwrap();
        assert!(row.waits_for(&failed), "it has a shadow to clean up");
        assert!(!row.waits_for(&failed.apply(&failed.cleaned_up()).unwrap()));
    }
}

#[test]
fn lane_stops_after_every_end_but_success_and_a_cancel_on_behalf_of_another() {
    let failed = after_report(&sent(), 2, "FAILED").unwrap();
    assert!(failed.stops_lane());
    assert!(!with_on_failure(failed, OnFailure::Skip).stops_lane());
    assert!(!sent().stops_lane(), "it has not ended");
    assert!(!after_report(&sent(), 2, "SUCCEEDED").unwrap().stops_lane());
    let canceled = |reason| waiting().apply(&waiting().cancel(reason, at(2), false, actor()).unwrap()).unwrap();
    assert!(canceled(Reason::CanceledByOperator).stops_lane());
    assert!(!canceled(Reason::Superseded).stops_lane() && !canceled(Reason::LaneStopped).stops_lane());
}

#[test]
fn head_is_sent_only_while_it_waits() {
    assert_eq!(HeadAction::of(Some(&waiting()), at(1)), HeadAction::Send);
    assert_eq!(HeadAction::of(Some(&sent()), at(2)), HeadAction::Wait);
    let refused = waiting().apply(&waiting().send_failed(at(1), actor(), true)).unwrap();
    let next_send_at = refused.next_send_at.unwrap();
    let before = Timestamp::from_millis(next_send_at.as_millis() - 1);
    assert_eq!(HeadAction::of(Some(&refused), before), HeadAction::Wait, "it is sent again at its own time");
    assert_eq!(HeadAction::of(Some(&refused), next_send_at), HeadAction::Send);
}

#[test]
fn head_that_is_gone_or_has_left_is_removed() {
    let failed = after_report(&sent(), 2, "FAILED").unwrap();
    assert!(!failed.has_left_lane() && !sent().has_left_lane());
    assert_eq!(HeadAction::of(Some(&failed), at(2)), HeadAction::CleanUp);
    let left = failed.apply(&failed.cleaned_up()).unwrap();
    assert!(left.has_left_lane());
    assert_eq!(HeadAction::of(Some(&left), at(2)), HeadAction::Remove);
    assert_eq!(HeadAction::of(None, at(2)), HeadAction::Remove);
}

#[test]
fn sent_execution_is_superseded_only_among_desired_states() {
    let superseded = written(waiting().cancel_superseded(at(2), actor()), &waiting());
    assert_eq!((superseded.status, reason(&superseded)), (Status::Canceled, Some(Reason::Superseded)));
    assert_eq!(superseded.cancel_superseded(at(3), actor()), LaneCancel::Ended);
    assert_eq!(sent().cancel_superseded(at(2), actor()), LaneCancel::Refused);
    let failed = after_report(&sent(), 2, "FAILED").unwrap();
    assert_eq!(failed.cancel_superseded(at(3), actor()), LaneCancel::Refused, "it has stopped the lane");
    let skipped = with_on_failure(failed, OnFailure::Skip);
    assert_eq!(skipped.cancel_superseded(at(3), actor()), LaneCancel::Ended);
    let in_shadow = in_lane(Channel::Shadow(ShadowRoute::State(None)));
    let claimed = in_shadow.apply(&in_shadow.claim(at(1), "token").unwrap()).unwrap();
    assert_eq!(reason(&written(claimed.cancel_superseded(at(2), actor()), &claimed)), Some(Reason::Superseded));
}

#[test]
fn running_execution_is_not_canceled_when_its_lane_stops() {
    let running = after_report(&sent(), 2, "RUNNING").unwrap();
    assert_eq!(running.cancel_stopped(at(3), actor()), LaneCancel::Refused);
    assert_eq!(reason(&written(waiting().cancel_stopped(at(3), actor()), &waiting())), Some(Reason::LaneStopped));
}

#[test]
fn passed_deadline_is_written_instead_of_a_cancel() {
    let row = waiting();
    let expired = written(row.cancel_stopped(at(60), actor()), &row);
    assert_eq!((expired.status, reason(&expired)), (Status::TimedOut, Some(Reason::LaneBusy)));
    assert_eq!(expired.cancel_stopped(at(61), actor()), LaneCancel::Ended);
}
