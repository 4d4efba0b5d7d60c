//! Settling a lane at once ends, keeps and sends the same executions as its executions do one after another.

use proptest::prelude::*;

use super::*;

use crate::command::lane::{Lane, LaneName, OnFailure};
use crate::execution::channel::Channel;
use crate::execution::fixtures::{CREATED_AT, actor, after_report, in_lane, thing};
use crate::execution::next_action::NextAction;
use crate::ids::CommandId;
use crate::messages::shadow::route::ShadowRoute;
use crate::names::ShadowName;
use crate::status::{Reason, Status};

/// When the lane is settled: the fixtures' ttl of 60 s has passed for the rows that were created first.
const NOW: Timestamp = CREATED_AT.plus_seconds(90);

/// What a row of the queue is.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Missing,
    Left,
    Waiting,
    WaitingTooLong,
    Postponed,
    Sent,
    Unanswered,
    Running,
    Failed,
    Succeeded,
    Canceled,
    /// Its shadow has to be cleaned up.
    InShadow,
}

const KINDS: [Kind; 12] = [
    Kind::Missing,
    Kind::Left,
    Kind::Waiting,
    Kind::WaitingTooLong,
    Kind::Postponed,
    Kind::Sent,
    Kind::Unanswered,
    Kind::Running,
    Kind::Failed,
    Kind::Succeeded,
    Kind::Canceled,
    Kind::InShadow,
];

fn id(n: usize) -> ExecutionId {
    ExecutionId::of(&CommandId::from_request(CREATED_AT, &n.to_string()), &thing())
}

fn row(n: usize, kind: Kind, on_failure: OnFailure) -> Option<Execution> {
    let channel = if matches!(kind, Kind::InShadow) { Channel::Shadow(ShadowRoute::Atlas) } else { Channel::Topic };
    let mut row = in_lane(channel);
    row.key.id = id(n);
    row.lane = Some(Lane { name: LaneName::parse("valve").unwrap(), on_failure });
    let too_long = matches!(kind, Kind::WaitingTooLong | Kind::Unanswered | Kind::InShadow);
    if !too_long {
        row.start_by = NOW.plus_seconds(30);
    }
    let after = |row: &Execution, change: Change| row.apply(&change).unwrap();
    let claimed = after(&row, row.claim(CREATED_AT.plus_seconds(1), "token").unwrap());
    let sent = after(&claimed, claimed.sent(CREATED_AT.plus_seconds(2), actor()));
    Some(match kind {
        Kind::Missing => return None,
        Kind::Waiting | Kind::WaitingTooLong => after(&row, row.wait_in_lane()),
        Kind::Postponed => after(&row, row.send_failed(NOW, actor(), true)),
        Kind::Sent | Kind::Unanswered | Kind::InShadow => sent,
        Kind::Running => after_report(&sent, 3, "RUNNING").unwrap(),
        Kind::Failed => Execution { in_lane: true, ..after_report(&sent, 3, "FAILED").unwrap() },
        Kind::Succeeded => after_report(&sent, 3, "SUCCEEDED").unwrap(),
        Kind::Canceled => after(&row, row.cancel(Reason::CanceledByOperator, NOW, false, actor()).unwrap()),
        Kind::Left => {
            let failed = after_report(&sent, 3, "FAILED").unwrap();
            after(&failed, failed.cleaned_up())
        }
    })
}

/// What became of a row: its status and the reason of its verdict.
type End = Option<(Status, Option<Reason>)>;

fn end(row: Option<&Execution>) -> End {
    row.map(|row| (row.status, row.verdict.map(|verdict| verdict.reason)))
}

/// The queue and the ends of its rows after each execution has done its own part, again and again: one that is overdue
/// ends, and one that has ended cancels those behind it where it stops the lane, and leaves.
fn step_by_step(mut queue: LaneQueue, mut rows: Vec<Option<Execution>>) -> (LaneQueue, Vec<End>) {
    let ids = queue.ids.clone();
    let index = |id: &ExecutionId| ids.iter().position(|other| other == id).unwrap();
    loop {
        let before = (queue.clone(), rows.clone());
        for (n, id) in ids.iter().enumerate() {
            let Some(row) = rows[n].clone().filter(|row| !row.has_left_lane()) else {
                queue = queue.left(id).unwrap_or(queue);
                continue;
            };
            if !row.is_terminal() {
                if let Some(verdict) = row.overdue_verdict(NOW) {
                    rows[n] = row.apply(&row.give_up(verdict, NOW, actor()));
                }
                continue;
            }
            let behind = queue.ids.iter().skip_while(|other| *other != id).skip(1).cloned().collect::<Vec<_>>();
            for behind in if row.stops_lane() { behind } else { Vec::new() } {
                let waiting = rows[index(&behind)].clone();
                if let Some(LaneCancel::Write(change)) = waiting.as_ref().map(|row| row.cancel_stopped(NOW, actor())) {
                    rows[index(&behind)] = waiting.unwrap().apply(&change);
                }
            }
            queue = queue.left(id).unwrap_or(queue);
            rows[n] = row.apply(&row.cleaned_up());
        }
        if (&queue, &rows) == (&before.0, &before.1) {
            return (queue, rows.iter().map(|row| end(row.as_ref())).collect());
        }
    }
}

