//! What can be asked of it.

/// Seeded random schedules of faults against the real handlers.
#[derive(clap::Parser)]
pub struct Options {
    /// How many schedules.
    #[arg(long)]
    pub schedules: Option<u64>,
    /// The seed of the first of them; alone, of the only one.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Prints everything that happens in the schedule of this seed.
    #[arg(long, requires = "seed")]
    pub trace: bool,
}
