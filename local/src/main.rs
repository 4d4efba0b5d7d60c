//! `cargo run -p local`: serves the stack, or shows it off.

mod banner;
mod cli;

use std::process::ExitCode;

use clap::Parser;
use local::stack::Stack;
use tracing_subscriber::EnvFilter;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.log());
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let ended = runtime.block_on(async {
        match cli.command {
            None => serve(cli.serve).await,
            Some(Command::Serve(serve_options)) => serve(serve_options).await,
            Some(Command::Demo(options)) => local::demo::run(options).await,
        }
    });
    // Connections that are still open must not hold up the end.
    runtime.shutdown_background();
    ended
}

async fn serve(options: cli::Serve) -> ExitCode {
    // Every device that connects takes one.
    if let Some(files) = device::files::raise_limit() {
        tracing::debug!(files, "open files that there may be");
    }
    let config = options.config();
    let shown = banner::Options::of(&config);
    // Heard from now on, so that an early Ctrl-C is not lost; a build in progress ends with the process group.
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

fn start_log(filter: &str) {
    let filter = EnvFilter::builder().parse_lossy(filter);
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

fn fail(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    eprintln!("error: {error}");
    // Most errors here name their cause themselves; what they leave out follows.
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
