//! `device fleet`: runs simulated things until Ctrl-C, and prints their counts.

use std::error::Error;
use std::time::Duration;

use clap::Args;
use clap::builder::{NonEmptyStringValueParser, TypedValueParser};
use device::clock::system_clock;
use device::fleet::{Behaviour, Fleet, FleetConfig, Stats};
use device::open_files;

use super::broadcast_args::BroadcastArgs;
use super::broker_args::BrokerArgs;
use super::fleet_shares::FleetShares;

/// How often changed counts are printed.
const PRINT_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub struct FleetCommand {
    /// The number of things
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..).map(|n| n as usize))]
    things: usize,
    /// Names are <PREFIX>-1 and so on, with leading zeros where there are ten things or more: <PREFIX>-01
    #[arg(long, default_value = "thing", value_parser = NonEmptyStringValueParser::new())]
    prefix: String,
    /// The same seed and names give the same behaviours
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    shares: FleetShares,
    /// Share of things that take commands from the named shadow cmd too; independent of the shares above
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    shadow: f64,
    #[command(flatten)]
    broadcasts: BroadcastArgs,
    /// Share of requests that are lost before a thing receives them, and of reports that are lost after it sent them
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    loss: f64,
    /// Time from the ttl to the report of things that report late
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    late_after: u64,
}

impl FleetCommand {
    pub async fn run(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        open_files::ensure_capacity(self.things as u64, 1)?;
        let mut config = FleetConfig::new(self.broker.endpoint()?, self.things, system_clock());
        config.shares = self.shares.shares();
        config.prefix = self.prefix;
        config.seed = self.seed;
        config.shadow_commands = self.shadow;
        config.groups = self.broadcasts.groups;
        config.broadcast_topics = self.broadcasts.topics;
        config.response_topics = self.broadcasts.response_topics;
        config.loss = self.loss;
        config.late_after = Duration::from_secs(self.late_after);
        let fleet = Fleet::start(config).await?;
        print_scripts(&fleet);
        print_counts_until_ctrl_c(&fleet).await?;
        fleet.stop().await;
        Ok(())
    }
}

fn print_scripts(fleet: &Fleet) {
    let names = fleet.things();
    let connects = |name: &&String| fleet.script(name).is_some_and(|script| script.connects());
    println!("{} of {} things are online. Ctrl-C ends it.", names.iter().filter(connects).count(), names.len());
    for name in names {
        if let Some(script) = fleet.script(name).filter(|script| script.behaviour != Behaviour::Succeeds) {
            println!("  {name} {}", script.behaviour.describe());
        }
    }
}

async fn print_counts_until_ctrl_c(fleet: &Fleet) -> std::io::Result<()> {
    let mut printed = Stats::default();
    let mut ticks = tokio::time::interval(PRINT_INTERVAL);
    loop {
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => return pressed,
            _ = ticks.tick() => {
                let stats = fleet.stats();
                if stats != printed {
                    let Stats { requests, broadcasts, started, reports, deltas, trimmed, .. } = stats;
                    print!("{requests} requests, {broadcasts} broadcasts, {started} started, {reports} reports, ");
                    println!("{deltas} deltas, {trimmed} trimmed, {} lost", stats.lost_requests + stats.lost_reports);
                    printed = stats;
                }
            }
        }
    }
}
