//! One execution that is asked twice if need be, over a bad network, at a device that reboots.

use domain::{Reason, Status};

use super::{
    handler::Call,
    scenario::{Scenario, TICK, TIMEOUT, at, beating, command, retried},
    world::World,
};

fn retries() -> Scenario {
    let mut scenario = Scenario::of(vec![retried(command(1), &["NO_RESPONSE", "FAILED"])]);
    (scenario.handlers, scenario.mishaps, scenario.fails) = (1, 1, true);
    scenario
}

fn both_attempts_fail(_: &Scenario, world: &World) -> bool {
    world.row(0).attempt == 2 && world.row(0).status == Status::Failed
}

#[test]
fn retries_over_a_bad_network() {
    let mut scenario = retries();
    scenario.unsure = true;
    scenario.reached = vec![
        ("the second attempt succeeds", |_, world| {
            world.row(0).attempt == 2 && world.row(0).status == Status::Succeeded && world.devices[0].begun == 0b110
        }),
        ("the first attempt succeeds while the second is asked for", |_, world| {
            world.row(0).attempt == 2 && world.row(0).status == Status::Succeeded && world.devices[0].begun == 0b10
        }),
        ("a slow device is heard on the attempt that it is at", |_, world| {
            world.row(0).attempt == 2 && world.row(0).status == Status::InProgress && world.devices[0].begun == 0b10
        }),
        ("both attempts fail", both_attempts_fail),
    ];
    scenario.check("retries over a bad network");
}

#[test]
fn retries_at_a_device_that_reboots() {
    let mut scenario = retries();
    (scenario.reboots, scenario.dies_only, scenario.horizon) = (true, true, 25);
    scenario.reached = vec![("both attempts fail", both_attempts_fail)];
    scenario.check("retries at a device that reboots");
}

#[test]
fn retries_at_a_device_that_babbles() {
    let mut scenario = retries();
    (scenario.babbles, scenario.dies_only, scenario.horizon) = (true, true, 20);
    scenario.reached = vec![("both attempts fail", both_attempts_fail)];
    scenario.check("retries at a device that babbles");
}

#[test]
fn one_execution_with_heartbeats() {
    heartbeats(true, "one execution with heartbeats");
}

#[test]
fn one_execution_with_heartbeats_without_numbers() {
    heartbeats(false, "one execution with heartbeats without numbers");
}

fn heartbeats(counts: bool, name: &str) {
    let mut scenario = Scenario::of(vec![beating(retried(command(1), &["HEARTBEAT_LOST"]))]);
    (scenario.counts, scenario.beats) = (counts, 1);
    scenario.reached = vec![
        ("its device falls silent, and is asked again", |_, world| {
            world.devices[0].begun == 0b10 && world.row(0).attempt == 2
        }),
        ("what it says then counts for that attempt", |_, world| {
            world.row(0).attempt == 2 && world.row(0).heard_at >= Some(at(TICK))
        }),
        ("it is given up as silent", |_, world| {
            world
                .row(0)
                .verdict
                .is_some_and(|verdict| verdict.reason == Reason::HeartbeatLost && verdict.at < at(TIMEOUT))
        }),
        ("a beat that says nothing new is heard", |scenario, world| scenario.counts || world.sent[0].beaten),
        ("a beat keeps it", |_, world| {
            world.now > 10 && world.row(0).status == Status::InProgress && world.row(0).attempt == 1
        }),
    ];
    scenario.check(name);
}

#[test]
fn beats_that_come_twice() {
    let mut scenario = Scenario::of(vec![beating(command(1))]);
    (scenario.counts, scenario.beats, scenario.mishaps, scenario.horizon) = (true, 1, 1, 10);
    scenario.reached = vec![("what was said at first comes after what was said then", |_, world| {
        world.row(0).progress.seq() == 1 && world.handlers.iter().any(|handler| handler.call == Call::Beat)
    })];
    scenario.check("beats that come twice");
}
