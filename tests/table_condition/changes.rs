//! Random changes: decisions on the current row or an earlier one, and the same with random parts.

use domain::{
    Actor, Change, Condition, DeliveryStatus, DueEntry, Effect, Execution, LaneQueue, NextAction, Outcome, Progress,
    Rank, Reason, ReasonCode, Report, ReportChannel, ShadowName, ShadowRoute, Snapshot, Status, Timestamp, Topic,
    Verdict,
};
use fastrand::Rng;

use super::rows::{CREATED_AT, TIMEOUT_SECONDS};

const RANKS: [Rank; 8] = [
    Rank::Created,
    Rank::Delivered,
    Rank::Accepted,
    Rank::Running,
    Rank::TimedOut,
    Rank::Canceled,
    Rank::Failed,
    Rank::Succeeded,
];

/// A change that a function could write into `row`: one in three was decided on an earlier row, one in four has random parts.
pub fn random(rng: &mut Rng, row: &Execution, earlier: &[Execution]) -> Change {
    let seen = if rng.u8(..3) == 0 { rng.choice(earlier).expect("the created row") } else { row };
    loop {
        if let Some(change) = decision(rng, seen) {
            return if rng.u8(..4) == 0 { distorted(rng, row, change) } else { change };
        }
    }
}

/// An instant of the execution's life, or shortly after it; often around its deadlines.
fn instant(rng: &mut Rng) -> Timestamp {
    let longest = u32::try_from(TIMEOUT_SECONDS).expect("seconds") + 20;
    let seconds = match rng.u8(..4) {
        0 => rng.u32(..longest),
        1 => rng.u32(longest - 40..longest),
        _ => rng.u32(..90),
    };
    Timestamp::from_millis(CREATED_AT.plus_seconds(seconds).as_millis() + rng.i64(0..1000))
}

fn actor(rng: &mut Rng) -> Actor {
    match rng.u8(..3) {
        0 => Actor::device(),
        1 => Actor::function("dispatch-commands"),
        _ => Actor::caller("operator"),
    }
}

fn decision(rng: &mut Rng, row: &Execution) -> Option<Change> {
    let now = instant(rng);
    let actor = actor(rng);
    match rng.u8(..21) {
        0 => row.claim(now, &format!("token-{}", rng.u8(..4))),
        16 => row.doubt_creator("event-1", now),
        17 => match rng.bool() {
            true => row.claim_again(now, now, &format!("token-{}", rng.u8(..4))),
            false => row.send_again_later(now, actor),
        },
        1 => Some(row.sent(now, actor)),
        2 => Some(row.queued(now, actor)),
        3 => Some(row.delivered(now, actor)),
        4 => Some(row.send_failed(now, actor, rng.bool())),
        5 | 6 => Some(report(rng, row)?.change(row.key.clone(), now)),
        7 | 8 => {
            let report = report(rng, row)?;
            row.finish(row.as_current_attempt(&report).as_ref().unwrap_or(&report), now, rng.bool())
        }
        9 => row.active_again(&report(rng, row)?.change(row.key.clone(), now)),
        10 => row.cancel(Reason::CanceledByOperator, now, rng.bool(), actor).ok(),
        11 | 12 => match row.next_action(now, &actor) {
            NextAction::Write(change) | NextAction::CleanUp { then: change, .. } => Some(*change),
            NextAction::Nothing | NextAction::Send | NextAction::TryLane => None,
        },
        13 => match rng.bool() {
            true => row.postpone_due(now),
            false => row.earlier_due(),
        },
        14 => Some(row.wait_in_lane()),
        18 => row.confirm_stop(now).ok(),
        19 | 20 => {
            let queue = LaneQueue { ids: vec![row.key.id.clone()], settler: None };
            let settlement = queue.settle(&[Some(row.clone())], &row.key.id, now, &actor);
            settlement.ends.into_iter().map(|(_, end)| end).next()
        }
        _ => {
            let shadow = ShadowName::parse("cmd").expect("a name");
            let route = rng.choice([ShadowRoute::Atlas, ShadowRoute::Map(shadow), ShadowRoute::State(None)]);
            row.reroute(&route.expect("one of three"), now, actor)
        }
    }
}

