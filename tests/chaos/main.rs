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

fn run(options: &Options) -> ExitCode {
    let began = Instant::now();
    let first = options.seed.unwrap_or(1);
    let next = AtomicU64::new(first);
    let end = if options.seed.is_some() && options.schedules.is_none() {
        first + 1
    } else {
        first + options.schedules.unwrap_or(300)
    };
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
    let schedules = end - first;
    println!(
        "{schedules} schedules, {calls} calls, {seconds:.1} s ({:.0} schedules a second): {} violated something",
        schedules as f64 / seconds,
        bad.len()
    );
    if let Some(seed) = bad.iter().min() {
        println!("again: cargo test --package functions --test chaos -- --seed {seed} --trace");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
