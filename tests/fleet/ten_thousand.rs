//! The largest fleet that one machine can connect: every execution ends, and the counts equal those of the rows.
//!
//! Too slow for every run: `.ci/run fleet`. `FLAGHOIST_THINGS` sets the number of things.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use local::clock::Clock;
use serde_json::{Value, json};

use super::operator::create;
use super::process_killer::{FUNCTIONS, ProcessKiller};
use super::thing_process::ThingProcess;
use crate::world::{EXECUTIONS, World};

/// Seconds, more than the test takes: the things use the system's clock.
const TTL: u64 = 7_200;

/// Steps of five seconds, an hour of the stack's time: enough to send every request and for retries of functions.
const MAX_STEPS: u64 = 720;

/// Steps without a change of the counts after which no further report is expected: the longest retry takes less.
const MAX_UNCHANGED_STEPS: u64 = 60;

/// Runs one fleet command with a share of lost messages, and with killed processes if `kill` is true.
async fn run_fleet_command(loss: f64, kill: bool) {
    device::open_files::raise_limit();
    // The stack's clock moves only when the test moves it, so nothing expires because the machine is slow.
    let clock = Clock::manual(device::clock::system_clock()());
    let world = World::on_clock(clock, false, &[("ReconcileSeconds", "5")], |template| template).await;
    let started = Instant::now();
    let things = ThingProcess::start(&world, loss).await;
    world.stack.registry.add_things("pumps", &things.names).expect("the group is valid");
    println!("{} things are connected after {:.1?}", things.names.len(), started.elapsed());
    let killer = kill.then(|| ProcessKiller::start(world.stack.faults.clone()));
    let created = Instant::now();
    let id = create(&world, json!({"ttl": TTL, "timeout": TTL})).await;
    wait_for_reports(&world, &id, created).await;
    let shown = pass_ttl(&world, &id, created).await;
    if let Some(killer) = killer {
        let killed = killer.killed();
        println!("{killed} processes were killed");
        let min_killed = created.elapsed().as_secs() / 2;
        assert!(killed as u64 >= min_killed, "only {killed} processes were killed, expected {min_killed}");
    }
    world.settle().await;
    assert_eq!(shown["state"], "COMPLETED", "{shown:#}");
    check_rows(&world, &things.names, &shown["counts"]).await;
    let all = things.names.len() as u64;
    assert_eq!(shown["counts"]["total"], all);
    let reported: u64 =
        ["SUCCEEDED", "FAILED", "REJECTED"].iter().filter_map(|name| shown["counts"][name].as_u64()).sum();
    // Each execution has three messages that can be lost. Without losses, one thing in a hundred is mute.
    let min_share = (1.0 - loss).powi(3) - 0.03;
    assert!(reported as f64 >= min_share * all as f64, "only {reported} of {all} things have reported");
    for function in FUNCTIONS {
        let stats = world.stack.lambda.stats(&format!("flaghoist-{function}"));
        println!("{function}: {} invocations, {} processes", stats.invocations, stats.cold_starts);
    }
    println!("{}", things.stop().await);
    world.end().await;
}

/// Lets time pass until the command is completed, or every request is sent and the counts no longer change.
async fn wait_for_reports(world: &World, id: &str, created: Instant) {
    let (mut counts, mut unchanged_steps) = (Value::Null, 0);
    for _ in 0..MAX_STEPS {
        world.advance(5).await;
        let shown = world.get(&format!("/commands/{id}")).await.body;
        unchanged_steps = if shown["counts"] == counts { unchanged_steps + 1 } else { 0 };
        counts = shown["counts"].clone();
        if unchanged_steps == 0 {
            println!("{:.1?} {counts}", created.elapsed());
        }
        let is_sent = counts["waiting"] == 0;
        if shown["state"] == "COMPLETED" || is_sent && unchanged_steps > MAX_UNCHANGED_STEPS {
            break;
        }
    }
    println!("{:.1?} until the last report", created.elapsed());
}

/// Lets the ttl pass, which ends the executions of mute things and of lost messages; the command then.
async fn pass_ttl(world: &World, id: &str, created: Instant) -> Value {
    world.advance(TTL).await;
    let mut shown = Value::Null;
    for _ in 0..MAX_STEPS {
        world.advance(60).await;
        shown = world.get(&format!("/commands/{id}")).await.body;
        if shown["state"] == "COMPLETED" {
            break;
        }
    }
    println!("{:.1?} {} {}", created.elapsed(), shown["state"], shown["counts"]);
    shown
}

/// Checks that the table has one row for each thing, and as many of each status and reason as the counts say.
async fn check_rows(world: &World, names: &[String], counts: &Value) {
    let mut start = Value::Null;
    let (mut statuses, mut things, mut reasons) = (BTreeMap::<String, u64>::new(), BTreeSet::new(), BTreeMap::new());
    loop {
        let mut scan = json!({"TableName": EXECUTIONS, "ConsistentRead": true});
        if !start.is_null() {
            scan["ExclusiveStartKey"] = start;
        }
        let page = world.dynamodb("Scan", &scan).await;
        for row in page["Items"].as_array().expect("a scan returns items") {
            let text = |name: &str| row[name]["S"].as_str().unwrap_or_default().to_owned();
            *statuses.entry(text("status")).or_default() += 1;
            assert!(things.insert(text("pk")), "a thing has two rows: {row}");
            // TIMED_OUT is the cloud's verdict; any other reason is the device's.
            let reason = if text("status") == "TIMED_OUT" { text("verdict") } else { text("reason_code") };
            if !reason.is_empty() {
                *reasons.entry(reason).or_insert(0u64) += 1;
            }
        }
        start = page["LastEvaluatedKey"].clone();
        if start.is_null() {
            break;
        }
    }
    let expected: BTreeSet<String> = names.iter().map(|name| format!("T#{name}")).collect();
    assert!(things == expected, "{} rows for {} things", things.len(), expected.len());
    println!("{statuses:?} {reasons:?}");
    for status in ["CREATED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "CANCELED"] {
        let rows = statuses.get(status).copied().unwrap_or(0);
        assert_eq!(counts[status], rows, "{status}: the counts are {counts}, the rows are {statuses:?}");
    }
    let by_reason: BTreeMap<String, u64> =
        serde_json::from_value(counts["byReason"].clone()).expect("a command has counts by reason");
    assert_eq!(by_reason, reasons);
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
#[ignore = "takes minutes: .ci/run fleet"]
async fn every_execution_ends_and_is_counted() {
    run_fleet_command(0.0, false).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
#[ignore = "takes minutes: .ci/run fleet"]
async fn every_execution_ends_and_is_counted_with_lost_messages_and_killed_processes() {
    run_fleet_command(0.05, true).await;
}