fn report(rng: &mut Rng, row: &Execution) -> Option<Report> {
    let status = rng.choice(["SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "IN_PROGRESS", "IN_PROGRESS"])?;
    let attempt = if rng.u8(..4) == 0 { rng.u16(1..4) } else { row.attempt };
    let payload = match rng.u8(..4) {
        0 => format!(r#"{{"status":"{status}"}}"#),
        1 => format!(r#"{{"status":"{status}","attempt":{attempt},"seq":{}}}"#, rng.u8(..5)),
        2 => format!(r#"{{"status":"{status}","attempt":{attempt},"result":{{"uptime":1}}}}"#),
        _ => format!(
            r#"{{"status":"{status}","attempt":{attempt},"statusReason":{{"reasonCode":"LOW_BATTERY","reasonDescription":"3 V"}}}}"#
        ),
    };
    Report::decode(Topic::response(&row.key.thing).as_str(), payload.as_bytes()).ok()
}

/// The change with one of its parts random: no function decides so, but the table must agree with `apply` all the same.
fn distorted(rng: &mut Rng, row: &Execution, change: Change) -> Change {
    let progress = Progress::new(rng.u16(1..4), rng.choice(RANKS).expect("one of eight"), rng.u64(..4));
    let instant = instant(rng);
    let attempt = rng.u16(1..4);
    match rng.u8(..8) {
        0 => Change { progress, ..change },
        1 => Change { condition: Condition::Monotonic { attempt }, ..change },
        2 => Change { condition: Condition::Running { attempt }, ..change },
        3 => Change { condition: Condition::Unchanged(snapshot(rng, row, progress, instant)), ..change },
        4 => Change { status: *rng.choice(Status::ALL).expect("a status"), ..change },
        5 => Change { delivery_status: rng.choice(DeliveryStatus::ALL).copied(), ..change },
        6 => {
            let due = [DueEntry::Keep, DueEntry::Remove, DueEntry::At(instant.as_seconds())];
            Change { due: rng.choice(due).expect("one of three"), ..change }
        }
        _ => {
            let reason = *rng.choice(Reason::ALL).expect("a reason");
            let outcome = Outcome {
                attempt,
                code: rng.bool().then(|| ReasonCode::clean("LOW_BATTERY")).flatten(),
                description: rng.bool().then(|| "3 V".to_owned()),
                result: None,
                at: instant,
                channel: ReportChannel::Mqtt,
            };
            let effects = [
                Effect::Nothing,
                Effect::Doubted { next_send_at: instant },
                Effect::Sent,
                Effect::Queued,
                Effect::WaitsInLane,
                Effect::SendFailed { next_send_at: instant, refused: rng.bool() },
                Effect::Delivered(instant),
                Effect::CloudVerdict(Verdict { reason, at: instant }),
                Effect::LastVerdict(Verdict { reason, at: instant }),
                Effect::RetryScheduled { attempt, next_send_at: instant, failed: None },
                Effect::EndedByLastFailure(Box::new(outcome)),
                Effect::CleanedUp,
                Effect::StopConfirmed(instant),
            ];
            Change { effect: rng.choice(effects).expect("one of thirteen"), ..change }
        }
    }
}

/// The row's snapshot with one part random.
fn snapshot(rng: &mut Rng, row: &Execution, progress: Progress, instant: Timestamp) -> Snapshot {
    let snapshot = row.snapshot();
    match rng.u8(..4) {
        0 => Snapshot { progress, ..snapshot },
        1 => Snapshot { due_at: rng.bool().then(|| instant.as_seconds()), ..snapshot },
        2 => Snapshot { last_active_at: rng.bool().then_some(instant), ..snapshot },
        _ => snapshot,
    }
}
