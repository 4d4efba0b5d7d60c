//! One command to many things, from one process: `cargo bench -p functions --bench fleet`.
//!
//! Each row of the table is a process of its own against a cloud that answers every request after 10 ms: how many things a second it serves,
//! what each costs in CPU time and in requests, and the most memory it held. The exit status says whether every thing was served exactly once,
//! and `dispatch` at least 3,000 things a second. Run it on an idle machine.

#[path = "fleet/cloud.rs"]
mod cloud;
#[path = "fleet/dispatch.rs"]
mod dispatch;
#[path = "fleet/measure.rs"]
mod measure;
#[path = "fleet/table.rs"]
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use cloud::Cloud;
use measure::{Figures, Program};
use tokio::process::Command;

/// What one process has to reach, in a release build.
const ENOUGH: f64 = 3_000.0;

#[derive(Parser)]
struct Options {
    /// How many things the command is for.
    #[arg(long, default_value_t = 10_000)]
    things: usize,
    /// A Python that has boto3.
    #[arg(long, env = "FLAGHOIST_PYTHON")]
    python: Option<PathBuf>,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    /// Be the process that is measured.
    #[arg(long, hide = true)]
    measured: bool,
}

fn thing(n: usize) -> String {
    format!("thing-{n:07}")
}

fn main() -> ExitCode {
    let options = Options::parse();
    // As the functions do, and as the cloud may: one thread each.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    if options.measured {
        runtime.block_on(dispatch::measured(options.things));
        return ExitCode::SUCCESS;
    }
    runtime.block_on(compare(&options))
}

async fn compare(options: &Options) -> ExitCode {
    if cfg!(debug_assertions) {
        println!("This is a debug build: its figures say nothing.\n");
    }
    Figures::print_header();
    let dispatched = dispatch(options.things).await;
    dispatched.print("put and publish in one process, no function yet");
    let good = dispatched.served && (cfg!(debug_assertions) || dispatched.rate() >= ENOUGH);
    match &options.python {
        Some(python) => {
            let by_hand = by_hand(python, options.things).await;
            by_hand.print("put and publish with boto3, 64 threads");
            println!("\n{:.1} times as fast", dispatched.rate() / by_hand.rate());
            if good && by_hand.served { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        None => {
            println!("\nNo boto3 to compare with: FLAGHOIST_PYTHON names no Python that has it. To make one:");
            println!("  python3 -m venv /tmp/boto && /tmp/boto/bin/pip install boto3");
            println!("  FLAGHOIST_PYTHON=/tmp/boto/bin/python cargo bench -p functions --bench fleet");
            if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}

/// What serves a fleet. It is to become `dispatch-commands`, fed with stream events of batches that are ready through `local::lambda`; until
/// then it is what that function can't do without, one put and one publish for each thing, through the clients that it will use.
async fn dispatch(things: usize) -> Figures {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--measured", "--things", &things.to_string()]);
    run(command, things).await
}

/// The same, as it is written by hand.
async fn by_hand(python: &PathBuf, things: usize) -> Figures {
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/fleet.py")).arg(things.to_string());
    run(command, things).await
}

async fn run(command: Command, things: usize) -> Figures {
    let cloud = Cloud::start().await;
    let mut program = Program::start(command, cloud.address()).await;
    let mut figures = program.measure(things).await;
    figures.requests = cloud.requests();
    figures.served = (0..things).all(|n| cloud.published(&format!("cmd/{}/req", thing(n))) == 1)
        && cloud.rows("executions") == things;
    figures
}
