//! The main job on show.

use std::process::ExitCode;

/// What the demo is asked to show.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How many simulated things to start and command.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub things: usize,
}

/// Starts the stack and simulated things, commands them, and shows what happens.
pub async fn run(options: Options) -> ExitCode {
    eprintln!("a demo with {} things: not there yet", options.things);
    ExitCode::FAILURE
}
