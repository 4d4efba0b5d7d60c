//! Checks of shadows in which is something that is no report about an execution: commands of other applications, requests
//! that a device mirrors, and reports in another dialect than that of the request.

use domain::{Channel, ShadowRoute, Status};

use super::scenario::{Scenario, command, with_payload};

fn with_echoes(channel: Channel, name: &str) {
    let command = with_payload(command(1), r#"{"delay":5}"#);
    let mut scenario = Scenario::of(vec![command]);
    if channel.shadow().is_some() {
        scenario = scenario.on(channel);
    }
    (scenario.echoes, scenario.faults, scenario.no_duplicates, scenario.no_start_report) = (1, 1, true, true);
    scenario.end = 25;
    scenario.reached = vec![
        ("there is an echo while it is open, and it succeeds", |_, world| {
            world.echoes == 0 && world.first().status == Status::Succeeded
        }),
        ("there is an echo, and it never succeeds", |_, world| world.echoes == 0 && world.first().verdict.is_some()),
    ];
    scenario.check(name);
}

#[test]
fn echoes_about_a_direct_message() {
    with_echoes(Channel::Direct, "echoes about a direct message");
}

#[test]
fn echoes_about_a_command_in_the_dialect_map() {
    with_echoes(Channel::Shadow(ShadowRoute::default()), "echoes about a command in the dialect map");
}

#[test]
fn echoes_about_a_command_in_the_dialect_atlas() {
    with_echoes(Channel::Shadow(ShadowRoute::Atlas), "echoes about a command in the dialect atlas");
}
