//! The memory of a function does not grow with the fleet: `cargo test -p functions --test system -- --ignored --nocapture memory`, and
//! `FLAGHOIST_THINGS` says how many things the large one has.

use std::collections::BTreeMap;

use local::clock::Clock;
use serde_json::{Value, json};

use crate::world::{START, World};

const FUNCTIONS: [&str; 5] =
    ["fan-out-command", "dispatch-commands", "tally-command", "track-command", "reconcile-commands"];
/// Of these a process sees a batch or two at a time, of those beyond as much as an event can hold.
const SMALL: usize = 1_000;
const MEDIUM: usize = 10_000;

/// The most that any process of each function has held, in KiB, after a command to so many things that never answer.
async fn peaks(things: usize) -> BTreeMap<&'static str, u64> {
    let world = World::on_clock(Clock::manual(START * 1000), false, &[], |template| template).await;
    let names: Vec<String> = (0..things).map(|n| format!("thing-{n:07}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("a group");
    let body = json!({"name": "reboot", "target": {"groups": ["pumps"]}, "delivery": "topic", "ttl": 60});
    let answer = world.post("/commands", &body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let id = answer.body["commandId"].as_str().expect("an id").to_owned();
    let mut shown = Value::Null;
    for _ in 0..2_000 {
        world.advance(5).await;
        shown = world.get(&format!("/commands/{id}")).await.body;
        if shown["state"] == "COMPLETED" {
            break;
        }
    }
    assert_eq!(shown["state"], "COMPLETED", "{shown:#}");
    assert_eq!(shown["counts"]["byReason"], json!({"NO_RESPONSE": things}), "{shown:#}");
    let peaks = FUNCTIONS.map(|function| (function, peak(function))).into();
    world.end().await;
    peaks
}

/// Of the processes that this one has started of a program.
fn peak(program: &str) -> u64 {
    let parent = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").expect("Linux").flatten();
    let peaks = processes.filter_map(|entry| {
        let read = |file: &str| std::fs::read_to_string(entry.path().join(file)).ok();
        let (status, command) = (read("status")?, read("cmdline")?);
        let value = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let is_it = value("PPid:") == Some(&parent) && command.contains(program);
        let peak = value("VmHWM:")?.trim_end_matches(" kB").parse().ok();
        peak.filter(|_| is_it)
    });
    peaks.max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "many minutes"]
async fn the_memory_of_a_function_does_not_grow_with_the_fleet() {
    let large = std::env::var("FLAGHOIST_THINGS").map_or(100_000, |text| text.parse().expect("a number"));
    let (small, medium, large_one) = (peaks(SMALL).await, peaks(MEDIUM).await, peaks(large).await);
    println!("{:<20} {SMALL:>9} {MEDIUM:>9} {large:>9}   KiB", "");
    for function in FUNCTIONS {
        println!("{function:<20} {:>9} {:>9} {:>9}", small[function], medium[function], large_one[function]);
    }
    // No device answers: track-command has nothing to do.
    for function in FUNCTIONS.into_iter().filter(|function| *function != "track-command") {
        let (small, medium, large) = (small[function], medium[function], large_one[function]);
        assert!(small > 0 && large * 100 <= medium * 115, "{function}: {medium} KiB, then {large}");
        assert!(large * 2 <= small * 3, "{function}: {small} KiB, then {large}");
    }
}