/// The rows after the settlement, without the clean-ups.
fn settled(rows: &[Option<Execution>], settlement: &LaneSettlement) -> Vec<Option<Execution>> {
    let mut rows = rows.to_vec();
    for (position, change) in &settlement.ends {
        rows[*position] = Some(rows[*position].as_ref().unwrap().apply(change).unwrap());
    }
    rows
}

fn lane(kinds: &[(Kind, OnFailure)]) -> (LaneQueue, Vec<Option<Execution>>) {
    let rows: Vec<_> = kinds.iter().enumerate().map(|(n, (kind, on_failure))| row(n, *kind, *on_failure)).collect();
    (LaneQueue { ids: (0..kinds.len()).map(id).collect(), settler: None }, rows)
}

proptest! {
    #[test]
    fn settling_at_once_equals_the_work_of_one_after_another(
        kinds in proptest::collection::vec((0..KINDS.len(), any::<bool>()), 1..12),
        own in any::<prop::sample::Index>(),
    ) {
        let kinds: Vec<_> = kinds
            .into_iter()
            .map(|(kind, stops)| (KINDS[kind], if stops { OnFailure::Stop } else { OnFailure::Skip }))
            .collect();
        let (queue, rows) = lane(&kinds);
        let own = own.index(kinds.len());
        prop_assume!(rows[own].as_ref().is_none_or(Execution::is_terminal));
        let settlement = queue.settle(&rows, &id(own), NOW, &actor());
        let (left, ends) = step_by_step(queue.clone(), rows.clone());
        let after = settled(&rows, &settlement);
        prop_assert_eq!(after.iter().map(|row| end(row.as_ref())).collect::<Vec<_>>(), ends);
        let leaving: Vec<_> = settlement.leaving.iter().map(|(_, id)| id).collect();
        let stays: Vec<_> = queue.ids.iter().filter(|id| !leaving.contains(id)).cloned().collect();
        prop_assert_eq!(&stays, &left.ids);
        for (position, id) in &settlement.leaving {
            prop_assert_eq!(&queue.ids[*position], id);
        }
        // What has ended and is not out of its lane yet is cleaned up, and due until then; only its own execution is
        // left to the caller.
        for (n, row) in after.iter().enumerate() {
            let open_work = row.as_ref().is_some_and(|row| row.is_terminal() && !row.has_left_lane());
            let named = settlement.ended.iter().any(|key| key.id == id(n));
            prop_assert_eq!(named, open_work && n != own);
            let is_due = row.as_ref().is_some_and(|row| row.due_at.is_some());
            prop_assert!(!open_work || is_due || matches!(kinds[n].0, Kind::Failed | Kind::Succeeded));
        }
        let head = left.head().map(|head| after[queue.ids.iter().position(|id| id == head).unwrap()].as_ref().unwrap());
        let next = head.filter(|head| HeadAction::of(Some(head), NOW) == HeadAction::Send).map(|head| head.key.clone());
        prop_assert_eq!(settlement.next.first(), next.as_ref());
        prop_assert!(settlement.next.len() <= 1);
        // Settling it once more ends nothing.
        prop_assert!(queue.settle(&after, &id(own), NOW, &actor()).ends.is_empty());
    }
}

#[test]
fn execution_that_stops_its_lane_stays_due_until_those_behind_it_have_ended() {
    let stop = OnFailure::Stop;
    let (queue, rows) = lane(&[(Kind::Unanswered, stop), (Kind::WaitingTooLong, stop), (Kind::Waiting, stop)]);
    let settlement = queue.settle(&rows, &id(9), NOW, &actor());
    let after = settled(&rows, &settlement);
    let kept: Vec<_> = after.iter().flatten().map(|row| (row.in_lane, row.due_at.is_some())).collect();
    assert_eq!(kept, [(true, true), (false, false), (false, false)], "one write ends each of those behind it");
    let reasons: Vec<_> = after.iter().filter_map(|row| end(row.as_ref())?.1).collect();
    assert_eq!(reasons, [Reason::NoResponse, Reason::LaneBusy, Reason::LaneStopped]);
}

