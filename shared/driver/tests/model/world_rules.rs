//! What holds at any time, and the list of the rules that are checked when something happens.

use domain::{Channel, DeliveryStatus, Execution, ExecutionId, Reason, Status};

use super::{
    cancel_rules::NOT_NOTIFIED,
    change_rules::{EARLY, ECHO, FINAL, ILLEGAL, OUTDATED, running_deadline},
    device::contains_text,
    event::online_at,
    report_rules::{FAILURE_IGNORED, IGNORED, SUCCESS_IGNORED},
    scenario::{STEP, Scenario, TICK, at, seconds},
    send_rules::{DOUBTED, FULL, LANE, LANE_SHADOW, LATE, SENT_TWICE, STARTED_TWICE, UNCLAIMED, UNUSED_CLAIM},
    wake_rules,
    world::{SentRecord, World},
};

pub const FOREIGN_ENTRIES: &str = "entries of other writers stay in the shadow";

/// The rules whose violation is noted when it happens.
pub const NOTED: [&str; 21] = [
    ECHO,
    ILLEGAL,
    FINAL,
    EARLY,
    OUTDATED,
    STARTED_TWICE,
    SENT_TWICE,
    LATE,
    LANE,
    LANE_SHADOW,
    SUCCESS_IGNORED,
    FAILURE_IGNORED,
    IGNORED,
    FOREIGN_ENTRIES,
    UNUSED_CLAIM,
    UNCLAIMED,
    FULL,
    DOUBTED,
    NOT_NOTIFIED,
    wake_rules::EARLY,
    wake_rules::IDLE_WRITE,
];

