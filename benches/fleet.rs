//! Benchmark of one command for many things, sent by one process: `cargo bench --bench fleet`.
//!
//! Each row of the table is a process of its own, which uses a fake AWS that answers every request after 10 ms: things
//! per second, CPU time and requests for each thing, and the most memory that it held. The exit status is 0 if every
//! thing was served exactly once, and dispatch-commands served at least 3,000 things per second. Run it on an idle
//! machine.

#[path = "fleet/dispatch.rs"]
mod dispatch;
#[path = "fleet/fake_aws.rs"]
mod fake_aws;
#[path = "fleet/process.rs"]
mod process;
#[path = "fleet/seed.rs"]
mod seed;
#[path = "fleet/tables.rs"]
mod tables;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use fake_aws::FakeAws;
use process::{MeasuredProcess, Measurement};
use tokio::process::Command;

/// Things per second that one process of a release build has to serve.
const MIN_RATE: f64 = 3_000.0;

#[derive(Parser)]
struct Options {
    /// Number of things of the command.
    #[arg(long, default_value_t = 10_000)]
    things: usize,
    /// A Python interpreter with boto3.
    #[arg(long, env = "FLAGHOIST_PYTHON")]
    python: Option<PathBuf>,
    /// Cargo passes this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    /// Runs the process that stores the command.
    #[arg(long, hide = true)]
    seed: bool,
}

fn thing(n: usize) -> String {
    format!("thing-{n:07}")
}

fn main() -> ExitCode {
    let options = Options::parse();
    // The functions have one thread as well.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("the runtime starts");
    if options.seed {
        runtime.block_on(seed::seed(options.things));
        return ExitCode::SUCCESS;
    }
    runtime.block_on(compare(&options))
}

async fn compare(options: &Options) -> ExitCode {
    if cfg!(debug_assertions) {
        println!("This is a debug build: its measurements mean nothing.\n");
    }
    Measurement::print_header();
    let dispatched = measure_dispatch(options.things).await;
    dispatched.print("dispatch-commands, one process");
    let is_good = dispatched.served && (cfg!(debug_assertions) || dispatched.rate() >= MIN_RATE);
    match &options.python {
        Some(python) => {
            let boto3 = measure_boto3(python, options.things).await;
            boto3.print("put and publish with boto3, 64 threads");
            println!("\ndispatch-commands is {:.1} times as fast as boto3", dispatched.rate() / boto3.rate());
            if is_good && boto3.served { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        None => {
            println!("\nTo compare with boto3, set FLAGHOIST_PYTHON to a Python interpreter that has it:");
            println!("  python3 -m venv /tmp/boto && /tmp/boto/bin/pip install boto3");
            println!("  FLAGHOIST_PYTHON=/tmp/boto/bin/python cargo bench --bench fleet");
            if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}

/// Measures dispatch-commands with a command whose batches are ready.
async fn measure_dispatch(things: usize) -> Measurement {
    let aws = FakeAws::start().await;
    let mut seeding = Command::new(std::env::current_exe().expect("a program knows its path"));
    seeding.args(["--seed", "--things", &things.to_string()]).envs(process::environment(aws.address()));
    assert!(seeding.status().await.expect("the process runs").success(), "the command could not be stored");
    let requests_before = aws.requests();
    let measurement = dispatch::measure(things, aws.address()).await;
    complete(measurement, &aws, requests_before, things)
}

/// Measures a script that does the same with boto3.
async fn measure_boto3(python: &PathBuf, things: usize) -> Measurement {
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/fleet.py")).arg(things.to_string());
    let aws = FakeAws::start().await;
    let measurement = MeasuredProcess::start(command, aws.address()).await.measure(things).await;
    complete(measurement, &aws, 0, things)
}

/// Adds the number of requests, and whether every thing has one row and got one request.
fn complete(mut measurement: Measurement, aws: &FakeAws, requests_before: u64, things: usize) -> Measurement {
    measurement.requests = aws.requests() - requests_before;
    measurement.served =
        (0..things).all(|n| aws.published(&format!("cmd/{}/req", thing(n))) == 1) && aws.rows("executions") == things;
    measurement
}
