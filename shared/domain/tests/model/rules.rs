//! What no change may do, what must not be sent or begun, and what holds at any time.

use domain::{By, DeliveryStatus, Execution, ExecutionId, OnFailure, Reason, ShadowRoute, Status, Timestamp, Via};

use super::{
    device::{State, names},
    scenario::{LIFE, STEP, Scenario, TICK, TOLERANCE, at, seconds},
    world::{Said, Sent, Word, World},
};

pub const ILLEGAL: &str = "no illegal transition";
pub const HARD: &str = "nothing hard ever changes";
pub const EARLY: &str = "nothing is given up before its time";
pub const TWICE: &str = "nothing runs twice";
pub const SENT_TWICE: &str = "nothing is sent twice in an attempt, but where nobody knows how it went";
pub const LATE: &str = "nothing starts after its ttl plus the clock tolerance";
pub const LANE: &str = "a lane goes one after the other, and not on after a failure that stops it";
pub const UNHEARD: &str = "what a device has done counts";
pub const FOREIGN: &str = "what others want in a shadow is left there";
/// What is found out when it happens.
pub const BROKEN: [&str; 9] = [ILLEGAL, HARD, EARLY, TWICE, SENT_TWICE, LATE, LANE, UNHEARD, FOREIGN];

/// What is wrong with a change that was decided at this time, if anything is.
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
    // What is not known to have gone out is not asked for again, but sent.
    let gone = matches!(before.delivery_status, DeliveryStatus::Sent | DeliveryStatus::Delivered);
    if guessed && (now >= before.start_by || !gone) {
        return Some(ILLEGAL);
    }
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
    if world.row(n).is_terminal() {
        return None;
    }
    let others = || world.rows.iter().enumerate().filter(|(m, _)| *m != n).filter_map(|(_, row)| row.as_ref());
    let under_way = others().any(|other| !other.is_terminal() && other.sent_at.is_some());
    // Its shadow holds one command.
    if row.via == Via::Shadow(ShadowRoute::Atlas) && under_way {
        return Some(LANE);
    }
    let lane = row.lane.as_ref().filter(|lane| !lane.name.is_of_state())?;
    let failed = |other: &Execution| {
        let superseded = other.verdict.is_some_and(|verdict| verdict.reason == Reason::Superseded);
        other.is_terminal() && other.status != Status::Succeeded && !superseded
    };
    let stopped = lane.on_failure == OnFailure::Stop && sent.behind && others().any(|other| failed(other));
    (under_way || stopped).then_some(LANE)
}

/// What is wrong with beginning this now.
pub fn of_beginning(scenario: &Scenario, world: &World, n: usize, attempt: u16) -> Option<&'static str> {
    let device = world.devices[n];
    let running = matches!(device.state, State::Running(_) | State::Ended(Word::Succeeded));
    if running || device.begun & 1 << attempt != 0 {
        return Some(TWICE);
    }
    is_late(scenario, world, n).then_some(LATE)
}

/// Whether this one must not begin any more.
pub fn is_late(scenario: &Scenario, world: &World, n: usize) -> bool {
    let born = seconds(world.row(n).created_at);
    // Who knows no deadlines relies on the withdrawal, which comes a tick later for every reconciler that dies.
    // And by as long as whoever put it there was slow to do so.
    let slow = if world.sent[n].slow { LIFE } else { 0 };
    let slack = TOLERANCE + slow + i64::from(world.crashes) * TICK;
    world.now >= born + i64::from(scenario.commands[n].definition.deadlines.ttl()) + slack
}

/// What is wrong once this success was heard, and all was done about it.
pub fn of_hearing(world: &World, said: Said) -> Option<&'static str> {
    let row = world.row(said.n);
    (said.attempt <= row.attempt && row.outcome.is_none()).then_some(UNHEARD)
}

