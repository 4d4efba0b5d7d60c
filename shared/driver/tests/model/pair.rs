//! Checks of one execution with two reconcilers, cancels, repeated requests, and a device that comes online.

use domain::{Reason, Status};

use super::{
    scenario::{STEP, Scenario, command, retried},
    world::World,
};

fn is_canceled(world: &World) -> bool {
    world.first().verdict.is_some_and(|verdict| verdict.reason == Reason::CanceledByOperator)
}

#[test]
fn two_reconcilers_and_a_cancel() {
    let mut scenario = Scenario::of(vec![retried(command(1), &["NO_RESPONSE"])]);
    scenario.reconcilers = 2;
    (scenario.cancels, scenario.force) = (1, true);
    scenario.reached = vec![
        ("it is canceled, and its device never starts it", |_, world| {
            is_canceled(world) && world.devices[0].started == 0 && world.to_device.is_empty()
        }),
        ("it succeeds after it was canceled", |_, world| {
            is_canceled(world) && world.first().status == Status::Succeeded
        }),
        ("it is canceled while it runs", |_, world| is_canceled(world) && world.first().started_at.is_some()),
        ("it succeeds after it ended with NO_RESPONSE", |_, world| {
            world.first().verdict.is_some_and(|verdict| verdict.reason == Reason::NoResponse)
                && world.first().status == Status::Succeeded
        }),
    ];
    scenario.check("two reconcilers and a cancel");
}

#[test]
fn a_cancel_and_a_failing_device() {
    let mut scenario = Scenario::of(vec![retried(command(1), &["FAILED"])]);
    (scenario.max_handlers, scenario.cancels, scenario.force, scenario.fails) = (1, 1, true, true);
    scenario.reached = vec![
        ("it fails after it was canceled", |_, world| is_canceled(world) && world.first().status == Status::Failed),
        ("it fails twice", |_, world| world.first().attempt == 2 && world.first().status == Status::Failed),
    ];
    scenario.check("a cancel and a failing device");
}

#[test]
fn a_repeated_request() {
    let mut scenario = Scenario::of(vec![command(1)]);
    (scenario.repeats, scenario.connects, scenario.offline, scenario.faults) = (1, 1, true, 1);
    (scenario.handler_seconds, scenario.no_duplicates) = (STEP, true);
    scenario.reached = vec![
        ("it succeeds after the repeated request", |_, world| {
            world.repeats == 0 && world.first().status == Status::Succeeded
        }),
        ("it expires, and was never sent", |_, world| {
            world.first().verdict.is_some_and(|verdict| verdict.reason == Reason::Expired) && world.sent[0].attempt == 0
        }),
    ];
    scenario.check("a repeated request");
}

#[test]
fn a_device_that_comes_online() {
    let mut scenario = Scenario::of(vec![command(1)]);
    (scenario.connects, scenario.offline, scenario.faults, scenario.sending_fails) = (1, true, 1, true);
    scenario.reached = vec![
        ("it succeeds after its device comes online", |_, world| {
            world.connects == 0 && world.first().status == Status::Succeeded
        }),
        ("it succeeds although its sender crashed", |_, world| {
            world.connects == 0 && world.crashes > 0 && world.first().status == Status::Succeeded
        }),
    ];
    scenario.check("a device that comes online");
}

#[test]
fn a_device_that_comes_online_during_a_repeated_request() {
    let mut scenario = Scenario::of(vec![command(1)]);
    (scenario.connects, scenario.repeats, scenario.offline) = (1, 1, true);
    scenario.reached = vec![("it succeeds after its device comes online", |_, world| {
        world.connects == 0 && world.repeats == 0 && world.first().status == Status::Succeeded
    })];
    scenario.check("a device that comes online during a repeated request");
}
