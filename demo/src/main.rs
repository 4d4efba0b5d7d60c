//! The main job on show: a stack, a fleet of simulated things, one command for all of them, and a check of every
//! outcome.
//!
//! | file | holds |
//! |---|---|
//! | [`options`] | the command line |
//! | [`error`] | why the demo ended early |
//! | [`api`] | the command API and the shadow API, as an operator's program calls them |
//! | [`show`] | the run: stack, fleet, command, new desired states, report |
//! | [`rollout`] | the command, from its request to its end |
//! | [`watch`] | an MQTT connection that receives the things' messages and the command's events |
//! | [`observed`] | what that connection has received |
//! | [`display`] | what is shown while the demo runs |
//! | [`checks`] | what is expected, what happened, row by row |
//! | [`latency`] | durations, and their quantiles |
//! | [`report`] | the tables at the end |
//! | [`temp_dir`] | a directory that is removed at the end |

mod api;
mod checks;
mod display;
mod error;
mod latency;
mod observed;
mod options;
mod report;
mod rollout;
mod show;
mod temp_dir;
mod watch;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use options::Options;

fn main() -> ExitCode {
    let options = Options::parse();
    let to_stderr = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(to_stderr).with(options.log.clone()).init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start the async runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(show::run(&options));
    // Connections that are still open must not delay the end.
    runtime.shutdown_background();
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {}", error::with_sources(&error));
            ExitCode::FAILURE
        }
    }
}