type Rule = (&'static str, fn(&Scenario, &World) -> bool);

/// What holds at any time.
pub const ALWAYS: [Rule; 9] = [
    ("every execution settles by its deadline plus a tick", |scenario, world| {
        (0..world.rows.len()).all(|n| world.rows[n].as_ref().is_none_or(|row| settles(scenario, world, n, row)))
    }),
    ("nothing that is owed is forgotten", |_, world| {
        all(world, |row| row.due_at.is_some() || (row.is_terminal() && !row.withdraw && !row.in_lane))
    }),
    ("what is due is done by the next tick", |_, world| {
        world.due.iter().all(|due| world.now <= due.saturating_add(grace(world)))
    }),
    ("a withdrawn command is not in the shadow", |scenario, world| {
        let state = &world.shadow.state;
        let gone = |row: &Execution| row.is_terminal() && !row.withdraw;
        let wishes = (0..world.rows.len()).filter(|n| world.rows[*n].as_ref().is_some_and(|row| gone(row)));
        wishes.into_iter().all(|n| world.is_unwished(scenario, n))
            && all(world, |row| !gone(row) || !names(&state["desired"], row.key.id.as_str()))
    }),
    ("a lane does not stand still", |_, world| {
        // One that was refused goes out again by itself.
        let waits = |row: &Execution| {
            row.waits_in_lane() && at(world.now) < row.start_by && !(row.claim.is_some() && row.send_at.is_some())
        };
        let ended = |id: &ExecutionId| world.named(id).is_none_or(|n| world.row(n).is_terminal());
        let next = |row: &Execution| world.queue.before(&row.key.id).iter().all(ended);
        // Whoever has died has left one that is looked at, soon, and not only to say that its time has passed.
        let soon = at(world.now + TICK).as_seconds();
        let seen = |row: &Execution| {
            row.in_lane && (row.is_terminal() || row.send_at.is_some()) && row.due_at.is_some_and(|due| due <= soon)
        };
        let left = world.crashes > 0 && !all(world, |row| !seen(row));
        !world.handlers.is_empty() || left || all(world, |row| !waits(row) || !next(row))
    }),
    ("what has gone out has not expired", |_, world| {
        let guess = |row: &Execution| row.verdict.filter(|_| row.outcome.is_none());
        let expired = |row: &Execution| guess(row).is_some_and(|verdict| verdict.reason == Reason::Expired);
        let wrong = |row: &Execution, sent: &Sent| expired(row) && sent.times > 0;
        !world.rows.iter().zip(&world.sent).any(|(row, sent)| row.as_ref().is_some_and(|row| wrong(row, sent)))
    }),
    ("what was to go another way does so soon", |_, world| {
        let rerouted = |row: &Execution| {
            row.claim.is_none() && !row.is_untouched() && row.delivery_status == DeliveryStatus::Pending && !row.in_lane
        };
        let soon = |row: &Execution| row.due_at.is_some_and(|due| due <= at(world.now + TICK).as_seconds());
        !world.handlers.is_empty() || all(world, |row| row.is_terminal() || !rerouted(row) || soon(row))
    }),
    ("what waits for its device goes out when that is back", |_, world| {
        let waits = |row: &Execution| row.delivery_status == DeliveryStatus::Queued && !row.is_terminal();
        all(world, |row| !waits(row) || at(world.now) >= row.start_by || row.is_to_be_replayed(at(world.now)))
    }),
    ("what is claimed or called sent was tried", |_, world| {
        let idle = world.handlers.is_empty();
        // Only who stores it says so before, and may die then.
        let known = |row: &Execution| world.crashes == 0 || !row.is_untouched();
        let sent = |row: &Execution| row.delivery_status == DeliveryStatus::Sent && !row.is_terminal();
        let claimed = |row: &Execution| {
            row.delivery_status == DeliveryStatus::Pending
                && row.sent_at.is_some()
                && !row.is_terminal()
                && world.crashes == 0
        };
        let called = |row: &Execution| claimed(row) || (sent(row) && known(row));
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

fn settles(scenario: &Scenario, world: &World, n: usize, row: &Execution) -> bool {
    let deadlines = scenario.commands[n].definition.deadlines;
    let born = seconds(row.created_at);
    let deadline = match row.status {
        Status::Created => born + i64::from(deadlines.ttl()),
        Status::InProgress => seconds(ends(row)).min(born + i64::from(deadlines.timeout())),
        _ => return true,
    };
    world.now <= deadline + grace(world)
}
