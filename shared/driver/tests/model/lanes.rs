//! Checks of two commands in a lane: the second is sent when the first has ended, or not at all.

use domain::{Deadlines, Effect, OnFailure, Reason, Status};

use super::{
    scenario::{STEP, Scenario, command, in_lane},
    world::World,
};

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
