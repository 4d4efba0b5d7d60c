//! `cargo run --bin local`: serves the stack until Ctrl-C.

mod banner;
mod cli;

use std::process::ExitCode;

use clap::Parser;
use local::stack::Stack;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use cli::{Cli, Command};

/// What `local demo` ends with: the demo is a package of its own.
const DEMO_MOVED: &str = "the demo is a program of its own: run `cargo run --bin demo`";

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.log.clone());
    let options = match cli.command {
        None => cli.serve,
        Some(Command::Serve(options)) => options,
        Some(Command::Demo { .. }) => {
            eprintln!("error: {DEMO_MOVED}");
            return ExitCode::FAILURE;
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let ended = runtime.block_on(serve(options));
    // Connections that are still open must not delay the end.
    runtime.shutdown_background();
    ended
}

async fn serve(options: cli::Serve) -> ExitCode {
    // Each connection of a device is an open file.
    if let Some(files) = local::open_files::raise_limit() {
        tracing::debug!(files, "limit of open files");
    }
    let config = options.config();
    let shown = banner::Options::of(&config);
    // Watched from now on, so that an early Ctrl-C is not lost; a build in progress ends with the process group.
    let interrupted = local::signals::end();
    tokio::pin!(interrupted);
    let stack = tokio::select! {
        started = Stack::start(config) => started,
        () = &mut interrupted => return ExitCode::SUCCESS,
    };
    let stack = match stack {
        Ok(stack) => stack,
        Err(error) => return fail(&error),
    };
    print!("{}", banner::text(&stack, &shown));
    interrupted.await;
    stack.shutdown().await;
    ExitCode::SUCCESS
}

fn start_log(filter: Targets) {
    let to_stderr = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(to_stderr).with(filter).init();
}

fn fail(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    eprintln!("error: {error}");
    // Most errors of this crate name their cause themselves; the others are followed by it.
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            eprintln!("  because: {text}");
            said = text;
        }
        cause = error.source();
    }
    ExitCode::FAILURE
}
