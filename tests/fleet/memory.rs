//! The memory of a function does not grow with the fleet.
//!
//! `cargo test --test system -- --ignored --nocapture memory`; `FLAGHOIST_THINGS` sets the size of the
//! largest fleet.

use std::collections::BTreeMap;

use local::clock::Clock;
use serde_json::{Value, json};

use super::operator::create;
use crate::world::{START, World};

const FUNCTIONS: [&str; 5] =
    ["fan-out-command", "dispatch-commands", "tally-command", "track-command", "reconcile-commands"];

/// Things of a fleet of which a process handles one or two batches at a time.
const SMALL: usize = 1_000;

/// Things of a fleet of which a process handles as many batches at a time as one event can contain.
const MEDIUM: usize = 10_000;

/// The largest memory of any process of each function, in KiB, after a command for things that never report.
async fn peaks_kib(things: usize) -> BTreeMap<&'static str, u64> {
    let world = World::on_clock(Clock::manual(START * 1000), false, &[], |template| template).await;
    let names: Vec<String> = (0..things).map(|n| format!("thing-{n:07}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("the group is valid");
    let id = create(&world, json!({"delivery": "topic", "ttl": 60})).await;
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
    let peaks = FUNCTIONS.map(|function| (function, peak_kib(function))).into();
    world.end().await;
    peaks
}

/// The largest memory of this process's children that run a program, in KiB.
fn peak_kib(program: &str) -> u64 {
    let parent = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").expect("this test needs Linux's /proc").flatten();
    let peaks = processes.filter_map(|entry| {
        let read = |file: &str| std::fs::read_to_string(entry.path().join(file)).ok();
        let (status, command) = (read("status")?, read("cmdline")?);
        let value = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let is_match = value("PPid:") == Some(&parent) && command.contains(program);
        let peak = value("VmHWM:")?.trim_end_matches(" kB").parse().ok();
        peak.filter(|_| is_match)
    });
    peaks.max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
#[ignore = "takes many minutes"]
async fn memory_of_a_function_does_not_grow_with_the_fleet() {
    let large = std::env::var("FLAGHOIST_THINGS")
        .map_or(100_000, |text| text.parse().expect("FLAGHOIST_THINGS is a number of things"));
    let (small_peaks, medium_peaks, large_peaks) =
        (peaks_kib(SMALL).await, peaks_kib(MEDIUM).await, peaks_kib(large).await);
    println!("{:<20} {SMALL:>9} {MEDIUM:>9} {large:>9}   KiB", "things");
    for function in FUNCTIONS {
        let (small, medium, large) = (small_peaks[function], medium_peaks[function], large_peaks[function]);
        println!("{function:<20} {small:>9} {medium:>9} {large:>9}");
    }
    // Without reports, track-command is never invoked.
    for function in FUNCTIONS.into_iter().filter(|function| *function != "track-command") {
        let (small, medium, large) = (small_peaks[function], medium_peaks[function], large_peaks[function]);
        assert!(small > 0 && large * 100 <= medium * 115, "{function}: {medium} KiB, then {large} KiB");
        assert!(large * 2 <= small * 3, "{function}: {small} KiB, then {large} KiB");
    }
}
