//! What no change may do, what must not be sent or begun, and what holds at any time.

use domain::{By, DeliveryStatus, Execution, OnFailure, Reason, Status, Timestamp};

use super::{
    device::{State, names},
    scenario::{LIFE, STEP, Scenario, TICK, TIMEOUT, TOLERANCE, TTL, at, seconds},
    world::{Word, World},
};

pub const ILLEGAL: &str = "no illegal transition";
pub const HARD: &str = "nothing hard ever changes";
pub const EARLY: &str = "nothing is given up before its time";
pub const TWICE: &str = "nothing runs twice";
pub const SENT_TWICE: &str = "nothing is sent twice in an attempt, but where nobody knows how it went";
pub const LATE: &str = "nothing starts after its ttl plus the clock tolerance";
pub const LANE: &str = "a lane goes one after the other, and not on after a failure that stops it";
/// What is found out when it happens.
pub const BROKEN: [&str; 7] = [ILLEGAL, HARD, EARLY, TWICE, SENT_TWICE, LATE, LANE];

/// What is wrong with a change, if anything is.
pub fn of_change(before: &Execution, after: &Execution, now: Timestamp) -> Option<&'static str> {
    let hard = before.outcome.is_some();
    if hard && (after.outcome != before.outcome || after.status != before.status || after.progress != before.progress) {
        return Some(HARD);
    }
    let again =
        after.attempt == before.attempt + 1 && after.attempt <= before.retry.map_or(1, |retry| retry.attempts());
    let same = after.attempt == before.attempt;
    let told = after.outcome.is_some();
    let legal = match (before.status, after.status) {
        // Its delivery is told as far as it is known, and never less.
        (Status::Created, Status::Created) if same => {
            before.delivery_status != DeliveryStatus::Delivered || after.delivery_status == DeliveryStatus::Delivered
        }
        (Status::Created | Status::InProgress, Status::Created) => again && after.sent_at.is_none() && !told,
        (Status::Created | Status::InProgress, Status::InProgress) => same && !told,
        (Status::Created | Status::InProgress, Status::TimedOut | Status::Canceled) => {
            same && (told || after.verdict.is_some())
        }
        (Status::Created | Status::InProgress, _) => same && told,
        // Only its device corrects a guess.
        (a, b) => same && (a == b || (!hard && told)),
    };
    let heard_before = same && after.progress == before.progress && after.heard_at < before.heard_at;
    if !legal || after.progress < before.progress || heard_before {
        return Some(ILLEGAL);
    }
    let guessed = again && after.steps.last().is_some_and(|step| step.by == By::function("reconcile-commands"));
    if guessed && before.status == Status::InProgress && now < ends(before) {
        return Some(EARLY);
    }
    match after.verdict.filter(|_| before.verdict.is_none()) {
        Some(verdict) if verdict.reason.status() == Status::TimedOut => {
            let deadline = if before.status == Status::Created { before.start_by } else { ends(before) };
            (now < deadline || verdict.at > now).then_some(EARLY)
        }
        _ => None,
    }
}

/// When what has begun is lost.
fn ends(row: &Execution) -> Timestamp {
    let silence = |heartbeat: u32| row.heard_at.map(|heard| heard.plus_seconds(3 * heartbeat));
    row.heartbeat.and_then(silence).map_or(row.finish_by, |silent| silent.min(row.finish_by))
}

/// What is wrong with sending this now.
pub fn of_sending(world: &World, n: usize, row: &Execution, now: Timestamp) -> Option<&'static str> {
    if now >= row.start_by {
        return Some(LATE);
    }
    let sent = world.sent[n];
    if sent.attempt >= row.attempt && !sent.unsure {
        return Some(SENT_TWICE);
    }
    // What was called off while it went out has left its lane.
    let lane = row.lane.as_ref().filter(|_| !world.row(n).is_terminal())?;
    let others = || world.rows.iter().enumerate().filter(|(m, _)| *m != n).filter_map(|(_, row)| row.as_ref());
    let under_way = others().any(|other| !other.is_terminal() && other.sent_at.is_some());
    let failed = |other: &Execution| {
        let superseded = other.verdict.is_some_and(|verdict| verdict.reason == Reason::Superseded);
        other.is_terminal() && other.status != Status::Succeeded && !superseded
    };
    let stopped = lane.on_failure == OnFailure::Stop && sent.behind && others().any(|other| failed(other));
    (under_way || stopped).then_some(LANE)
}

