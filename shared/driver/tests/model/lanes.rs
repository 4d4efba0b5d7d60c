//! Checks of two commands in a lane: the second is sent when the first has ended, or not at all.

use domain::{Deadlines, Effect, OnFailure, Reason, Status};

use super::{
    scenario::{STEP, Scenario, TICK, at, command, in_lane},
    world::{Row, World},
};

/// Two commands in a lane. The checks with two handlers at a time let none of them last for a step of the clock, since
/// there would be too many worlds; [`a_lane_whose_handlers_crash`] has slow ones, one at a time.
fn lane(on_failure: OnFailure) -> Scenario {
    let mut scenario = Scenario::of(vec![in_lane(command(1), on_failure), in_lane(command(2), on_failure)]);
    (scenario.fails, scenario.no_start_report, scenario.end) = (true, true, 35);
    scenario
}

fn reason(world: &World, n: usize) -> Option<Reason> {
    world.rows[n].as_ref().and_then(|row| row.verdict).map(|verdict| verdict.reason)
}

fn has_status(world: &World, n: usize, status: Status) -> bool {
    world.rows[n].as_ref().is_some_and(|row| row.status == status)
}

fn queue_is_empty(_: &Scenario, world: &World) -> bool {
    world.rows[1].is_some() && world.queue.head().is_none()
}

#[test]
fn a_lane_that_stops_on_failure() {
    let mut scenario = lane(OnFailure::Stop);
    scenario.handler_seconds = STEP;
    scenario.reached = vec![
        ("both succeed", |_, world| has_status(world, 0, Status::Succeeded) && has_status(world, 1, Status::Succeeded)),
        ("the second is canceled", |_, world| reason(world, 1) == Some(Reason::LaneStopped)),
        ("the second waits too long", |_, world| reason(world, 1) == Some(Reason::LaneBusy)),
        ("both have left the lane", queue_is_empty),
    ];
    scenario.check("a lane that stops on failure");
}

#[test]
fn a_lane_that_skips_failures() {
    let mut scenario = lane(OnFailure::Skip);
    scenario.handler_seconds = STEP;
    scenario.reached = vec![
        ("the second succeeds after a failure", |_, world| {
            has_status(world, 0, Status::Failed) && has_status(world, 1, Status::Succeeded)
        }),
        ("both have left the lane", queue_is_empty),
    ];
    scenario.check("a lane that skips failures");
}

#[test]
fn a_superseding_command() {
    let mut scenario = lane(OnFailure::Stop);
    scenario.setting.commands[1].definition.supersede = true;
    (scenario.offline, scenario.connects, scenario.fails) = (true, 1, false);
    // The second command is created while the device comes online, or before.
    (scenario.connects_from, scenario.creates_until, scenario.handler_seconds) = (STEP, STEP, STEP);
    scenario.reached = vec![("the newer one succeeds", |_, world| {
        reason(world, 0) == Some(Reason::Superseded) && has_status(world, 1, Status::Succeeded)
    })];
    scenario.check("a superseding command");
}

fn canceled_before_it_is_sent(_: &Scenario, world: &World) -> bool {
    let canceled = reason(world, 0) == Some(Reason::CanceledByOperator) && world.sent[0].tried == 0;
    canceled && world.sent[1].tried == 1
}

#[test]
fn a_lane_that_an_ended_execution_enters() {
    let mut scenario = lane(OnFailure::Skip);
    (scenario.fails, scenario.cancels, scenario.faults, scenario.no_duplicates) = (false, 1, 1, true);
    (scenario.handler_seconds, scenario.end) = (STEP, 15);
    (scenario.offline, scenario.creates_alone) = (true, true);
    scenario.reached = vec![
        ("the first is canceled before it enters its lane, and the second is sent", canceled_before_it_is_sent),
        ("the creator of the first crashes in the lane, and the second is sent", |scenario, world| {
            canceled_before_it_is_sent(scenario, world) && world.crashes > 0
        }),
    ];
    scenario.check("a lane that an ended execution enters");
}

#[test]
fn a_lane_that_is_full() {
    let mut scenario = lane(OnFailure::Skip);
    (scenario.lane_length, scenario.max_handlers, scenario.fails, scenario.repeats) = (1, 1, false, 1);
    (scenario.faults, scenario.no_duplicates, scenario.calls_fail) = (1, true, true);
    scenario.reached = vec![
        ("the second leaves nothing", |_, world| world.sent[0].times > 0 && world.was_full && world.rows[1].is_none()),
        ("the function that would delete the second crashes, and it is sent", |_, world| {
            world.was_full && world.faults == 0 && has_status(world, 1, Status::Succeeded)
        }),
    ];
    scenario.check("a lane that is full");
}

/// A lane of four executions, which a function claims before it settles it.
fn claimed_lane() -> Scenario {
    let mut scenario = Scenario::of((1..=4).map(|n| in_lane(command(n), OnFailure::Skip)).collect());
    (scenario.offline, scenario.creates_alone, scenario.end) = (true, true, 35);
    scenario.reached = vec![
        ("the lane is claimed, and another function leaves it to that one", |_, world| {
            world.queue.settler.is_some() && world.handlers.len() == 2
        }),
        ("all have ended and left the lane", |_, world| {
            let left = |row: &Option<Row>| row.as_ref().is_some_and(|row| row.has_left_lane());
            world.rows.iter().all(left) && world.queue.ids.is_empty()
        }),
    ];
    scenario
}

#[test]
fn a_lane_that_is_claimed() {
    let mut scenario = claimed_lane();
    scenario.handler_seconds = STEP;
    scenario.check("a lane that is claimed");
}

#[test]
fn a_command_that_comes_due_in_a_claimed_lane() {
    let mut scenario = claimed_lane();
    // The last one comes due while a function settles the lane for the others.
    for (command, ttl) in scenario.setting.commands.iter_mut().zip([STEP, STEP, STEP, 2 * STEP]) {
        command.definition.deadlines = Deadlines::new(Some(ttl), Some(ttl), None).unwrap();
    }
    scenario.setting.wakes = true;
    (scenario.handler_seconds, scenario.end) = (STEP, 2 * TICK);
    scenario.reached[0] = ("it has a wake at the end of the claim", |_, world| {
        world.wakes.iter().any(|wake| wake.n == 3 && at(wake.at).as_seconds() > wake.due)
    });
    scenario.check("a command that comes due in a claimed lane");
}

#[test]
fn a_lane_whose_claimer_crashes() {
    let mut scenario = claimed_lane();
    (scenario.max_handlers, scenario.faults, scenario.no_duplicates) = (1, 1, true);
    scenario.reached[0] = ("the function that has claimed the lane crashes", |_, world| {
        world.queue.settler.is_some() && world.crashes > 0 && world.handlers.is_empty()
    });
    scenario.check("a lane whose claimer crashes");
}

#[test]
fn a_lane_whose_handlers_crash() {
    let mut scenario = lane(OnFailure::Skip);
    for command in &mut scenario.setting.commands {
        command.definition.deadlines = Deadlines::new(Some(50), Some(60), None).unwrap();
    }
    (scenario.max_handlers, scenario.fails, scenario.faults, scenario.no_duplicates) = (1, false, 1, true);
    scenario.reached = vec![
        ("the second waits in its lane", |_, world| {
            world.handlers.iter().any(|handler| handler.node.asks().effect() == Some(&Effect::WaitsInLane))
        }),
        ("the second is sent although a handler crashed", |_, world| {
            world.crashes > 0 && has_status(world, 1, Status::Succeeded)
        }),
    ];
    scenario.check("a lane whose handlers crash");
}
