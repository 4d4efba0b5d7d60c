//! Checks of commands in a shadow, which must be cleaned up: in each dialect, and where the device of a direct
//! message is offline.

use calls::ShadowWriteOutcome;
use domain::{Channel, Command, Deadlines, Effect, Reason, ShadowRoute, Status};

use super::{
    call::Answer,
    scenario::{STEP, Scenario, at, command, retried, with_payload},
    world::World,
};

fn all_succeed(_: &Scenario, world: &World) -> bool {
    world.rows.iter().flatten().all(|row| row.status == Status::Succeeded)
}

fn both_succeed(scenario: &Scenario, world: &World) -> bool {
    world.rows[1].is_some() && all_succeed(scenario, world)
}

fn is_cleaned_up(_: &Scenario, world: &World) -> bool {
    world.first().is_terminal() && !world.first().shadow_cleanup_pending && world.shadow.version > 1
}

#[test]
fn a_command_in_the_dialect_map() {
    let scenario = Scenario::of(vec![with_payload(command(1), r#"{"delay":5}"#)]);
    let mut scenario = scenario.on(Channel::Shadow(ShadowRoute::default()));
    (scenario.faults, scenario.cancels, scenario.sending_fails, scenario.no_start_report) = (1, 1, true, true);
    scenario.reached = vec![("the shadow is cleaned up", is_cleaned_up), ("it succeeds", all_succeed)];
    scenario.check("a command in the dialect map");
}

#[test]
fn a_write_that_is_applied_late() {
    let scenario = Scenario::of(vec![with_payload(command(1), r#"{"delay":5}"#)]);
    let mut scenario = scenario.on(Channel::Shadow(ShadowRoute::default()));
    (scenario.writes_are_late, scenario.no_foreign_writes, scenario.faults, scenario.cancels) = (true, true, 1, 1);
    (scenario.no_duplicates, scenario.no_start_report) = (true, true);
    scenario.reached = vec![
        ("it is put into the shadow after it was canceled, and removed", |_, world| {
            let is_late = world.faults == 0 && world.crashes == 0 && world.late_write.is_none();
            is_late && world.sent[0].times == 1 && !world.first().shadow_cleanup_pending && world.cancels == 0
        }),
        ("it succeeds", all_succeed),
    ];
    scenario.check("a write that is applied late");
}

#[test]
fn heartbeats_after_a_start_in_a_shadow() {
    let mut command = with_payload(command(1), r#"{"delay":5}"#);
    command.definition.deadlines = Deadlines::new(Some(30), Some(40), Some(3)).unwrap();
    let mut scenario = Scenario::of(vec![command]).on(Channel::Shadow(ShadowRoute::default()));
    scenario.end = 25;
    scenario.reached = vec![
        ("it succeeds", all_succeed),
        ("it ends with HEARTBEAT_LOST", |_, world| {
            world.first().verdict.is_some_and(|verdict| verdict.reason == Reason::HeartbeatLost)
        }),
    ];
    scenario.check("heartbeats after a start in a shadow");
}

/// A ttl that goes on when its creator has certainly ended, in seconds.
const LONG_TTL: i64 = 30;

fn with_long_ttl(mut command: Command) -> Command {
    command.definition.deadlines = Deadlines::new(Some(LONG_TTL), Some(LONG_TTL + STEP), None).unwrap();
    command
}

#[test]
fn a_request_that_leaves_its_shadow_early() {
    let mut scenario = Scenario::of(vec![with_long_ttl(command(1))]).on(Channel::Shadow(ShadowRoute::default()));
    (scenario.withdrawals, scenario.end) = (2, 45);
    scenario.reached = vec![
        ("it is withdrawn, and its device never reads it", |_, world| {
            let early = world.first().verdict.is_some_and(|verdict| verdict.at < world.first().start_by);
            early && !world.first().shadow_cleanup_pending && world.devices[0].started == 0 && world.now >= LONG_TTL
        }),
        ("its device has read it before, and succeeds", |scenario, world| {
            world.first().verdict.is_some() && all_succeed(scenario, world)
        }),
        ("it is left to its time, since its creator may be sending", |_, world| {
            world.withdrawals < 2 && world.first().is_as_created() && world.handlers.is_empty()
        }),
    ];
    scenario.check("a request that leaves its shadow early");
}

#[test]
fn the_second_attempt_leaves_its_shadow_early() {
    let command = with_long_ttl(retried(command(1), &["NO_RESPONSE"]));
    let mut scenario = Scenario::of(vec![command]).on(Channel::Shadow(ShadowRoute::default()));
    (scenario.withdrawals, scenario.no_start_report, scenario.end) = (1, true, 45);
    scenario.reached = vec![("the second attempt is withdrawn", |_, world| {
        let verdict = world.first().verdict.filter(|verdict| verdict.at < world.first().start_by);
        verdict.is_some() && world.first().attempt == 2
    })];
    scenario.check("the second attempt leaves its shadow early");
}

fn atlas(commands: Vec<Command>) -> Scenario {
    let mut scenario = Scenario::of(commands).on(Channel::Shadow(ShadowRoute::Atlas));
    (scenario.no_start_report, scenario.end) = (true, 25);
    scenario
}

#[test]
fn a_command_in_the_dialect_atlas() {
    let mut scenario = atlas(vec![command(1)]);
    (scenario.faults, scenario.no_duplicates) = (1, true);
    scenario.reached = vec![
        ("it succeeds", all_succeed),
        ("the shadow is cleaned up", is_cleaned_up),
        ("a clean-up has a version conflict", |_, world| {
            world.handlers.iter().any(|handler| {
                handler.node.answers().any(|(_, answer)| *answer == Answer::Shadow(ShadowWriteOutcome::Conflict))
            })
        }),
    ];
    scenario.check("a command in the dialect atlas");
}

#[test]
fn two_commands_in_the_dialect_atlas() {
    let mut scenario = two_commands_in_atlas();
    scenario.handler_seconds = STEP;
    scenario.check("two commands in the dialect atlas");
}

#[test]
fn two_commands_in_the_dialect_atlas_and_slow_handlers() {
    let mut scenario = two_commands_in_atlas();
    (scenario.max_handlers, scenario.faults, scenario.no_duplicates) = (1, 1, true);
    scenario.check("two commands in the dialect atlas, and slow handlers");
}

fn two_commands_in_atlas() -> Scenario {
    let mut scenario = atlas(vec![command(1), command(2)]);
    scenario.reached = vec![("both succeed", both_succeed), ("the shadow is cleaned up", is_cleaned_up)];
    scenario
}

#[test]
fn a_command_rerouted_through_a_shadow() {
    let mut scenario = Scenario::of(vec![command(1)]).with_fallback(ShadowRoute::default());
    (scenario.cancels, scenario.offline) = (1, true);
    scenario.reached = vec![
        ("the shadow is cleaned up", is_cleaned_up),
        ("it succeeds through the shadow", |scenario, world| {
            world.first().channel.shadow().is_some() && all_succeed(scenario, world)
        }),
        ("its device never reads the shadow", |_, world| {
            world.first().verdict.is_some_and(|verdict| verdict.reason == Reason::NoResponse)
        }),
    ];
    scenario.check("a command rerouted through a shadow");
}

#[test]
fn a_command_rerouted_by_a_handler_that_crashes() {
    let mut command = command(1);
    command.definition.deadlines = Deadlines::new(Some(50), Some(60), None).unwrap();
    let mut scenario = Scenario::of(vec![command]).with_fallback(ShadowRoute::default());
    (scenario.max_handlers, scenario.faults, scenario.no_duplicates, scenario.offline) = (1, 1, true, true);
    scenario.no_start_report = true;
    scenario.reached = vec![("the handler that reroutes it crashes, and another one sends it", |scenario, world| {
        let sent_once = world.sent[0].times == 1 && world.first().sent_at.is_some_and(|sent| sent > at(0));
        world.crashes > 0 && sent_once && world.first().channel.shadow().is_some() && all_succeed(scenario, world)
    })];
    scenario.check("a command rerouted by a handler that crashes");
}

fn desired_states(states: &[&str]) -> Scenario {
    let commands = states.iter().zip(1..).map(|(state, n)| with_payload(command(n), state)).collect();
    Scenario::of(commands).on(Channel::Shadow(ShadowRoute::State(None)))
}

#[test]
fn a_desired_state() {
    let mut scenario = desired_states(&[r#"{"light":"on","fan":1}"#]);
    (scenario.faults, scenario.sending_fails, scenario.reconciler_fails, scenario.end) = (1, true, true, 30);
    scenario.reached = vec![
        ("it succeeds", all_succeed),
        ("the shadow is cleaned up", is_cleaned_up),
        ("its processing is postponed", |_, world| {
            world.handlers.iter().any(|handler| {
                let failed = handler.node.answers().any(|(_, answer)| matches!(answer, Answer::Failed(_)));
                failed && handler.node.asks().effect() == Some(&Effect::Nothing)
            })
        }),
    ];
    scenario.check("a desired state");
}

#[test]
fn overlapping_desired_states() {
    let mut scenario = desired_states(&[r#"{"light":"on"}"#, r#"{"light":"off"}"#]);
    (scenario.handler_seconds, scenario.end) = (STEP, 20);
    scenario.reached = vec![
        ("the newer one supersedes the older one, and succeeds", |_, world| {
            let superseded = world.first().verdict.is_some_and(|verdict| verdict.reason == Reason::Superseded);
            superseded && world.rows[1].as_ref().is_some_and(|row| row.status == Status::Succeeded)
        }),
        ("both succeed", both_succeed),
        ("the shadow is cleaned up", is_cleaned_up),
    ];
    scenario.check("overlapping desired states");
}

#[test]
fn overlapping_desired_states_and_slow_handlers() {
    let mut scenario = desired_states(&[r#"{"light":"on"}"#, r#"{"light":"off"}"#]);
    (scenario.max_handlers, scenario.creates_until, scenario.end) = (1, STEP, 25);
    scenario.reached = vec![("both succeed", both_succeed), ("the shadow is cleaned up", is_cleaned_up)];
    scenario.check("overlapping desired states, and slow handlers");
}

#[test]
fn desired_states_of_different_attributes() {
    let mut scenario = desired_states(&[r#"{"light":"on"}"#, r#"{"fan":1}"#]);
    (scenario.max_handlers, scenario.end) = (1, 25);
    scenario.reached = vec![("both succeed", both_succeed), ("the shadow is cleaned up", is_cleaned_up)];
    scenario.check("desired states of different attributes");
}
