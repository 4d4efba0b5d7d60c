//! A slow table delays sendings, and puts none off. On the system's clock, since no time passes for a function while a
//! test's clock stands.

use std::time::Duration;

use local::clock::Clock;
use local::faults::Fault;
use serde_json::json;
use tokio::sync::mpsc;

use crate::deadline::waiting;
use crate::world::World;

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_request_whose_claim_took_two_seconds_to_write_is_sent_all_the_same() {
    let world = World::on_clock(Clock::system(), true, &[], |template| template).await;
    world.command("pump-7", json!({"ttl": 60, "delivery": "direct"})).await;
    let (held, mut holds) = mpsc::unbounded_channel();
    world.stack.faults.plan(move |call| {
        let is_claim = call.function == "flaghoist-dispatch-commands" && call.operation == "DynamoDB.UpdateItem";
        is_claim.then(|| {
            // The test ends after the first one.
            let _ = held.send(());
            Fault::Held
        })
    });
    let mut pump = world.thing("pump-7").await;
    waiting("the claim", holds.recv()).await.expect("the claim is written");
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    world.stack.faults.clear();
    let (_, request) = pump.next_json().await;
    assert_eq!(request["attempt"], 1);
    let sent = |line: &str| line.contains("ExecutionsReplayed");
    world.settle().await;
    let logs = world.stack.lambda.logs("flaghoist-dispatch-commands");
    assert_eq!(logs.iter().filter(|line| sent(line)).count(), 1, "by the function that made the claim: {logs:?}");
    world.end().await;
}
