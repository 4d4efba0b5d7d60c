//! A fleet command's counts are exact: a hundred thousand random schedules of everything that may go wrong between a table and its
//! counts, and a recount after each.
//!
//! What is checked is the crate's own: lives of executions, contributions, tallies, sums. What surrounds it is simulated: streams whose
//! shards split, readers that die, come back, begin again earlier and wake up late, and a table that writes on condition.
//!
//! - [`lives`]: what executions and batches go through
//! - [`stream`]: the items of some commands, and what the shards of two streams say of them
//! - [`table`]: the counts, as they are stored
//! - [`invocation`]: one call of the function that counts
//! - [`schedule`]: who acts next, and what goes wrong
//!
//! A schedule follows from its seed. `SEED=<first> cargo test -p domain --test counts -- --nocapture` goes through others.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, missing_docs)]

mod invocation;
mod lives;
mod schedule;
mod stream;
mod table;

use std::{ops::Range, thread};

use lives::Lives;
use schedule::{Schedule, Way};

const SCHEDULES: u64 = 100_000;

fn seeds() -> Range<u64> {
    let first = std::env::var("SEED").map_or(0, |seed| seed.parse().expect("SEED is a number"));
    first..first + SCHEDULES
}

/// The seeds of the schedules in which the counts come out wrong, with how.
fn wrong(seeds: Range<u64>, way: Way) -> Vec<(u64, String)> {
    let lives = &Lives::various();
    let half = seeds.start + (seeds.end - seeds.start) / 2;
    let go = |seeds: Range<u64>| -> Vec<_> {
        seeds.filter_map(|seed| Some((seed, Schedule::new(seed, lives, way).run().err()?))).collect()
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| go(half..seeds.end));
        let mut wrong = go(seeds.start..half);
        wrong.extend(other.join().expect("the other half ends"));
        wrong
    })
}

#[test]
fn counts_are_exact_whatever_dies_comes_twice_or_wakes_up_late() {
    let seeds = seeds();
    println!("seeds {seeds:?}");
    let wrong = wrong(seeds, Way::Watermark);
    let first: Vec<_> = wrong.iter().take(3).collect();
    assert!(wrong.is_empty(), "{} of {SCHEDULES} schedules are wrong, the first ones: {first:#?}", wrong.len());
}

/// Else the schedules above would prove nothing.
#[test]
fn counts_that_are_only_added_are_not() {
    let seeds = seeds();
    println!("seeds {seeds:?}");
    let wrong = wrong(seeds, Way::Add).len() as u64;
    println!("a plain ADD is wrong in {wrong} of {SCHEDULES} schedules: {} %", wrong * 100 / SCHEDULES);
    assert!(wrong * 3 >= SCHEDULES, "a plain ADD is wrong in only {wrong} of {SCHEDULES} schedules");
}
