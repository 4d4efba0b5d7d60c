//! What can be asked of the demo.

use std::path::PathBuf;

use clap::Args;
use device::fleet::Knobs;

/// Start a stack and a fleet of simulated things, command all of them at once, and check every outcome
///
/// A stack of its own on free ports, nothing kept. Each thing has a script that says how its execution must end; the
/// exit status is 0 only if every execution ended so.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The template to run; the functions are built from the workspace it lies in
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub template: PathBuf,
    /// How many things
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub things: u32,
    /// The same seed: the same scripts
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Within which time a device must start; it passes in a moment, since the stack's clock is moved
    #[arg(long, default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(30..=3_600))]
    pub ttl: u32,
    /// How much goes wrong: 0 nothing, 1 about half of the things in some way, 2 nearly all
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", value_parser = factor)]
    pub trouble: f64,
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(factor) if (0.0..=2.0).contains(&factor) => Ok(factor),
        _ => Err("a number from 0 to 2".to_owned()),
    }
}

impl Options {
    pub(super) fn knobs(&self) -> Knobs {
        Knobs::mixed().scaled(self.trouble)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_factor_gives_possible_shares() {
        for text in ["0", "0.5", "1", "2"] {
            let trouble = factor(text).expect("a factor");
            assert_eq!(Knobs::mixed().scaled(trouble).check(), Ok(()));
        }
        for text in ["-1", "2.1", "NaN", "much"] {
            assert!(factor(text).is_err(), "{text}");
        }
    }
}
