//! Checks in which any call may fail: refused, without an answer, or answered only after the SDK has repeated it; and in
//! which time passes while an event is handled.

use calls::Kind;
use domain::{Channel, OnFailure, ShadowRoute, Status};

use super::{
    call::Answer,
    scenario::{STEP, Scenario, command, in_lane, retried, with_payload},
    world::{Handler, World},
};

fn succeeds_after_a_failure(_: &Scenario, world: &World) -> bool {
    world.faults == 0 && world.rows.iter().flatten().all(|row| row.status == Status::Succeeded)
}

/// A call is answered that way, in a handler that is still at work.
fn is_answered(world: &World, answer: &Answer) -> bool {
    world.handlers.iter().any(|handler| handler.node.answers().any(|(_, other)| other == answer))
}

#[test]
fn calls_fail() {
    let mut scenario = Scenario::of(vec![retried(command(1), &["NO_RESPONSE"])]);
    (scenario.calls_fail, scenario.faults, scenario.cancels, scenario.no_duplicates) = (true, 1, 1, true);
    scenario.reached = vec![
        ("it succeeds after a failure", succeeds_after_a_failure),
        ("a call is refused, and its handler goes on", |_, world| is_answered(world, &Answer::Failed(Kind::Throttled))),
        ("the row is stored, and its creator finds it", |_, world| {
            let stored = |answer: &Answer| matches!(answer, Answer::Conflict(row) if row.is_as_created());
            world.handlers.iter().any(|handler| handler.node.answers().any(|(_, answer)| stored(answer)))
        }),
    ];
    scenario.check("calls fail");
}

#[test]
fn calls_fail_for_a_shadow() {
    let scenario = Scenario::of(vec![with_payload(command(1), r#"{"delay":5}"#)]);
    let mut scenario = scenario.on(Channel::Shadow(ShadowRoute::default()));
    (scenario.calls_fail, scenario.faults, scenario.no_duplicates, scenario.no_start_report) = (true, 1, true, true);
    scenario.reached = vec![("it succeeds after a failure", succeeds_after_a_failure)];
    scenario.check("calls fail for a shadow");
}

#[test]
fn calls_fail_in_a_lane() {
    let mut scenario = Scenario::of(vec![in_lane(command(1), OnFailure::Stop), in_lane(command(2), OnFailure::Stop)]);
    (scenario.calls_fail, scenario.faults, scenario.no_duplicates, scenario.no_start_report) = (true, 1, true, true);
    (scenario.max_handlers, scenario.fails) = (1, true);
    scenario.reached = vec![("both succeed after a failure", |scenario, world| {
        world.rows[1].is_some() && succeeds_after_a_failure(scenario, world)
    })];
    scenario.check("calls fail in a lane");
}

#[test]
fn a_late_report() {
    let mut scenario = Scenario::of(vec![retried(command(1), &["FAILED"])]);
    (scenario.fails, scenario.faults, scenario.no_duplicates, scenario.no_start_report) = (true, 1, true, true);
    (scenario.handler_seconds, scenario.end) = (STEP, 20);
    scenario.reached =
        vec![("the report comes again after ten seconds, and the second attempt is sent", |_, world| {
            let is_late = |handler: &Handler| world.now - handler.node.event.at >= 10;
            world.sent[0].attempt == 2 && world.handlers.iter().any(is_late)
        })];
    scenario.check("a late report");
}

#[test]
fn time_passes_while_an_event_is_handled() {
    let mut scenario = Scenario::of(vec![command(1)]);
    (scenario.elapses, scenario.handler_seconds, scenario.repeats) = (true, 3 * STEP, 1);
    (scenario.no_start_report, scenario.end) = (true, 25);
    scenario.reached = vec![("a claim took so long that the request is not sent", |_, world| {
        let claimed = world.first().claim.is_some() && world.sent[0].times == 0;
        claimed && world.handlers.is_empty()
    })];
    scenario.check("time passes while an event is handled");
}
