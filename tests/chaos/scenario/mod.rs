//! A scenario: what a seed draws before its schedule starts, namely things, commands, cancels, ticks and fault rates.

mod command;
mod fleet;
mod thing;

pub use command::{CancelPlan, CommandPlan};
pub use thing::{Dialect, ReportFormat, StateShadow, ThingConfig};

use crate::random::Random;

/// Start of every schedule.
pub const START_MS: i64 = 1_700_000_000_000;

/// How far a device's clock may deviate.
pub const CLOCK_TOLERANCE_MS: i64 = 2_000;

/// Probabilities of faults, in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct FaultRates {
    /// Calls between a function and AWS.
    pub calls: usize,
    /// Messages between a device and the broker.
    pub messages: usize,
    /// Events between the broker and a function.
    pub events: usize,
    /// Queries of an index that are answered from an older copy.
    pub index_lag: usize,
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub fault_rates: FaultRates,
    pub things: Vec<ThingConfig>,
    pub commands: Vec<CommandPlan>,
    pub cancels: Vec<CancelPlan>,
    /// The last thing is one that no command is for.
    pub has_bystander: bool,
    /// Times at which a device reports a command of another application, with the thing's index.
    pub foreign_reports: Vec<(i64, usize)>,
    /// Times at which another writer changes the shadows of a thing, with the thing's index.
    pub foreign_shadow_writes: Vec<(i64, usize)>,
    /// Seconds between two runs of the reconciler.
    pub reconcile_seconds: u32,
    /// Time at which each tick fires, and the scheduled time in its event.
    pub ticks: Vec<(i64, i64)>,
    /// The last `finish_by` of a command.
    pub end_ms: i64,
}

impl Scenario {
    pub fn draw(seed: u64, random: &mut Random) -> Self {
        let (calls, messages, events, index_lag) = *random.pick(&[
            (0, 0, 0, 0),
            (30, 30, 50, 100),
            (100, 100, 100, 300),
            (300, 50, 100, 300),
            (50, 300, 300, 500),
            // The retry of a call fails more often than not as well.
            (600, 20, 50, 100),
        ]);
        let mut things: Vec<ThingConfig> =
            (0..1 + random.below(2)).map(|number| ThingConfig::draw(seed, number, random)).collect();
        let count = 1 + random.below(5);
        let mut commands: Vec<CommandPlan> =
            (0..count).map(|number| CommandPlan::draw(seed, number, &things, random)).collect();
        if random.chance(150) {
            for _ in 0..1 + random.below(4) {
                things.push(ThingConfig::draw(seed, things.len(), random));
            }
            things.iter_mut().for_each(|thing| thing.group = Some(fleet::GROUP));
            commands.push(CommandPlan::draw_fleet(seed, commands.len(), &things, random));
        }
        let has_bystander = random.chance(200);
        if has_bystander {
            things.push(ThingConfig::draw(seed, things.len(), random));
        }
        let end_ms = commands.iter().map(|command| command.finish_by_ms).max().unwrap_or(START_MS);
        let ticks = draw_ticks(end_ms, random);
        let cancels = (0..random.below(3)).map(|_| CancelPlan::draw(&commands, random)).collect();
        let uses_shadows = things.iter().any(|thing| thing.dialect.is_some() || thing.state_shadow.is_some());
        let foreign_shadow_writes = (0..if uses_shadows { random.below(4) } else { 0 })
            .map(|_| (START_MS + random.between(0, 150_000), random.below(things.len())))
            .collect();
        let foreign_reports =
            (0..random.below(4)).map(|_| (START_MS + random.between(0, 150_000), random.below(things.len()))).collect();
        let reconcile_seconds = *random.pick(&[60, 60, 60, 60, 60, 20]);
        let fault_rates = FaultRates { calls, messages, events, index_lag };
        Self {
            fault_rates,
            things,
            has_bystander,
            commands,
            cancels,
            foreign_reports,
            foreign_shadow_writes,
            reconcile_seconds,
            ticks,
            end_ms,
        }
    }
}

/// One tick for each minute; some are late, some are missing, some come twice.
fn draw_ticks(end_ms: i64, random: &mut Random) -> Vec<(i64, i64)> {
    let mut ticks = Vec::new();
    let mut scheduled_ms = START_MS - START_MS % 60_000 + 60_000;
    while scheduled_ms < end_ms + 60_000 {
        let times = *random.pick(&[0, 0, 1, 1, 1, 2]);
        for _ in 0..times {
            let late_ms = *random.pick(&[0, 50, 800, 40_000]);
            ticks.push((scheduled_ms + late_ms, scheduled_ms));
        }
        scheduled_ms += 60_000;
    }
    ticks
}
