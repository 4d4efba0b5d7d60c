//! Commands that go through a shadow, and have to be out of it again: in our dialect, in the Atlas', and where a direct message
//! did not reach the device.

use domain::{Command, Reason, ShadowRoute, Status, Via};

use super::{
    handler::Call,
    scenario::{Scenario, command, with},
    world::World,
};

fn succeeded(_: &Scenario, world: &World) -> bool {
    world.rows.iter().flatten().all(|row| row.status == Status::Succeeded)
}

fn withdrawn(_: &Scenario, world: &World) -> bool {
    world.row(0).is_terminal() && !world.row(0).withdraw && world.shadow.version > 1
}

#[test]
fn a_command_in_our_dialect() {
    let mut scenario = Scenario::of(vec![with(command(1), r#"{"delay":5}"#)]);
    scenario.via = Via::Shadow(ShadowRoute::default());
    (scenario.mishaps, scenario.cancels, scenario.unsure, scenario.quiet) = (1, 1, true, true);
    scenario.reached = vec![("it is withdrawn", withdrawn), ("it succeeds", succeeded)];
    scenario.check("a command in our dialect");
}

fn atlas(commands: Vec<Command>) -> Scenario {
    let mut scenario = Scenario::of(commands);
    scenario.via = Via::Shadow(ShadowRoute::Atlas);
    (scenario.quiet, scenario.horizon) = (true, 35);
    scenario
}

#[test]
fn a_command_in_the_dialect_of_the_atlas() {
    let mut scenario = atlas(vec![command(1)]);
    (scenario.mishaps, scenario.cancels) = (1, 1);
    scenario.reached = vec![
        ("it succeeds", succeeded),
        ("it is withdrawn", withdrawn),
        ("the shadow had changed", |_, world| {
            world.handlers.iter().any(|handler| handler.call == Call::ReadShadow { again: true })
        }),
    ];
    scenario.check("a command in the dialect of the Atlas");
}

#[test]
fn commands_in_the_dialect_of_the_atlas() {
    let mut scenario = atlas(vec![command(1), command(2)]);
    scenario.reached = vec![
        ("both succeed", |scenario, world| world.rows[1].is_some() && succeeded(scenario, world)),
        ("one is withdrawn", withdrawn),
    ];
    scenario.check("commands in the dialect of the Atlas");
}

#[test]
fn a_command_that_goes_through_the_shadow_since_its_device_is_not_there() {
    let mut scenario = Scenario::of(vec![command(1)]);
    scenario.other = Some(ShadowRoute::default());
    (scenario.cancels, scenario.offline) = (1, true);
    scenario.reached = vec![
        ("it is withdrawn", withdrawn),
        ("it succeeds through the shadow", |scenario, world| {
            world.row(0).via.shadow().is_some() && succeeded(scenario, world)
        }),
        ("nobody looked", |_, world| world.row(0).verdict.is_some_and(|verdict| verdict.reason == Reason::NoResponse)),
    ];
    scenario.check("a command that goes through the shadow");
}
