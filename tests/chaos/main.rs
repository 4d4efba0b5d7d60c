//! Seeded random schedules of faults against the real handlers: they run as they are, talk to the local stack's DynamoDB, data
//! plane and broker in AWS's own protocols, and every call that they make waits until the schedule says what becomes of it.
//!
//! ```text
//! cargo test --package functions --test chaos -- --schedules 10000
//! cargo test --package functions --test chaos -- --seed 17 --trace
//! ```

mod cloud;
mod device;
mod dice;
mod engine;
mod fate;
mod field;
// Its own tests run where there is a harness, with the system's.
#[allow(dead_code)]
#[path = "../history/mod.rs"]
mod history;
mod lambda;
mod machine;
mod mqtt;
mod operator;
mod options;
mod plan;
mod shadows;
mod verdict;
mod wire;
mod world;

use std::{
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use clap::Parser;
use machine::Machine;
use options::Options;
use verdict::Verdict;
use world::World;

/// As many as plain `cargo test` has the time for.
const USUAL: u64 = 100;

fn main() -> ExitCode {
    let options = Options::parse();
    match options.seed.filter(|_| options.trace) {
        Some(seed) => show(seed),
        None => run(&options),
    }
}

/// One schedule, from its seed and nothing else.
fn schedule(machine: &mut Machine, seed: u64, traced: bool) -> Verdict {
    // The SDK draws the pauses before its retries from here.
    fastrand::seed(seed);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async { World::new(machine, seed, traced).run().await })
}

fn show(seed: u64) -> ExitCode {
    let verdict = schedule(&mut Machine::new(), seed, true);
    for line in &verdict.trace {
        println!("{line}");
    }
    for violation in &verdict.violations {
        println!("VIOLATION {violation}");
    }
    if verdict.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A seed means the same twice, whatever was run before it on the same machine.
fn replays(seeds: std::ops::Range<u64>) -> bool {
    let mut used = Machine::new();
    let first: Vec<_> = seeds.clone().map(|seed| schedule(&mut used, seed, true).trace).collect();
    let again: Vec<_> = seeds.clone().rev().map(|seed| schedule(&mut used, seed, true).trace).rev().collect();
    let fresh = schedule(&mut Machine::new(), seeds.end - 1, true).trace;
    let difference = seeds.zip(first.iter().zip(&again)).find(|(_, (one, other))| one != other);
    if let Some((seed, (one, other))) = difference {
        let at = one.iter().zip(other).take_while(|(one, other)| one == other).count();
        println!("seed {seed} did not replay, from {:?}: {:?}", one.get(at), other.get(at));
    }
    difference.is_none() && first.last() == Some(&fresh)
}

fn run(options: &Options) -> ExitCode {
    let began = Instant::now();
    if options.seed.is_none() && !replays(1..6) {
        println!("a seed does not replay: nothing that follows could be trusted");
        return ExitCode::FAILURE;
    }
    let first = options.seed.unwrap_or(1);
    let next = AtomicU64::new(first);
    let count = options.schedules.unwrap_or(if options.seed.is_some() { 1 } else { USUAL });
    let end = first + count;
    let work = || {
        let mut machine = Machine::new();
        let mut bad = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return (bad, machine.calls_made);
            }
            let violations = schedule(&mut machine, seed, false).violations;
            for violation in &violations {
                println!("seed {seed}: {violation}");
            }
            if !violations.is_empty() {
                bad.push(seed);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
    let results: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().expect("no panic")).collect()
    });
    let calls: u64 = results.iter().map(|(_, calls)| calls).sum();
    let bad: Vec<u64> = results.into_iter().flat_map(|(bad, _)| bad).collect();
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{count} schedules, {calls} calls, {seconds:.1} s ({:.0} schedules a second): {} violated something",
        count as f64 / seconds,
        bad.len()
    );
    if let Some(seed) = bad.iter().min() {
        println!("again: cargo test --package functions --test chaos -- --seed {seed} --trace");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
