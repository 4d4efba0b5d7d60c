//! The binary `device`: runs one reference device, or a fleet of simulated things.

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::fmt::time::uptime;

mod cli;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    tracing_subscriber::fmt().with_timer(uptime()).with_target(false).with_max_level(cli.log_level()).init();
    match cli.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                text.push_str(&format!(": {cause}"));
                source = cause.source();
            }
            eprintln!("device: {text}");
            ExitCode::FAILURE
        }
    }
}