/// What is wrong with beginning this now.
pub fn of_beginning(world: &World, n: usize, attempt: u16) -> Option<&'static str> {
    let device = world.devices[n];
    let running = matches!(device.state, State::Running(_) | State::Ended(Word::Succeeded));
    if running || device.begun & 1 << attempt != 0 {
        return Some(TWICE);
    }
    let born = seconds(world.row(n).created_at);
    // Who knows no deadlines relies on the withdrawal, which comes a tick later for every reconciler that dies.
    // And by as long as whoever put it there was slow to do so.
    let slow = if world.sent[n].slow { LIFE } else { 0 };
    let slack = TOLERANCE + slow + i64::from(world.crashes) * TICK;
    (world.now >= born + TTL + slack).then_some(LATE)
}

type Rule = (&'static str, fn(&Scenario, &World) -> bool);

/// What holds at any time.
pub const ALWAYS: [Rule; 6] = [
    ("every execution settles by its deadline plus a tick", |_, world| all(world, |row| settles(world, row))),
    ("nothing that is owed is forgotten", |_, world| {
        all(world, |row| row.due_at.is_some() || (row.is_terminal() && !row.withdraw && !row.in_lane))
    }),
    ("what is due is done by the next tick", |_, world| {
        world.due.iter().all(|due| world.now <= due.saturating_add(grace(world)))
    }),
    ("a withdrawn command is not in the shadow", |_, world| {
        let state = if world.shadow.version > 0 { world.shadow.state() } else { return true };
        all(world, |row| !row.is_terminal() || row.withdraw || !names(&state["desired"], row.key.id.as_str()))
    }),
    ("a lane does not stand still", |_, world| {
        let waits = |row: &Execution| row.waits_in_lane() && at(world.now) < row.start_by;
        let next =
            |row: &Execution| world.queue.ids.iter().position(|id| *id == row.key.id).is_none_or(|place| place == 0);
        // Whoever has died has left one that is looked at, and not only to say that its time has passed.
        let seen = |row: &Execution| row.in_lane && (row.is_terminal() || row.send_at.is_some());
        let left = world.crashes > 0 && !all(world, |row| !seen(row));
        !world.handlers.is_empty() || left || all(world, |row| !waits(row) || !next(row))
    }),
    ("what is called sent was tried", |_, world| {
        let idle = world.handlers.is_empty();
        // Only who stores it says so before, and may die then.
        let known = |row: &Execution| world.crashes == 0 || !row.is_untouched();
        let sent = |row: &Execution| row.delivery_status == DeliveryStatus::Sent && !row.is_terminal();
        let called = |row: &Execution| sent(row) && known(row);
        let untried = |n: usize, row: &Execution| called(row) && world.sent[n].tried < row.attempt;
        !(idle && world.rows.iter().enumerate().any(|(n, row)| row.as_ref().is_some_and(|row| untried(n, row))))
    }),
];

fn all(world: &World, holds: impl Fn(&Execution) -> bool) -> bool {
    world.rows.iter().flatten().all(|row| holds(row))
}

/// A tick, and as long as whoever it has started may take.
fn grace(world: &World) -> i64 {
    TICK + STEP + i64::from(world.crashes) * TICK
}

fn settles(world: &World, row: &Execution) -> bool {
    let born = seconds(row.created_at);
    let deadline = match row.status {
        Status::Created => born + TTL,
        Status::InProgress => seconds(ends(row)).min(born + TIMEOUT),
        _ => return true,
    };
    world.now <= deadline + grace(world)
}
