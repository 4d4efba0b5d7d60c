//! Checks of requests for the same command at the same time: its device is asked once, unless its creator may have
//! crashed.

use domain::{Channel, Deadlines, ShadowRoute, Status};

use super::scenario::{Scenario, command, with_payload};

#[test]
fn two_requests_at_one_instant() {
    let mut scenario = Scenario::of(vec![command(1)]);
    (scenario.repeats, scenario.faults, scenario.no_duplicates, scenario.end) = (1, 1, true, 25);
    scenario.reached = vec![
        ("it succeeds at once", |_, world| world.now == 0 && world.first().status == Status::Succeeded),
        ("the creator crashes, and the request goes out again", |_, world| {
            world.crashes > 0 && world.sent[0].times == 2 && world.first().status == Status::Succeeded
        }),
        ("the creator is doubted", |_, world| world.first().is_doubted()),
    ];
    scenario.check("two requests at one instant");
}

#[test]
fn two_requests_at_one_instant_for_a_shadow() {
    let mut command = with_payload(command(1), r#"{"delay":5}"#);
    command.definition.deadlines = Deadlines::new(Some(30), Some(40), None).unwrap();
    let mut scenario = Scenario::of(vec![command]).on(Channel::Shadow(ShadowRoute::default()));
    (scenario.repeats, scenario.faults, scenario.no_duplicates, scenario.no_start_report) = (1, 1, true, true);
    scenario.end = 25;
    scenario.reached = vec![
        ("the creator is doubted, and says that it is alive", |_, world| {
            world.repeats == 0
                && world.crashes == 0
                && world.sent[0].times == 1
                && !world.first().is_as_created()
                && world.first().status == Status::Created
        }),
        ("the request goes out again", |_, world| world.sent[0].times == 2),
    ];
    scenario.check("two requests at one instant for a shadow");
}
