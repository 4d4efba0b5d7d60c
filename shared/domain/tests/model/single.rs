//! One execution that is asked twice if need be, over a bad network, at a device that reboots.

use domain::Status;

use super::scenario::{Scenario, command, retried};

#[test]
fn one_execution_with_retries() {
    let mut scenario = Scenario::of(vec![retried(command(1), &["NO_RESPONSE", "FAILED"])]);
    (scenario.handlers, scenario.mishaps) = (2, 2);
    (scenario.fails, scenario.unsure, scenario.reboots) = (true, true, true);
    scenario.reached = vec![
        ("the second attempt succeeds", |_, world| {
            world.row(0).attempt == 2 && world.row(0).status == Status::Succeeded && world.devices[0].begun == 0b110
        }),
        ("the first attempt succeeds while the second is asked for", |_, world| {
            world.row(0).attempt == 2 && world.row(0).status == Status::Succeeded && world.devices[0].begun == 0b10
        }),
        ("both attempts fail", |_, world| world.row(0).attempt == 2 && world.row(0).status == Status::Failed),
    ];
    scenario.check("one execution with retries");
}
