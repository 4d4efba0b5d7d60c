//! Two reconcilers, someone who cancels, and a device that reports all the same.

use domain::{Reason, Status};

use super::scenario::{Scenario, command, retried};

fn canceled(world: &super::world::World) -> bool {
    world.row(0).verdict.is_some_and(|verdict| verdict.reason == Reason::CanceledByOperator)
}

#[test]
fn two_reconcilers_and_someone_who_cancels() {
    let mut scenario = Scenario::of(vec![retried(command(1), &["NO_RESPONSE"])]);
    scenario.reconcilers = 2;
    (scenario.cancels, scenario.force) = (1, true);
    scenario.reached = vec![
        ("it is called off, and was never begun", |_, world| {
            canceled(world) && world.devices[0].begun == 0 && world.down.is_empty()
        }),
        ("it succeeds although it was called off", |_, world| {
            canceled(world) && world.row(0).status == Status::Succeeded
        }),
        ("what runs is called off", |_, world| canceled(world) && world.row(0).started_at.is_some()),
        ("it succeeds although it was given up", |_, world| {
            world.row(0).verdict.is_some_and(|verdict| verdict.reason == Reason::NoResponse)
                && world.row(0).status == Status::Succeeded
        }),
    ];
    scenario.check("two reconcilers and someone who cancels");
}

#[test]
fn someone_who_cancels_what_fails() {
    let mut scenario = Scenario::of(vec![retried(command(1), &["FAILED"])]);
    (scenario.handlers, scenario.cancels, scenario.force, scenario.fails) = (1, 1, true, true);
    scenario.reached = vec![
        ("it fails although it was called off", |_, world| canceled(world) && world.row(0).status == Status::Failed),
        ("it fails twice", |_, world| world.row(0).attempt == 2 && world.row(0).status == Status::Failed),
    ];
    scenario.check("someone who cancels what fails");
}

#[test]
fn someone_who_asks_again() {
    let mut scenario = Scenario::of(vec![command(1)]);
    (scenario.repeats, scenario.offline, scenario.mishaps) = (1, true, 1);
    scenario.reached = vec![
        ("it succeeds once its device is back", |_, world| {
            world.repeats == 0 && world.row(0).status == Status::Succeeded
        }),
        ("it expires, and was never sent", |_, world| {
            world.row(0).verdict.is_some_and(|verdict| verdict.reason == Reason::Expired) && world.sent[0].attempt == 0
        }),
    ];
    scenario.check("someone who asks again");
}

#[test]
fn a_device_that_comes_back() {
    let mut scenario = Scenario::of(vec![command(1)]);
    (scenario.returns, scenario.offline, scenario.mishaps, scenario.unsure) = (1, true, 1, true);
    scenario.reached = vec![
        ("it succeeds once its device is back", |_, world| {
            world.returns == 0 && world.row(0).status == Status::Succeeded
        }),
        ("whoever was to send it has died", |_, world| {
            world.returns == 0 && world.crashes > 0 && world.row(0).status == Status::Succeeded
        }),
    ];
    scenario.check("a device that comes back");
}

#[test]
fn a_device_that_comes_back_when_someone_asks_again() {
    let mut scenario = Scenario::of(vec![command(1)]);
    (scenario.returns, scenario.repeats, scenario.offline) = (1, 1, true);
    scenario.reached = vec![("it succeeds once its device is back", |_, world| {
        world.returns == 0 && world.repeats == 0 && world.row(0).status == Status::Succeeded
    })];
    scenario.check("a device that comes back when someone asks again");
}
