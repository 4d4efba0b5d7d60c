//! A fleet of things with a mix of faults, delivery `auto`, heartbeats, other attempts and a short ttl: every thing that
//! is connected is asked, and what a device said of itself is how its execution ends, or it has had its other attempts.
//!
//! On the system's clock, many times and with more things:
//! `RUNS=20 THINGS=500 cargo test --test system -- --ignored --nocapture fleet::mixed`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use device::fleet::{Behaviour, BehaviourShares, Fleet, FleetConfig};
use local::clock::Clock;
use local::faults::Transit;
use local::journal::Event;
use serde_json::{Value, json};

use super::operator::{create, show};
use super::simulated_things::{runs, start_things_with};
use crate::world::{EXECUTIONS, World};

/// The ttl, in seconds.
const TTL: u64 = 30;
/// The attempts in all.
const ATTEMPTS: i64 = 3;
/// A command that is not completed by then never is.
const LONGEST: Duration = Duration::from_secs(600);

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

async fn start(world: &World, count: usize, seed: u64) -> Fleet {
    let late_after = Duration::from_secs(TTL + 30);
    let shares = BehaviourShares::mixed();
    start_things_with(world, count, |config| FleetConfig { shares, seed, late_after, ..config }).await
}

async fn create_mixed(world: &World) -> String {
    let retry = json!({"attempts": ATTEMPTS, "on": ["FAILED", "NO_RESPONSE"], "wait": 5});
    create(world, json!({"delivery": "auto", "ttl": TTL, "timeout": 120, "heartbeat": 5, "retry": retry})).await
}

/// The things to which a request was handed.
fn asked(world: &World) -> BTreeSet<String> {
    let entries = world.stack.journal.entries();
    let handed = entries.iter().filter_map(|entry| match &entry.event {
        Event::Handed { topic, transit, .. } if *transit != Transit::Lost => topic.strip_prefix("cmd/"),
        _ => None,
    });
    handed.filter_map(|rest| rest.strip_suffix("/req").map(str::to_owned)).collect()
}

/// Whether each thing that reports long after the ttl has done so. How long that takes depends on when it was asked.
async fn late_things_have_reported(world: &World, fleet: &Fleet) -> bool {
    let is_late = |thing: &str| fleet.script(thing).is_some_and(|script| script.behaviour == Behaviour::Late);
    let rows = world.rows(EXECUTIONS).await;
    rows.iter().all(|row| {
        let thing = row["pk"]["S"].as_str().and_then(|pk| pk.strip_prefix("T#")).unwrap_or_default();
        !is_late(thing) || row.get("finished_at").is_some()
    })
}

/// Checks every execution of a command that is completed.
async fn check(world: &World, fleet: &Fleet, shown: &Value) {
    let asked = asked(world);
    let online = |thing: &&String| fleet.script(thing).is_some_and(|script| script.connects());
    let unasked: Vec<_> = fleet.things().iter().filter(online).filter(|thing| !asked.contains(*thing)).collect();
    let rows = world.rows(EXECUTIONS).await;
    let row_of = |thing: &str| rows.iter().find(|row| row["pk"]["S"] == format!("T#{thing}"));
    let first = unasked.first().and_then(|thing| row_of(thing));
    assert!(unasked.is_empty(), "{} online things were not asked: {unasked:?}\n{shown:#}\n{first:#?}", unasked.len());
    let of_thing: BTreeMap<_, _> =
        rows.iter().filter_map(|row| Some((row["pk"]["S"].as_str()?.strip_prefix("T#")?, row))).collect();
    assert_eq!(of_thing.len(), fleet.things().len(), "each thing has an execution");
    for thing in fleet.things() {
        let (row, script) = (of_thing[thing.as_str()], fleet.script(thing).expect("a script"));
        let status = row["status"]["S"].as_str().unwrap_or_default();
        let attempt = row["attempt"]["N"].as_str().and_then(|text| text.parse::<i64>().ok()).unwrap_or(1);
        let is_right = match script.behaviour {
            Behaviour::Fails => status == "FAILED" || attempt == ATTEMPTS,
            Behaviour::Rejects => status == "REJECTED",
            Behaviour::NeverOnline | Behaviour::Mute | Behaviour::Crashes => status == "TIMED_OUT",
            _ => status == "SUCCEEDED",
        };
        assert!(is_right, "{thing} {:?} ended as {status} in attempt {attempt}: {row:#}", script.behaviour);
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn every_online_thing_of_a_mixed_fleet_is_asked_and_ends_as_it_said() {
    let world = World::start().await;
    let fleet = start(&world, 60, 1).await;
    let id = create_mixed(&world).await;
    let mut shown = Value::Null;
    for _ in 0..180 {
        world.advance(1).await;
        shown = show(&world, &id).await;
        if shown["state"] == "COMPLETED" {
            break;
        }
    }
    // Late things report half a minute after the ttl.
    world.advance(TTL + 60).await;
    assert_eq!(shown["state"], "COMPLETED", "{shown:#}");
    check(&world, &fleet, &shown).await;
    let runs = runs(&fleet);
    fleet.stop().await;
    world.end_with(runs).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
#[ignore = "takes two minutes a run"]
async fn mixed_fleets_on_the_clock_of_the_system() {
    device::open_files::raise_limit();
    for run in 1..=number("RUNS", 1) {
        let world = World::on_clock(Clock::system(), true, &[], |template| template).await;
        let fleet = start(&world, number("THINGS", 500), run as u64).await;
        let started = Instant::now();
        let id = create_mixed(&world).await;
        let (mut shown, mut completed) = (Value::Null, None);
        while completed.is_none() || !late_things_have_reported(&world, &fleet).await {
            tokio::time::sleep(Duration::from_millis(500)).await;
            shown = show(&world, &id).await;
            completed = completed.or_else(|| (shown["state"] == "COMPLETED").then(|| started.elapsed()));
            assert!(started.elapsed() < LONGEST, "{shown:#}");
        }
        println!("run {run}: completed after {:.1?}: {}", completed.expect("completed"), shown["counts"]);
        check(&world, &fleet, &shown).await;
        fleet.stop().await;
        world.end().await;
    }
}
