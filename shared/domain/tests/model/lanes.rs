//! Two commands in a lane: the second goes out when the first has ended, or not at all.

use domain::{Deadlines, OnFailure, Reason, Status};

use super::{
    handler::Call,
    scenario::{Scenario, command, in_lane},
    world::World,
};

fn lane(on_failure: OnFailure) -> Scenario {
    let mut scenario = Scenario::of(vec![in_lane(command(1), on_failure), in_lane(command(2), on_failure)]);
    (scenario.fails, scenario.quiet, scenario.horizon) = (true, true, 35);
    scenario
}

fn verdict(world: &World, n: usize) -> Option<Reason> {
    world.rows[n].as_ref().and_then(|row| row.verdict).map(|verdict| verdict.reason)
}

fn is(world: &World, n: usize, status: Status) -> bool {
    world.rows[n].as_ref().is_some_and(|row| row.status == status)
}

#[test]
fn a_lane_that_stops() {
    let mut scenario = lane(OnFailure::Stop);
    scenario.reached = vec![
        ("both succeed", |_, world| is(world, 0, Status::Succeeded) && is(world, 1, Status::Succeeded)),
        ("the second is called off", |_, world| verdict(world, 1) == Some(Reason::LaneStopped)),
        ("the second waits for too long", |_, world| verdict(world, 1) == Some(Reason::LaneBusy)),
        ("all have left", |_, world| world.rows[1].is_some() && world.queue.head().is_none()),
    ];
    scenario.check("a lane that stops");
}

#[test]
fn a_lane_that_goes_on() {
    let mut scenario = lane(OnFailure::Skip);
    scenario.reached = vec![
        ("the second succeeds after a failure", |_, world| {
            is(world, 0, Status::Failed) && is(world, 1, Status::Succeeded)
        }),
        ("all have left", |_, world| world.rows[1].is_some() && world.queue.head().is_none()),
    ];
    scenario.check("a lane that goes on");
}

#[test]
fn a_newer_command_takes_the_place_of_an_older_one() {
    let mut scenario = lane(OnFailure::Stop);
    scenario.commands[1].definition.supersede = true;
    scenario.offline = true;
    scenario.reached = vec![("the newer one succeeds", |_, world| {
        verdict(world, 0) == Some(Reason::Superseded) && is(world, 1, Status::Succeeded)
    })];
    scenario.check("a newer command takes the place of an older one");
}

#[test]
fn a_lane_whose_handlers_die() {
    let mut scenario = lane(OnFailure::Skip);
    for command in &mut scenario.commands {
        command.definition.deadlines = Deadlines::new(Some(50), Some(60), None).unwrap();
    }
    (scenario.handlers, scenario.fails, scenario.mishaps, scenario.dies_only) = (1, false, 1, true);
    scenario.reached = vec![
        ("the second waits, and whoever leaves sees to it", |_, world| {
            world.handlers.iter().any(|handler| handler.call == Call::Waits)
        }),
        ("the second goes out though someone has died", |_, world| {
            world.crashes > 0 && is(world, 1, Status::Succeeded)
        }),
    ];
    scenario.check("a lane whose handlers die");
}
