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
#[path = "fleet/seed.rs"]
mod seed;
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
    /// Be the process that stores the command.
    #[arg(long, hide = true)]
    seed: bool,
}

fn thing(n: usize) -> String {
    format!("thing-{n:07}")
}

fn main() -> ExitCode {
    let options = Options::parse();
    // As the functions do, and as the cloud may: one thread each.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    if options.seed {
        runtime.block_on(seed::seed(options.things));
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
    dispatched.print("dispatch-commands, one process");
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

/// The function, with the stream of a command that is ready.
async fn dispatch(things: usize) -> Figures {
    let cloud = Cloud::start().await;
    let mut seeding = Command::new(std::env::current_exe().expect("this program"));
    seeding.args(["--seed", "--things", &things.to_string()]).envs(measure::environment(cloud.address()));
    assert!(seeding.status().await.expect("it runs").success(), "the command could not be stored");
    let before = cloud.requests();
    let figures = dispatch::measure(things, cloud.address()).await;
    judge(figures, &cloud, before, things)
}

/// The same, as it is written by hand.
async fn by_hand(python: &PathBuf, things: usize) -> Figures {
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/fleet.py")).arg(things.to_string());
    let cloud = Cloud::start().await;
    let figures = Program::start(command, cloud.address()).await.measure(things).await;
    judge(figures, &cloud, 0, things)
}

/// Whether every thing has its row and has got its request, once.
fn judge(mut figures: Figures, cloud: &Cloud, before: u64, things: usize) -> Figures {
    figures.requests = cloud.requests() - before;
    figures.served = (0..things).all(|n| cloud.published(&format!("cmd/{}/req", thing(n))) == 1)
        && cloud.rows("executions") == things;
    figures
}
