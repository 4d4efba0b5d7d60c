//! A slow table delays sendings, and puts none off. On the system's clock, since no time passes for a function while a
//! test's clock stands.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use local::clock::Clock;
use local::faults::Fault;
use serde_json::json;
use tokio::sync::mpsc;

use crate::deadline::waiting;
use crate::fleet::operator::create_with_topic;
use crate::world::{EXECUTIONS, World};

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

/// A sending that has to wait for a slow table is put off by some seconds. Where that write takes longer, the execution
/// has come due meanwhile: it must not wait for the next tick, which never comes here.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn requests_that_come_due_while_that_is_written_go_out_without_a_tick() {
    let daily = |template: String| template.replace("rate(1 minute)", "rate(1 day)");
    let world = World::on_clock(Clock::system(), true, &[], daily).await;
    let names: Vec<String> = (0..30).map(|n| format!("pump-{n}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("the group is valid");
    let mut devices = world.device("all", &["cmd/+/req"]).await;
    world.stack.faults.plan(|call| {
        let of_executions = String::from_utf8_lossy(&call.body).contains(EXECUTIONS);
        let seconds = match &*call.operation {
            _ if call.function != "flaghoist-dispatch-commands" || !of_executions => return None,
            "DynamoDB.PutItem" => 5,
            "DynamoDB.UpdateItem" => 6,
            _ => return None,
        };
        Some(Fault::Slow(Duration::from_secs(seconds)))
    });
    let retry = json!({"attempts": 2, "on": ["FAILED"]});
    create_with_topic(&world, json!({"ttl": 3_600, "timeout": 3_600, "retry": retry})).await;
    let (mut asked, started) = (BTreeSet::new(), Instant::now());
    while asked.len() < names.len() {
        while let Some((topic, _)) = devices.try_next() {
            asked.insert(topic);
        }
        // The writes of the next sendings need not be slow.
        if started.elapsed() > Duration::from_secs(20) {
            world.stack.faults.clear();
        }
        assert!(started.elapsed() < Duration::from_secs(240), "{} of {} things are asked", asked.len(), names.len());
        waiting("requests", tokio::time::sleep(Duration::from_millis(100))).await;
    }
    world.end().await;
}
