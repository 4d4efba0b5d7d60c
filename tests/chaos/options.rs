//! The command line of the fault schedules.

/// Runs the real handlers under seeded random schedules of faults.
#[derive(clap::Parser)]
pub struct Options {
    /// Number of schedules to run.
    #[arg(long)]
    pub schedules: Option<u64>,
    /// Seed of the first schedule; without --schedules, only this one runs.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Prints everything that happens in the schedule of --seed.
    #[arg(long, requires = "seed")]
    pub trace: bool,
}