type Rule = (&'static str, fn(&Scenario, &World) -> bool);

/// The rules that hold at any time.
pub const ALWAYS: [Rule; 15] = [
    ("every execution ends by its deadline plus a tick", |scenario, world| {
        (0..world.rows.len()).all(|n| world.rows[n].as_ref().is_none_or(|row| ends_in_time(scenario, world, n, row)))
    }),
    ("every row that needs something is due", |_, world| {
        all(world, |row| row.due_at.is_some() || (row.is_terminal() && !row.shadow_cleanup_pending && !row.in_lane))
    }),
    ("every row is due by the time at which it needs something", |_, world| {
        // The entry of a row whose processing failed is moved behind the others that are due.
        let late = |row: &Execution| {
            let needed_at = row.next_due_at(at(world.now)).max(at(world.now)).as_seconds_rounded_up();
            !row.is_terminal() && row.due_at.is_none_or(|due| due > needed_at)
        };
        // A report whose handler has crashed comes again.
        let comes_again = world.reports.iter().any(|report| report.arrived_at.is_some());
        !world.handlers.is_empty() || comes_again || all(world, |row| !late(row))
    }),
    ("every due entry has a wake under way", wake_rules::every_entry_has_a_wake),
    ("a due row is processed by the next tick", |scenario, world| {
        world.due.iter().all(|due| world.now <= due.saturating_add(grace(scenario, world)))
    }),
    ("a shadow that is cleaned up does not contain the command", |scenario, world| {
        let state = &world.shadow.state;
        let cleaned_up = |row: &Execution| row.is_terminal() && !row.shadow_cleanup_pending;
        let mut ended = (0..world.rows.len()).filter(|n| world.rows[*n].as_ref().is_some_and(|row| cleaned_up(row)));
        ended.all(|n| world.is_removed_from_delta(scenario, n))
            && all(world, |row| !cleaned_up(row) || !contains_text(&state["desired"], row.key.id.as_str()))
    }),
    ("an execution whose turn has come is sent soon", |_, world| {
        // One whose sending was refused is sent again at its own time.
        let waits = |row: &Execution| {
            row.waits_in_lane() && at(world.now) < row.start_by && !(row.claim.is_some() && row.next_send_at.is_some())
        };
        let ended = |id: &ExecutionId| world.index_of(id).is_none_or(|n| world.row(n).is_terminal());
        // A desired state waits for no other one.
        let is_state = |id: &ExecutionId| world.index_of(id).is_some_and(|n| world.row(n).sets_desired_state());
        let passes = |row: &Execution, id: &ExecutionId| ended(id) || (row.sets_desired_state() && is_state(id));
        let is_next = |row: &Execution| world.queue.before(&row.key.id).iter().all(|id| passes(row, id));
        // A handler that crashed leaves a row of the lane that is due soon, and not only at the end of its ttl.
        let soon = at(world.now + TICK).as_seconds();
        let due_soon = |row: &Execution| {
            let pending = row.is_terminal() || row.next_send_at.is_some();
            row.in_lane && pending && row.due_at.is_some_and(|due| due <= soon)
        };
        let left_by_crash = world.crashes > 0 && !all(world, |row| !due_soon(row));
        !world.handlers.is_empty() || left_by_crash || all(world, |row| !waits(row) || !is_next(row))
    }),
    ("an execution that was sent is not EXPIRED", |_, world| {
        let provisional = |row: &Execution| row.verdict.filter(|_| row.outcome.is_none());
        let expired = |row: &Execution| provisional(row).is_some_and(|verdict| verdict.reason == Reason::Expired);
        let wrong = |row: &Execution, sent: &SentRecord| expired(row) && sent.times > 0;
        !world.rows.iter().zip(&world.sent).any(|(row, sent)| row.as_ref().is_some_and(|row| wrong(row, sent)))
    }),
    ("no execution that has left its lane is at its head", |_, world| {
        let has_left = |id: &ExecutionId| world.index_of(id).is_some_and(|n| world.row(n).has_left_lane());
        !world.handlers.is_empty() || world.crashes > 0 || !world.queue.head().is_some_and(has_left)
    }),
    ("no function that is done leaves a lane claimed", |_, world| {
        let in_force = |until| at(world.now) < until;
        let settler = world.queue.settler.as_ref();
        !world.handlers.is_empty() || world.crashes > 0 || !settler.is_some_and(|claim| in_force(claim.until))
    }),
    ("a rerouted request is sent soon", |_, world| {
        let rerouted = |row: &Execution| {
            let pending = row.delivery_status == DeliveryStatus::Pending && !row.in_lane;
            row.claim.is_none() && !row.is_as_created() && pending
        };
        let due_soon = |row: &Execution| row.due_at.is_some_and(|due| due <= at(world.now + TICK).as_seconds());
        !world.handlers.is_empty() || all(world, |row| row.is_terminal() || !rerouted(row) || due_soon(row))
    }),
    ("a queued request is sent when its device comes online", |_, world| {
        let waits = |row: &Execution| row.delivery_status == DeliveryStatus::Queued && !row.is_terminal();
        all(world, |row| !waits(row) || at(world.now) >= row.start_by || row.should_send_on_connect(at(world.now)))
    }),
    ("no request stays QUEUED while its device is connected", |_, world| {
        // The event of a connect that is on its way, or one that has failed, sends it.
        let idle = world.handlers.is_empty() && world.online_events.is_empty() && world.crashes == 0;
        let queued = |row: &Execution| row.delivery_status == DeliveryStatus::Queued && !row.is_terminal();
        let in_time = |row: &Execution| at(world.now) < row.start_by;
        !(idle && world.online_since.is_some()) || all(world, |row| !queued(row) || !in_time(row))
    }),
    ("no unacknowledged message stays SENT while its device is connected again", |_, world| {
        let idle = world.handlers.is_empty() && world.online_events.is_empty() && world.crashes == 0;
        let Some(since) = world.online_since.filter(|_| idle) else { return true };
        let is_direct = |row: &Execution| row.channel == Channel::Direct;
        all(world, |row| !is_direct(row) || !row.should_send_again(online_at(since), at(world.now)))
    }),
    ("a request that is claimed or SENT was sent", |_, world| {
        let idle = world.handlers.is_empty();
        // Only a creator stores a row as SENT before it sends the request, and may crash then.
        let by_crashed_creator = |row: &Execution| world.crashes > 0 && row.is_as_created();
        let stored_as_sent = |row: &Execution| row.delivery_status == DeliveryStatus::Sent && !row.is_terminal();
        let claimed = |row: &Execution| {
            let pending = row.delivery_status == DeliveryStatus::Pending && !row.is_terminal();
            pending && row.sent_at.is_some() && world.crashes == 0
        };
        let sent = |row: &Execution| claimed(row) || (stored_as_sent(row) && !by_crashed_creator(row));
        // One whose claim took long is sent later.
        let tried = |n: usize, row: &Execution| world.sent[n].unused_claim || world.sent[n].tried >= row.attempt;
        let untried = |n: usize, row: &Execution| sent(row) && !tried(n, row);
        !(idle && world.rows.iter().enumerate().any(|(n, row)| row.as_ref().is_some_and(|row| untried(n, row))))
    }),
];

fn all(world: &World, holds: impl Fn(&Execution) -> bool) -> bool {
    world.rows.iter().flatten().all(|row| holds(row))
}

/// A tick, and the time of the handler that it starts, in seconds.
fn grace(scenario: &Scenario, world: &World) -> i64 {
    TICK + scenario.handler_seconds - STEP + i64::from(world.crashes) * TICK
}

fn ends_in_time(scenario: &Scenario, world: &World, n: usize, row: &Execution) -> bool {
    let deadlines = scenario.setting.commands[n].definition.deadlines;
    let created = seconds(row.created_at);
    let deadline = match row.status {
        Status::Created => created + i64::from(deadlines.ttl_seconds()),
        Status::InProgress => seconds(running_deadline(row)).min(created + i64::from(deadlines.timeout_seconds())),
        _ => return true,
    };
    world.now <= deadline + grace(scenario, world)
}
