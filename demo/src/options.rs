//! The command line.

use std::path::PathBuf;

use clap::Parser;
use device::fleet::BehaviourShares;
use tracing_subscriber::filter::Targets;

/// Start a stack and a fleet of simulated things, command all of them at once, and check every outcome
///
/// The stack listens on free ports and keeps nothing. Each thing has a script that says how its execution must end; the
/// exit status is 0 only if every row of the final table has what is expected.
#[derive(Clone, Debug, Parser)]
#[command(name = "demo", version)]
pub(super) struct Options {
    /// The template to run; cargo builds the functions from the workspace that contains it
    #[arg(long, value_name = "FILE", default_value = "template.yaml", env = "FLAGHOIST_TEMPLATE")]
    pub template: PathBuf,
    /// Run prebuilt functions from this directory, as `sam build` leaves them (.aws-sam/build) [default: cargo builds
    /// them]
    #[arg(long, value_name = "DIR", env = "FLAGHOIST_FUNCTIONS")]
    pub functions: Option<PathBuf>,
    /// Number of things
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub things: u32,
    /// Seed of the things' scripts
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Time within which a thing must start; it passes in a moment, since the demo moves the stack's clock
    #[arg(long, default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(30..=3_600))]
    pub ttl: u32,
    /// How much goes wrong: 0 nothing, 1 about half of the things in some way, 2 nearly all
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", value_parser = factor)]
    pub trouble: f64,
    /// What to log to stderr: a level (error, warn, info, debug, trace), or directives such as
    /// `warn,local_broker=debug`
    #[arg(long, value_name = "FILTER", default_value = "error", env = "FLAGHOIST_LOG")]
    pub log: Targets,
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(factor) if (0.0..=2.0).contains(&factor) => Ok(factor),
        _ => Err("a number from 0 to 2".to_owned()),
    }
}

impl Options {
    /// The share of things with each behaviour.
    pub fn shares(&self) -> BehaviourShares {
        BehaviourShares::mixed().scaled(self.trouble)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn every_factor_gives_possible_shares() {
        for text in ["0", "0.5", "1", "2"] {
            let trouble = factor(text).expect("a factor");
            assert_eq!(BehaviourShares::mixed().scaled(trouble).check(), Ok(()));
        }
        for text in ["-1", "2.1", "NaN", "much"] {
            assert!(factor(text).is_err(), "{text}");
        }
    }
}
