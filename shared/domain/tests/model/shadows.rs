//! Commands that go through a shadow, and have to be out of it again: in our dialect, in the Atlas', and where a direct message
//! did not reach the device.

use domain::{Command, Deadlines, Reason, ShadowRoute, Status, Via};

use super::{
    handler::Call,
    scenario::{Scenario, at, command, with},
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
    (scenario.quiet, scenario.horizon) = (true, 25);
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

#[test]
fn a_command_that_goes_through_the_shadow_though_someone_dies() {
    let mut command = command(1);
    command.definition.deadlines = Deadlines::new(Some(50), Some(60), None).unwrap();
    let mut scenario = Scenario::of(vec![command]);
    scenario.other = Some(ShadowRoute::default());
    (scenario.handlers, scenario.mishaps, scenario.dies_only, scenario.offline) = (1, 1, true, true);
    scenario.quiet = true;
    scenario.reached = vec![("whoever was to put it there has died, and the next one does", |scenario, world| {
        let once = world.sent[0].times == 1 && world.row(0).sent_at.is_some_and(|sent| sent > at(0));
        world.crashes > 0 && once && world.row(0).via.shadow().is_some() && succeeded(scenario, world)
    })];
    scenario.check("a command that goes through the shadow though someone dies");
}

fn wishes(commands: Vec<Command>) -> Scenario {
    let mut scenario = Scenario::of(commands);
    scenario.via = Via::Shadow(ShadowRoute::State(None));
    scenario
}

#[test]
fn a_wish() {
    let mut scenario = wishes(vec![with(command(1), r#"{"light":"on","fan":1}"#)]);
    (scenario.mishaps, scenario.unsure, scenario.fails_to_settle, scenario.horizon) = (1, true, true, 30);
    scenario.reached = vec![
        ("it comes true", succeeded),
        ("it is withdrawn", withdrawn),
        ("it could not be seen to", |_, world| world.handlers.iter().any(|handler| handler.call == Call::Postpone)),
    ];
    scenario.check("a wish");
}

#[test]
fn a_newer_wish_for_the_same() {
    let commands = [r#"{"light":"on"}"#, r#"{"light":"off"}"#];
    let mut scenario = wishes(commands.into_iter().zip(1..).map(|(wish, n)| with(command(n), wish)).collect());
    scenario.horizon = 20;
    scenario.reached = vec![
        ("the newer one comes true in the place of the older", |_, world| {
            let superseded = world.row(0).verdict.is_some_and(|verdict| verdict.reason == Reason::Superseded);
            superseded && world.rows[1].as_ref().is_some_and(|row| row.status == Status::Succeeded)
        }),
        ("both come true", |scenario, world| world.rows[1].is_some() && succeeded(scenario, world)),
        ("it is withdrawn", withdrawn),
    ];
    scenario.check("a newer wish for the same");
}

#[test]
fn wishes_that_do_not_meet() {
    let commands = [r#"{"light":"on"}"#, r#"{"fan":1}"#];
    let mut scenario = wishes(commands.into_iter().zip(1..).map(|(wish, n)| with(command(n), wish)).collect());
    (scenario.handlers, scenario.horizon) = (1, 25);
    scenario.reached = vec![
        ("both come true", |scenario, world| world.rows[1].is_some() && succeeded(scenario, world)),
        ("it is withdrawn", withdrawn),
    ];
    scenario.check("wishes that do not meet");
}
