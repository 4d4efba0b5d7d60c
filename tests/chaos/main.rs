//! Runs the real handlers under seeded random schedules of faults.
//!
//! The handlers talk to the local stack's DynamoDB, data plane and broker in AWS's own protocols; each of their calls
//! waits until the schedule decides its fault.
//!
//! ```text
//! cargo test --test chaos -- --schedules 10000
//! cargo test --test chaos -- --seed 17 --trace
//! ```
//!
//! | file | holds |
//! |---|---|
//! | [`scenario`] | what a seed draws before its schedule starts |
//! | [`world`], [`event`], [`event_loop`] | the state of a schedule, its planned events, and what happens next |
//! | [`fault`], [`calls`], [`transport`] | the calls of functions to AWS, and their faults |
//! | [`lambda`], [`handler`], [`invocation`], [`invocations`] | the functions: containers, starts, crashes, retries |
//! | [`dynamodb`], [`due_index`] | the tables, and an index that lags |
//! | [`streams`] | the streams of the tables, for fleet commands |
//! | [`device`], [`device_actions`] | simulated devices |
//! | [`connections`], [`deliveries`], [`mqtt`] | the network between devices and the broker |
//! | [`broker_messages`], [`shadows`] | topic rules and shadows |
//! | [`operator`] | requests to the HTTP API |
//! | [`history`] | the properties that every schedule must keep |

mod broker_messages;
mod calls;
mod connections;
mod deliveries;
mod device;
mod device_actions;
mod due_index;
mod dynamodb;
mod event;
mod event_loop;
mod fault;
mod fixture;
mod handler;
// Its own tests run with the system's tests, which have a test harness.
#[allow(dead_code, unused_imports)]
#[path = "../history/mod.rs"]
mod history;
mod invocation;
mod invocations;
mod lambda;
mod mailbox;
mod mqtt;
mod operator;
mod options;
mod outcome;
mod random;
mod scenario;
mod shadows;
mod streams;
mod transport;
mod world;

use std::{
    ops::Range,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use clap::Parser;
use fixture::Fixture;
use options::Options;
use outcome::ScheduleOutcome;
use world::World;

/// Number of schedules without `--schedules`.
const DEFAULT_SCHEDULES: u64 = 100;

/// Bytes of stack of a thread that runs schedules: as many as a function has, which handles its events on its main
/// thread. A handler that is not optimized may need more than two megabytes.
const STACK_SIZE: usize = 8 << 20;

fn main() -> ExitCode {
    let options = Options::parse();
    match options.seed.filter(|_| options.trace) {
        Some(seed) => print_trace(seed),
        None => run_schedules(&options),
    }
}

/// Runs one schedule; its seed alone determines what happens.
fn run_schedule(fixture: &mut Fixture, seed: u64, traced: bool) -> ScheduleOutcome {
    // The SDK draws its delays before retries from this generator.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("the runtime starts");
    runtime.block_on(async { World::new(fixture, seed, traced).run().await })
}

fn print_trace(seed: u64) -> ExitCode {
    let outcome = run_schedule(&mut Fixture::new(), seed, true);
    for line in &outcome.trace {
        println!("{line}");
    }
    for violation in &outcome.violations {
        println!("VIOLATION {violation}");
    }
    if outcome.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether each seed gives the same trace twice, also in reverse order and with a new fixture.
fn do_seeds_replay(seeds: Range<u64>) -> bool {
    let mut fixture = Fixture::new();
    let mut trace = |seed| run_schedule(&mut fixture, seed, true).trace;
    let first: Vec<_> = seeds.clone().map(&mut trace).collect();
    let mut second: Vec<_> = seeds.clone().rev().map(&mut trace).collect();
    second.reverse();
    let with_new_fixture = run_schedule(&mut Fixture::new(), seeds.end - 1, true).trace;
    let difference = seeds.zip(first.iter().zip(&second)).find(|(_, (first, second))| first != second);
    if let Some((seed, (first, second))) = difference {
        let line = first.iter().zip(second).take_while(|(first, second)| first == second).count();
        println!("seed {seed} gave another trace, from line {line}: {:?}, {:?}", first.get(line), second.get(line));
    }
    difference.is_none() && first.last() == Some(&with_new_fixture)
}

fn run_schedules(options: &Options) -> ExitCode {
    let started = Instant::now();
    if options.seed.is_none() && !do_seeds_replay(1..6) {
        println!("seeds do not replay: a violation that is found could not be reproduced");
        return ExitCode::FAILURE;
    }
    let first = options.seed.unwrap_or(1);
    let next = AtomicU64::new(first);
    let count = options.schedules.unwrap_or(if options.seed.is_some() { 1 } else { DEFAULT_SCHEDULES });
    let end = first + count;
    let run_some = || {
        let mut fixture = Fixture::new();
        let mut violating_seeds = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return (violating_seeds, fixture.call_count);
            }
            let violations = run_schedule(&mut fixture, seed, false).violations;
            for violation in &violations {
                println!("seed {seed}: {violation}");
            }
            if !violations.is_empty() {
                violating_seeds.push(seed);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
    let results: Vec<_> = std::thread::scope(|scope| {
        let spawn = |_| std::thread::Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, run_some);
        let workers: Vec<_> = (0..threads).map(|index| spawn(index).expect("the thread starts")).collect();
        workers.into_iter().map(|worker| worker.join().expect("no schedule panics")).collect()
    });
    let calls: u64 = results.iter().map(|(_, calls)| calls).sum();
    let violating_seeds: Vec<u64> = results.into_iter().flat_map(|(seeds, _)| seeds).collect();
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{count} schedules, {calls} calls, {seconds:.1} s ({:.0} schedules per second): {} with violations",
        count as f64 / seconds,
        violating_seeds.len()
    );
    if let Some(seed) = violating_seeds.iter().min() {
        println!("to reproduce: cargo test --test chaos -- --seed {seed} --trace");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
