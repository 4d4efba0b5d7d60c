//! Slow services make no more work: a fleet command whose tables are slow or throttled, or whose functions have next to
//! no processor, asks each thing once, costs hardly more than one before it, and one after it costs no more.
//!
//! On the system's clock, since that is what the functions see of slowness. `THINGS=1000` for more than the 60 things of
//! every run, of whose cost that of the command itself is a larger part.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use local::clock::Clock;
use local::faults::Fault;
use serde_json::{Value, json};

#[cfg(target_os = "linux")]
use super::slow_processes::SlowProcesses;
use crate::world::{Device, World};

/// How much more than usual slowness may cost.
const MAX_SURCHARGE: f64 = 1.3;

/// The attempts of an SDK at one call: a throttle of the last one is an error of the function.
const MAX_ATTEMPTS: u32 = 4;

/// How much two commands differ that are not slow.
const MAX_DIFFERENCE: f64 = 1.1;

/// Far more than any of these commands needs, in seconds.
const TTL: u64 = 3_600;

/// A command that is not completed by then never is.
const LONGEST: Duration = Duration::from_secs(1_200);

fn things() -> usize {
    std::env::var("THINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(60)
}

/// The world, and one client that is the device of every thing.
struct Pumps {
    world: World,
    devices: Device,
}

impl Pumps {
    async fn start() -> Self {
        let world = World::on_clock(Clock::system(), true, &[], |template| template).await;
        let names: Vec<String> = (0..things()).map(|n| format!("pump-{n}")).collect();
        world.stack.registry.add_things("pumps", &names).expect("the group is valid");
        let devices = world.device("all", &["cmd/+/req"]).await;
        Self { world, devices }
    }

    /// Creates a command, has every thing report its success, and waits until the command is completed. The write units
    /// for each thing.
    async fn run_command(&mut self, title: &str) -> f64 {
        self.world.stack.dynamodb.reset_capacity();
        let started = Instant::now();
        let id = self.create(title).await;
        let mut asked = BTreeMap::<String, usize>::new();
        let mut shown = Value::Null;
        while shown["state"] != "COMPLETED" {
            while let Some((topic, payload)) = self.devices.try_next() {
                let thing = topic.split('/').nth(1).expect("the topic names the thing");
                *asked.entry(thing.to_owned()).or_default() += 1;
                let request: Value = serde_json::from_slice(&payload).expect("the request is JSON");
                let report = json!({"executionId": request["executionId"], "attempt": 1, "status": "SUCCEEDED"});
                self.devices.report(thing, report).await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            let response = self.world.get(&format!("/commands/{id}")).await;
            // A read may fail while the tables are throttled.
            shown = if response.status == 200 { response.body } else { Value::Null };
            assert!(started.elapsed() < LONGEST, "{title}: {} of {} things asked: {shown:#}", asked.len(), things());
        }
        let seconds = started.elapsed().as_secs_f64();
        self.world.settle().await;
        let written: f64 = self.world.stack.dynamodb.capacity().values().map(|units| units.write).sum();
        let per_thing = written / things() as f64;
        let requests: usize = asked.values().sum();
        println!(
            "{title}: {} things, {requests} requests, {seconds:.0} s, {per_thing:.2} write units for each",
            things()
        );
        assert_eq!(shown["counts"]["SUCCEEDED"], things(), "{shown:#}");
        let not_once: Vec<_> = asked.iter().filter(|(_, times)| **times != 1).collect();
        assert_eq!((asked.len(), not_once.len()), (things(), 0), "{not_once:?}");
        per_thing
    }

    /// Creates a command. The same request is sent until it is accepted, since a call may fail while services are slow.
    async fn create(&self, key: &str) -> String {
        let body = json!({
            "name": "reboot", "target": {"groups": ["pumps"]}, "delivery": "topic", "ttl": TTL, "timeout": TTL,
        });
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let started = Instant::now();
        loop {
            let response = self.world.request(reqwest::Method::POST, "/commands", &headers, body.to_string()).await;
            if response.status == 202 {
                return response.body["commandId"].as_str().expect("a command has an id").to_owned();
            }
            let may_be_slow = matches!(response.status, 429 | 500 | 503 | 504) && started.elapsed() < LONGEST / 10;
            assert!(may_be_slow, "{response:?}");
        }
    }

    /// Compares a command that was slow with one before it and one after it.
    async fn end(mut self, before: f64, slow: f64) {
        assert!(slow <= before * MAX_SURCHARGE, "{slow} write units for each thing, {before} where nothing is slow");
        let after = self.run_command("after it").await;
        assert!(after <= before * MAX_DIFFERENCE, "{after} write units for each thing afterwards, {before} before");
        self.world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn tables_that_answer_after_two_seconds_ask_no_thing_twice() {
    let mut pumps = Pumps::start().await;
    let before = pumps.run_command("before it").await;
    pumps
        .world
        .stack
        .faults
        .plan(|call| call.operation.starts_with("DynamoDB.").then_some(Fault::Slow(Duration::from_secs(2))));
    let units = pumps.run_command("tables that answer after 2 s").await;
    pumps.world.stack.faults.clear();
    pumps.end(before, units).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn tables_that_throttle_a_third_of_their_calls_ask_no_thing_twice() {
    let mut pumps = Pumps::start().await;
    let before = pumps.run_command("before it").await;
    let (mut random, mut failed) = (fastrand::Rng::with_seed(7), BTreeSet::new());
    pumps.world.stack.faults.plan(move |call| {
        let throttled = call.operation.starts_with("DynamoDB.") && random.u8(..100) < 30;
        // An event is handled three times at most, so a report is lost with three failures: no event has more than one.
        let fails = throttled && call.attempt == MAX_ATTEMPTS;
        (throttled && (!fails || failed.insert(call.invoke.clone()))).then_some(Fault::Throttle)
    });
    let units = pumps.run_command("tables that throttle 30 % of their calls").await;
    pumps.world.stack.faults.clear();
    pumps.end(before, units).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn functions_with_a_hundredth_of_a_processor_ask_no_thing_twice() {
    let mut pumps = Pumps::start().await;
    let before = pumps.run_command("before it").await;
    let slow = SlowProcesses::start(pumps.world.stack.addresses.endpoint, 100);
    let units = pumps.run_command("functions with a hundredth of a processor").await;
    let stopped = slow.end();
    assert!(stopped > 0, "no process was slow");
    pumps.end(before, units).await;
}