#[test]
fn request_in_a_shadow_is_cleaned_up_before_its_execution_leaves() {
    let skip = OnFailure::Skip;
    let (queue, rows) = lane(&[(Kind::InShadow, skip), (Kind::Waiting, skip)]);
    let settlement = queue.settle(&rows, &id(9), NOW, &actor());
    assert_eq!(settlement.ended, [rows[0].as_ref().unwrap().key.clone()]);
    assert_eq!(settlement.next, [rows[1].as_ref().unwrap().key.clone()]);
    let ended = settled(&rows, &settlement)[0].clone().unwrap();
    assert!(matches!(ended.next_action(NOW, &actor()), NextAction::CleanUp { clean_shadow: true, .. }));
}

#[test]
fn only_a_long_lane_needs_a_claim_which_ends_by_itself() {
    let queue = |length: usize| LaneQueue { ids: (0..length).map(id).collect(), settler: None };
    assert!(!queue(3).needs_claim() && queue(4).needs_claim());
    let claim = LaneClaim { token: "token".to_owned(), as_of: CREATED_AT, until: NOW };
    let claimed = LaneQueue { settler: Some(claim.clone()), ..queue(4) };
    assert_eq!((claimed.settler_at(CREATED_AT), claimed.settler_at(NOW)), (Some(&claim), None));
    assert_eq!(queue(4).settler_at(NOW), None);
}

#[test]
fn function_that_has_claimed_the_lane_ends_what_was_overdue_when_it_began() {
    let row = row(1, Kind::WaitingTooLong, OnFailure::Stop).unwrap();
    let claim = |seconds| LaneClaim {
        token: "token".to_owned(),
        as_of: CREATED_AT.plus_seconds(seconds),
        until: CREATED_AT.plus_seconds(seconds + LaneClaim::MAX_SECONDS),
    };
    assert!(claim(60).ends(&row) && !claim(59).ends(&row));
}

#[test]
fn head_that_has_entered_the_lane_meanwhile_is_the_next_one() {
    let queue = |ids: &[usize]| LaneQueue { ids: ids.iter().copied().map(id).collect(), settler: None };
    let (valve, read) = (LaneName::parse("valve").unwrap(), queue(&[0, 1, 2]));
    assert_eq!(read.next_entered(&queue(&[3, 4]), &valve), Some(&id(3)));
    // The one that stays is in progress, or the next one by the look at the queue.
    assert_eq!(read.next_entered(&queue(&[1, 3]), &valve), None);
    assert_eq!(read.next_entered(&queue(&[]), &valve), None);
    // Desired states do not wait for each other.
    let state = LaneName::desired_states(&ShadowName::parse("config").unwrap());
    assert_eq!(read.next_entered(&queue(&[3]), &state), None);
}

#[test]
fn desired_states_are_sent_together_and_a_command_of_the_classic_shadow_alone() {
    let row = |n: usize, route: ShadowRoute| {
        let mut row = in_lane(Channel::Shadow(route));
        row.key.id = id(n);
        row.lane = Some(Lane { name: LaneName::classic_shadow(), on_failure: OnFailure::Skip });
        row
    };
    let (state, atlas) = (|n| row(n, ShadowRoute::State(None)), |n| row(n, ShadowRoute::Atlas));
    let sent = |row: Execution| row.apply(&row.claim(CREATED_AT, "token").unwrap()).unwrap();
    let next = |rows: Vec<Execution>| {
        let queue = LaneQueue { ids: rows.iter().map(|row| row.key.id.clone()).collect(), settler: None };
        let rows: Vec<_> = rows.into_iter().map(Some).collect();
        let LaneSettlement { next, ends, leaving, .. } =
            queue.settle(&rows, &id(9), CREATED_AT.plus_seconds(1), &actor());
        assert!(ends.is_empty() && leaving.is_empty());
        next.into_iter().map(|key| key.id).collect::<Vec<_>>()
    };
    assert_eq!(next(vec![state(0), state(1), atlas(2), state(3)]), [id(0), id(1)]);
    assert_eq!(next(vec![sent(state(0)), state(1), atlas(2)]), [id(1)]);
    assert_eq!(next(vec![atlas(0), state(1)]), [id(0)]);
    assert!(next(vec![sent(atlas(0)), state(1), state(2), atlas(3)]).is_empty());
}
