//! Requests in many shadows whose ttl ends at the same time, on the system's clock: none is in its shadow after its ttl.
//! Each second a part of the shadows is read.
//!
//! `cargo test --release --test system -- --ignored --nocapture shadow::backlog`, with `THINGS` for another number.

use std::time::{Duration, Instant};

use local::clock::Clock;
use serde_json::{Value, json};

use crate::deadline::waiting;
use crate::fleet::operator::{create, show};
use crate::world::{EXECUTIONS, World};

/// The ttl, in seconds.
const TTL: i64 = 90;
/// How much earlier a request in a shadow expires, in seconds.
const CUT: i64 = 5;

/// The shadows that are read in a second: one in this many, other ones in each second.
const SAMPLE: usize = 20;
/// A command that is not completed by then never is.
const LONGEST: Duration = Duration::from_secs(600);

/// When the ttl of the request in the shadow of a thing ends, in milliseconds since 1970; none without a request.
fn ttl_ends_at_ms(world: &World, thing: &str) -> Option<i64> {
    let shadow = world.stack.shadows.get(thing, Some("cmd")).ok()?;
    let request = shadow["state"]["desired"]["c"].as_object()?.values().next()?;
    Some((request["expiresAt"].as_i64().expect("a time") + CUT) * 1000)
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
#[ignore = "takes minutes, and means something only in a release build"]
async fn no_shadow_holds_a_request_after_its_ttl() {
    let things = std::env::var("THINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let world = World::on_clock(Clock::system(), false, &[], |template| template).await;
    let names: Vec<String> = (0..things).map(|n| format!("pump-{n}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("a group");
    let started = Instant::now();
    let id = create(&world, json!({"delivery": "shadow", "shadow": "map", "ttl": TTL})).await;
    // The longest time after its ttl at which a request was seen in its shadow, and how many were.
    let (mut worst_ms, mut late) = (i64::MIN, 0);
    let mut shown = Value::Null;
    for second in 0.. {
        let (mut holding, mut read) = (0, 0);
        for name in names.iter().skip(second % SAMPLE).step_by(SAMPLE) {
            read += 1;
            let Some(ttl_ends_at_ms) = ttl_ends_at_ms(&world, name) else { continue };
            let after_ttl_ms = world.stack.clock.now_ms() - ttl_ends_at_ms;
            holding += 1;
            late += usize::from(after_ttl_ms > 0);
            worst_ms = worst_ms.max(after_ttl_ms);
        }
        if second % 5 == 0 {
            shown = show(&world, &id).await;
            println!(
                "{:>4} s: {holding} of {read} shadows hold a request, {late} were late; ended: {}",
                started.elapsed().as_secs(),
                shown["counts"]["TIMED_OUT"]
            );
        }
        if shown["state"] == "COMPLETED" {
            break;
        }
        assert!(started.elapsed() < LONGEST, "{shown:#}");
        waiting("a second", tokio::time::sleep(Duration::from_secs(1))).await;
    }
    assert_eq!(shown["counts"]["TIMED_OUT"], things, "{shown:#}");
    let holding = names.iter().filter(|name| ttl_ends_at_ms(&world, name).is_some()).count();
    let rows = world.rows(EXECUTIONS).await;
    let number = |row: &Value, name: &str| row[name]["N"].as_str().and_then(|text| text.parse::<i64>().ok());
    let early_ms = |row: &Value| Some(number(row, "start_by")? - number(row, "verdict_at")?);
    let mut early_ms: Vec<i64> = rows.iter().filter_map(early_ms).filter(|early| *early > 0).collect();
    early_ms.sort_unstable();
    println!(
        "{things} things: {} withdrawn early, by {} ms at most and {} ms in the median; seen at the latest {worst_ms} ms \
         after the end of a ttl",
        early_ms.len(),
        early_ms.last().unwrap_or(&0),
        early_ms.get(early_ms.len() / 2).unwrap_or(&0),
    );
    assert_eq!((holding, late), (0, 0), "seen {worst_ms} ms after the ttl");
    world.end().await;
}
