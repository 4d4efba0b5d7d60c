//! A fleet command's counts are exact: a recount after each of 100,000 random schedules of faults agrees with them.
//!
//! Executions, contributions, shard counts and sums are the crate's own. Their surroundings are simulated: streams
//! whose shards split, readers that crash, restart, start again from an earlier record or continue late, and a table
//! with conditional writes.
//!
//! - [`histories`]: the contributions of executions and of duplicates over time
//! - [`stream`]: the items of some commands, and the records of the shards of two streams
//! - [`table`]: the stored counts
//! - [`invocation`]: one invocation of the function that counts
//! - [`schedule`]: the order of steps, and the faults
//!
//! A schedule follows from its seed. `SEED=<first> cargo test --test counts -- --nocapture` runs other seeds.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, missing_docs)]

mod histories;
mod invocation;
mod schedule;
mod stream;
mod table;

use std::{ops::Range, thread};

use histories::Histories;
use schedule::{Schedule, WriteMode};

const SCHEDULES: u64 = 100_000;

fn seeds() -> Range<u64> {
    let first = std::env::var("SEED").map_or(0, |seed| seed.parse().expect("SEED is a number"));
    first..first + SCHEDULES
}

/// The seeds of the schedules after which the counts are wrong, with the difference.
fn wrong_counts(seeds: Range<u64>, mode: WriteMode) -> Vec<(u64, String)> {
    let histories = &Histories::random();
    let half = seeds.start + (seeds.end - seeds.start) / 2;
    let run = |seeds: Range<u64>| -> Vec<_> {
        seeds.filter_map(|seed| Some((seed, Schedule::new(seed, histories, mode).run().err()?))).collect()
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| run(half..seeds.end));
        let mut wrong = run(seeds.start..half);
        wrong.extend(other.join().expect("the other half of the schedules"));
        wrong
    })
}

#[test]
fn counts_are_exact_after_crashes_replays_and_late_writes() {
    let seeds = seeds();
    println!("seeds {seeds:?}");
    let wrong = wrong_counts(seeds, WriteMode::Watermark);
    let first: Vec<_> = wrong.iter().take(3).collect();
    assert!(wrong.is_empty(), "{} of {SCHEDULES} schedules are wrong, the first ones: {first:#?}", wrong.len());
}

/// Shows that the schedules have enough faults.
#[test]
fn counts_without_a_watermark_are_wrong_in_a_third_of_the_schedules() {
    let seeds = seeds();
    println!("seeds {seeds:?}");
    let wrong = wrong_counts(seeds, WriteMode::Add).len() as u64;
    println!("a plain ADD is wrong in {wrong} of {SCHEDULES} schedules: {} %", wrong * 100 / SCHEDULES);
    assert!(wrong * 3 >= SCHEDULES, "a plain ADD is wrong in only {wrong} of {SCHEDULES} schedules");
}
