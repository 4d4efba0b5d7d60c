//! The command line of the binary `device`.

use std::error::Error;

use clap::{Parser, Subcommand};
use tracing::Level;

mod broadcast_args;
mod broker_args;
mod fleet_command;
mod fleet_shares;
mod thing_command;

use fleet_command::FleetCommand;
use thing_command::ThingCommand;

const EXAMPLES: &str = "\
Examples, with the local stack running (cargo run --bin local):
  device --thing pump-7
  device --thing pump-7 --port 8883 --ca .local/ca.pem --cert pump-7.pem --key pump-7.key
  device --thing pump-7 --fail             every command fails
  device --thing pump-7 --memory pump.json repeats its reports even after a restart
  device --thing pump-7 --shadow           takes commands from its named shadow cmd too
  device --thing pump-7 --group pumps      takes broadcasts to the group too
  device --broadcast-topic device_status/request --answer-topic device_status/response
  device fleet --things 1000 --mixed       things with a mix of faults";

/// A reference device that takes commands.
///
/// It subscribes to cmd/<thing>/req, to cmd/<thing>/cancel and to the topics of its broadcasts, reports on
/// cmd/<thing>/resp, and prints what it does. It accepts every command, each takes --work milliseconds, and the result
/// repeats the payload.
#[derive(Debug, Parser)]
#[command(name = "device", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    thing: ThingCommand,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulate many things in this process; the seed and a thing's name determine its behaviour
    #[command(after_help = "Shares are from 0 to 1 and add up to at most 1; all other things succeed.")]
    Fleet(Box<FleetCommand>),
}

impl Cli {
    pub fn log_level(&self) -> Level {
        if self.thing.verbose { Level::DEBUG } else { Level::INFO }
    }

    pub async fn run(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        match self.command {
            Some(Command::Fleet(fleet)) => fleet.run().await,
            None => self.thing.run().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn invalid_groups_and_topics_are_refused() {
        let parse = |option, value| Cli::try_parse_from(["device", option, value]).map(|cli| cli.thing.broadcasts);
        assert_eq!(parse("--group", "pumps").unwrap().groups, ["pumps"]);
        assert_eq!(parse("--broadcast-topic", "device_status/request").unwrap().topics, ["device_status/request"]);
        assert!(parse("--group", "a/b").is_err());
        assert!(parse("--broadcast-topic", "a/#").is_err());
        assert!(parse("--answer-topic", "").is_err());
        assert!(Cli::try_parse_from(["device", "fleet", "--group", "pumps", "--loss", "0.05"]).is_ok());
    }

    #[test]
    fn certificate_without_its_key_is_refused() {
        assert!(Cli::try_parse_from(["device", "--ca", "ca.pem", "--cert", "c.pem"]).is_err());
        assert!(Cli::try_parse_from(["device", "--thing", ""]).is_err());
        assert!(Cli::try_parse_from(["device", "fleet", "--things", "0"]).is_err());
        assert!(Cli::try_parse_from(["device", "fleet", "--things", "5", "--mixed"]).is_ok());
    }
}
