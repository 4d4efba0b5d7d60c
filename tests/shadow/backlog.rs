//! Requests in many shadows whose ttl ends at the same time, on the system's clock: none is in its shadow after its ttl.
//! Each second a part of the shadows is read.
//!
//! `cargo test --release --test system -- --ignored --nocapture shadow::backlog`, with `THINGS` for another number of
//! things and `TTL` for another ttl, in seconds. Each ttl has to be longer than the requests take to be sent: that is
//! when all of them wait in their shadows at once.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use local::clock::Clock;
use serde_json::{Value, json};

use crate::deadline::waiting;
use crate::fleet::operator::{create, show};
use crate::world::{EXECUTIONS, World};

/// The number of things, and the ttl in seconds.
const THINGS: usize = 20_000;
const TTL: i64 = 90;
/// How much earlier a request in a shadow expires, in seconds.
const CUT: i64 = 5;

/// The shadows that are read in a second: one in this many, other ones in each second.
const SAMPLE: usize = 20;
/// Executions that have not ended by then, after their ttl, never do.
const LONGEST: Duration = Duration::from_secs(600);
/// The commands for one thing that are created at the same time.
const CALLERS: usize = 8;

/// The number in a variable of the environment; none where the variable is not set.
fn number_from<T: std::str::FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}, which is no number")))
}

/// A stack on the system's clock, with a group of things; their names, and the ttl.
async fn start() -> (World, Vec<String>, i64) {
    let world = World::on_clock(Clock::system(), false, &[], |template| template).await;
    let names: Vec<String> = (0..number_from("THINGS").unwrap_or(THINGS)).map(|n| format!("pump-{n}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("a group");
    (world, names, number_from("TTL").unwrap_or(TTL))
}

/// When the ttl of the request in the shadow of a thing ends, in milliseconds since 1970; none without a request.
fn ttl_ends_at_ms(world: &World, thing: &str) -> Option<i64> {
    let shadow = world.stack.shadows.get(thing, Some("cmd")).ok()?;
    let request = shadow["state"]["desired"]["c"].as_object()?.values().next()?;
    Some((request["expiresAt"].as_i64().expect("a time") + CUT) * 1000)
}

/// What was seen in the shadows so far.
struct Seen {
    /// The longest time after its ttl at which a request was seen in its shadow, in milliseconds.
    worst_ms: i64,
    /// How many requests were seen there after their ttl.
    late: usize,
    /// How many requests were seen there at all, in the last second.
    holding: usize,
}

impl Seen {
    const NOTHING: Self = Self { worst_ms: i64::MIN, late: 0, holding: 0 };

    /// Reads the shadows of one second.
    fn read(&mut self, world: &World, names: &[String], second: usize) {
        self.holding = 0;
        for name in names.iter().skip(second % SAMPLE).step_by(SAMPLE) {
            let Some(ttl_ends_at_ms) = ttl_ends_at_ms(world, name) else { continue };
            let after_ttl_ms = world.stack.clock.now_ms() - ttl_ends_at_ms;
            self.holding += 1;
            self.late += usize::from(after_ttl_ms > 0);
            self.worst_ms = self.worst_ms.max(after_ttl_ms);
        }
    }

    /// Prints how early the requests were withdrawn, and checks that none was late and none is left.
    async fn check(&self, world: &World, names: &[String]) {
        let rows = world.rows(EXECUTIONS).await;
        let number = |row: &Value, name: &str| row[name]["N"].as_str().and_then(|text| text.parse::<i64>().ok());
        let early_ms = |row: &Value| Some(number(row, "start_by")? - number(row, "verdict_at")?);
        let mut early_ms: Vec<i64> = rows.iter().filter_map(early_ms).filter(|early| *early > 0).collect();
        early_ms.sort_unstable();
        let holding = names.iter().filter(|name| ttl_ends_at_ms(world, name).is_some()).count();
        println!(
            "{} things: {} withdrawn early, by {} ms at most and {} ms in the median; seen at the latest {} ms after \
             the end of a ttl",
            names.len(),
            early_ms.len(),
            early_ms.last().unwrap_or(&0),
            early_ms.get(early_ms.len() / 2).unwrap_or(&0),
            self.worst_ms,
        );
        assert_eq!((holding, self.late), (0, 0), "seen {} ms after the ttl", self.worst_ms);
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
#[ignore = "takes minutes, and means something only in a release build"]
async fn no_shadow_holds_a_request_of_a_fleet_after_its_ttl() {
    let (world, names, ttl) = start().await;
    let started = Instant::now();
    let id = create(&world, json!({"delivery": "shadow", "shadow": "map", "ttl": ttl})).await;
    let (mut seen, mut shown) = (Seen::NOTHING, Value::Null);
    for second in 0.. {
        seen.read(&world, &names, second);
        if second % 5 == 0 {
            shown = show(&world, &id).await;
            println!(
                "{:>4} s: {} of {} shadows hold a request, {} were late; ended: {}",
                started.elapsed().as_secs(),
                seen.holding,
                names.len() / SAMPLE,
                seen.late,
                shown["counts"]["TIMED_OUT"]
            );
        }
        if shown["state"] == "COMPLETED" {
            break;
        }
        assert!(started.elapsed() < LONGEST + Duration::from_secs(ttl.unsigned_abs()), "{shown:#}");
        waiting("a second", tokio::time::sleep(Duration::from_secs(1))).await;
    }
    assert_eq!(shown["counts"]["TIMED_OUT"], names.len(), "{shown:#}");
    seen.check(&world, &names).await;
    world.end().await;
}

/// Commands for one thing each: the ttl of all of them ends in the same second, however long their sending takes.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
#[ignore = "takes minutes, and means something only in a release build"]
async fn no_shadow_holds_a_request_after_its_ttl_where_all_end_in_one_second() {
    let (world, names, ttl) = start().await;
    let started = Instant::now();
    let end_ms = world.stack.clock.now_ms() + ttl * 1000;
    let create = async |thing: &String| {
        let ttl = (end_ms - world.stack.clock.now_ms()) / 1000;
        assert!(ttl > 0, "sending took longer than the ttl: choose a longer one");
        world.command(thing, json!({"delivery": "shadow", "shadow": "map", "ttl": ttl})).await;
    };
    stream::iter(&names).map(create).buffer_unordered(CALLERS).for_each(async |()| ()).await;
    println!("{:>4} s: all are sent", started.elapsed().as_secs());
    let mut seen = Seen::NOTHING;
    for second in 0.. {
        seen.read(&world, &names, second);
        let left = (end_ms - world.stack.clock.now_ms()) / 1000;
        if second % 5 == 0 || left.abs() < 10 {
            println!("{left:>4} s left: {} of {} shadows hold a request", seen.holding, names.len() / SAMPLE);
        }
        // A shadow is read once in as many seconds.
        if left < -2 * i64::try_from(SAMPLE).expect("small") {
            break;
        }
        waiting("a second", tokio::time::sleep(Duration::from_secs(1))).await;
    }
    let rows = world.rows(EXECUTIONS).await;
    let ends = |row: &Value| row["start_by"]["N"].as_str().and_then(|text| text.parse::<i64>().ok());
    let (first, last) = (rows.iter().filter_map(ends).min(), rows.iter().filter_map(ends).max());
    println!("the ttls end from {first:?} to {last:?}");
    seen.check(&world, &names).await;
    world.end().await;
}
