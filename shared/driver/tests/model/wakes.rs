//! Checks with wakes: each may come at its time, late, twice or never. The ticks do what is left.

use domain::{Channel, Deadlines, Reason, Retry, RetryOptions, ShadowRoute, Status};

use super::{
    scenario::{STEP, Scenario, TICK, at, command, retried, with_heartbeats, with_payload},
    world::World,
};

fn retried_before_the_tick(_: &Scenario, world: &World) -> bool {
    world.now % TICK != 0 && world.first().attempt == 2 && world.sent[0].attempt == 2
}

#[test]
fn a_retry_with_wakes() {
    let mut scenario = Scenario::of(vec![retried(command(1), &["NO_RESPONSE"])]);
    scenario.setting.wakes = true;
    (scenario.faults, scenario.handler_seconds, scenario.end) = (1, STEP, 20);
    scenario.reached = vec![
        ("the second attempt is sent between two ticks", retried_before_the_tick),
        ("the second attempt succeeds", |_, world| {
            world.first().attempt == 2 && world.first().status == Status::Succeeded
        }),
    ];
    scenario.check("a retry with wakes");
}

#[test]
fn a_retry_after_a_late_report() {
    let mut command = retried(command(1), &["FAILED"]);
    let backoff =
        RetryOptions { attempts: Some(2), on: Some(vec!["FAILED"]), wait: Some(5), base: Some(3), cap: Some(3) };
    command.definition.retry = Some(Retry::new(&backoff, 15).unwrap());
    let mut scenario = Scenario::of(vec![command]);
    scenario.setting.wakes = true;
    (scenario.fails, scenario.no_start_report, scenario.elapses, scenario.end) = (true, true, true, 20);
    scenario.reached = vec![("the second attempt is sent between two ticks", retried_before_the_tick)];
    scenario.check("a retry after a late report");
}

#[test]
fn heartbeats_with_wakes() {
    let mut scenario = Scenario::of(vec![with_heartbeats(command(1))]);
    scenario.setting.wakes = true;
    // After a longer one, an earlier report may move the deadline back, and the wake of the later deadline stays.
    scenario.handler_seconds = STEP;
    (scenario.numbered_heartbeats, scenario.heartbeats, scenario.end) = (true, 1, 25);
    scenario.reached = vec![("the heartbeat is lost, and it ends between two ticks", |_, world| {
        let lost = world.first().verdict.is_some_and(|verdict| verdict.reason == Reason::HeartbeatLost);
        lost && world.now % TICK != 0
    })];
    scenario.check("heartbeats with wakes");
}

#[test]
fn a_start_after_the_first_look() {
    let mut command = with_heartbeats(command(1));
    command.definition.deadlines = Deadlines::new(Some(30), Some(40), Some(3)).unwrap();
    let mut scenario = Scenario::of(vec![command]);
    scenario.setting.wakes = true;
    (scenario.handler_seconds, scenario.end) = (STEP, 30);
    scenario.reached = vec![("it starts after its wake has come, and its heartbeat is lost", |_, world| {
        let lost = world.first().verdict.is_some_and(|verdict| verdict.reason == Reason::HeartbeatLost);
        lost && world.first().started_at == Some(at(TICK))
    })];
    scenario.check("a start after the first look");
}

#[test]
fn a_shadow_with_wakes() {
    let scenario = Scenario::of(vec![with_payload(command(1), r#"{"delay":5}"#)]);
    let mut scenario = scenario.on(Channel::Shadow(ShadowRoute::default()));
    scenario.setting.wakes = true;
    (scenario.no_start_report, scenario.faults, scenario.no_duplicates, scenario.end) = (true, 1, true, 25);
    scenario.reached = vec![("the shadow is cleaned up at once", |_, world| {
        world.now < TICK + TICK && world.first().verdict.is_some() && !world.first().shadow_cleanup_pending
    })];
    scenario.check("a shadow with wakes");
}
