//! Checks of one execution: retries over a bad network, a rebooting device, and heartbeats.

use domain::{Deadlines, Reason, Status};

use super::{
    event::Kind,
    messages::ReportStatus,
    scenario::{Scenario, TICK, TIMEOUT, at, command, retried, with_heartbeats},
    world::World,
};

fn retries() -> Scenario {
    let mut scenario = Scenario::of(vec![retried(command(1), &["NO_RESPONSE", "FAILED"])]);
    (scenario.max_handlers, scenario.faults, scenario.fails) = (1, 1, true);
    scenario
}

fn second_attempt_fails(_: &Scenario, world: &World) -> bool {
    world.first().attempt == 2 && world.first().status == Status::Failed
}

#[test]
fn retries_over_a_bad_network() {
    let mut scenario = retries();
    scenario.sending_fails = true;
    scenario.reached = vec![
        ("the second attempt succeeds", |_, world| {
            world.first().attempt == 2 && world.first().status == Status::Succeeded && world.devices[0].started == 0b110
        }),
        ("the first attempt succeeds after the second is scheduled", |_, world| {
            world.first().attempt == 2 && world.first().status == Status::Succeeded && world.devices[0].started == 0b10
        }),
        ("a report of a slow device is applied to the second attempt", |_, world| {
            world.first().attempt == 2 && world.first().status == Status::InProgress && world.devices[0].started == 0b10
        }),
        ("both attempts fail", second_attempt_fails),
    ];
    scenario.check("retries over a bad network");
}

#[test]
fn retries_on_a_rebooting_device() {
    let mut scenario = retries();
    (scenario.reboots, scenario.no_duplicates, scenario.end) = (true, true, 25);
    scenario.reached = vec![("both attempts fail", second_attempt_fails)];
    scenario.check("retries on a rebooting device");
}

#[test]
fn retries_on_a_device_with_unfounded_reports() {
    let mut scenario = retries();
    (scenario.unfounded_reports, scenario.no_duplicates, scenario.end) = (true, true, 20);
    scenario.reached = vec![("both attempts fail", second_attempt_fails)];
    scenario.check("retries on a device with unfounded reports");
}

#[test]
fn numbered_heartbeats() {
    heartbeats(true, "numbered heartbeats");
}

#[test]
fn heartbeats_without_numbers() {
    heartbeats(false, "heartbeats without numbers");
}

fn heartbeats(numbered: bool, name: &str) {
    let mut scenario = Scenario::of(vec![with_heartbeats(retried(command(1), &["HEARTBEAT_LOST"]))]);
    (scenario.numbered_heartbeats, scenario.heartbeats) = (numbered, 1);
    scenario.reached = vec![
        ("the heartbeat of a running device is lost, and the attempt is retried", |_, world| {
            world.devices[0].started == 0b10 && world.first().attempt == 2
        }),
        ("a later report is applied to the second attempt", |_, world| {
            world.first().attempt == 2 && world.first().last_active_at >= Some(at(TICK))
        }),
        ("it ends with HEARTBEAT_LOST", |_, world| {
            let verdict = world.first().verdict;
            verdict.is_some_and(|verdict| verdict.reason == Reason::HeartbeatLost && verdict.at < at(TIMEOUT))
        }),
        ("a heartbeat without a number is applied", |scenario, world| {
            scenario.numbered_heartbeats || world.sent[0].heartbeat_only
        }),
        ("a heartbeat keeps it running", |_, world| {
            world.now > 10 && world.first().status == Status::InProgress && world.first().attempt == 1
        }),
    ];
    scenario.check(name);
}

#[test]
fn a_start_whose_handler_crashes() {
    let mut command = with_heartbeats(command(1));
    command.definition.deadlines = Deadlines::new(Some(30), Some(40), Some(3)).unwrap();
    let mut scenario = Scenario::of(vec![command]);
    (scenario.faults, scenario.no_duplicates, scenario.end) = (1, true, 25);
    scenario.reached = vec![("it ends with HEARTBEAT_LOST before its ttl", |_, world| {
        let verdict = world.first().verdict;
        world.crashes > 0 && verdict.is_some_and(|verdict| verdict.reason == Reason::HeartbeatLost)
    })];
    scenario.check("a start whose handler crashes");
}

#[test]
fn duplicated_heartbeats() {
    let mut scenario = Scenario::of(vec![with_heartbeats(command(1))]);
    (scenario.numbered_heartbeats, scenario.heartbeats, scenario.faults, scenario.end) = (true, 1, 1, 10);
    scenario.reached = vec![("the report of the start arrives after a heartbeat", |_, world| {
        let is_start =
            |kind: &Kind| matches!(kind, Kind::Report(message) if message.status == ReportStatus::InProgress(0));
        world.stored(0).is_some_and(|row| row.progress.seq() == 1)
            && world.handlers.iter().any(|handler| is_start(&handler.node.event.kind))
    })];
    scenario.check("duplicated heartbeats");
}
