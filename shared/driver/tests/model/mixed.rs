//! Checks of commands in the dialect atlas and desired states in one classic shadow: neither writes it while the other
//! does, since a write repeats the delta, and a device runs a command in it again.

use domain::{Command, Status};

use super::{
    scenario::{STEP, Scenario, as_state, command, in_atlas},
    world::World,
};

fn all_succeed(_: &Scenario, world: &World) -> bool {
    world.rows.iter().all(|row| row.as_ref().is_some_and(|row| row.status == Status::Succeeded))
}

fn mixed(commands: Vec<Command>) -> Scenario {
    let mut scenario = Scenario::of(commands);
    (scenario.no_start_report, scenario.end) = (true, 25);
    scenario.reached = vec![("all succeed", all_succeed)];
    scenario
}

fn state(n: u8, value: &str) -> Command {
    as_state(command(n), value)
}

#[test]
fn a_desired_state_behind_an_atlas_command() {
    let mut scenario = mixed(vec![in_atlas(command(1)), state(2, r#"{"light":"on"}"#)]);
    scenario.handler_seconds = STEP;
    scenario.check("a desired state behind an atlas command");
}

#[test]
fn an_atlas_command_behind_a_desired_state() {
    let mut scenario = mixed(vec![state(1, r#"{"light":"on"}"#), in_atlas(command(2))]);
    scenario.handler_seconds = STEP;
    scenario.check("an atlas command behind a desired state");
}

#[test]
fn an_atlas_command_behind_desired_states() {
    let states = [r#"{"light":"on"}"#, r#"{"fan":1}"#];
    let mut scenario = mixed(vec![state(1, states[0]), state(2, states[1]), in_atlas(command(3))]);
    (scenario.handler_seconds, scenario.max_handlers) = (STEP, 1);
    scenario.check("an atlas command behind desired states");
}

#[test]
fn an_atlas_command_between_desired_states() {
    let states = [r#"{"light":"on"}"#, r#"{"fan":1}"#];
    let mut scenario = mixed(vec![state(1, states[0]), in_atlas(command(2)), state(3, states[1])]);
    (scenario.handler_seconds, scenario.max_handlers) = (STEP, 1);
    scenario.check("an atlas command between desired states");
}

#[test]
fn desired_states_behind_an_atlas_command() {
    let states = [r#"{"light":"on"}"#, r#"{"fan":1}"#];
    let mut scenario = mixed(vec![in_atlas(command(1)), state(2, states[0]), state(3, states[1])]);
    (scenario.handler_seconds, scenario.max_handlers) = (STEP, 1);
    scenario.check("desired states behind an atlas command");
}

#[test]
fn a_desired_state_between_atlas_commands() {
    let mut scenario = mixed(vec![in_atlas(command(1)), state(2, r#"{"light":"on"}"#), in_atlas(command(3))]);
    (scenario.handler_seconds, scenario.max_handlers) = (STEP, 1);
    scenario.check("a desired state between atlas commands");
}

#[test]
fn a_newer_desired_state_behind_an_atlas_command() {
    let states = [r#"{"light":"on"}"#, r#"{"light":"off"}"#];
    let mut scenario = mixed(vec![state(1, states[0]), in_atlas(command(2)), state(3, states[1])]);
    (scenario.handler_seconds, scenario.max_handlers) = (STEP, 1);
    scenario.reached =
        vec![("the newer one takes the place of the first one, and waits for the command", |_, world| {
            let succeeded = |n: usize| world.rows[n].as_ref().is_some_and(|row| row.status == Status::Succeeded);
            world.first().status == Status::Canceled && succeeded(1) && succeeded(2)
        })];
    scenario.check("a newer desired state behind an atlas command");
}
