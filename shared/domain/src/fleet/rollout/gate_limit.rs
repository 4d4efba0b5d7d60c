//! How many things the gates of a rollout (canary, waves) allow to be released, and whether a gate stops the rollout.

use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::gate::Gate;
use crate::fleet::rollout::halt::RolloutHalt;
use crate::fleet::rollout::snapshot::RolloutSnapshot;

/// The largest number of released things that the gates allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GateLimit {
    pub things: u64,
    pub halt: Option<RolloutHalt>,
}

/// A gate, how many things are released when the rollout waits there, and which percentage of them must succeed.
struct GateRule {
    gate: Gate,
    at: u64,
    success_percentage: u8,
}

impl Rollout {
    /// How many things may be released at most before the next gate opens, when `released` things are released.
    pub(in crate::fleet) fn releasable(&self, released: u64, snapshot: &RolloutSnapshot) -> u64 {
        self.gate_limit(released, snapshot).things
    }

    /// The limit of the first gate that is not passed, when `released` things are released.
    pub(super) fn gate_limit(&self, released: u64, snapshot: &RolloutSnapshot) -> GateLimit {
        let limit = |things| GateLimit { things, halt: None };
        for GateRule { gate, at, success_percentage } in self.gates(snapshot) {
            if released < at || snapshot.planned <= at {
                return limit(at.min(snapshot.planned));
            }
            if released > at {
                continue;
            }
            if snapshot.outcomes.executed.saturating_add(snapshot.duplicates) < released {
                return limit(released);
            }
            let of = released.saturating_sub(snapshot.duplicates);
            let succeeded = snapshot.outcomes.succeeded;
            let is_enough = u128::from(succeeded) * 100 >= u128::from(of) * u128::from(success_percentage);
            if !is_enough && released > snapshot.waived_up_to {
                let halt = RolloutHalt::TooFewSucceeded { gate, succeeded, of, success_percentage };
                return GateLimit { things: released, halt: Some(halt) };
            }
        }
        // While the target is still being read, a percentage of it is not known.
        let is_unknown = self.waves.is_some() && !snapshot.planning_complete;
        limit(if is_unknown { released } else { snapshot.planned })
    }

    /// The gates in their order. A wave that ends within the canary comes after it, and so is passed together with it.
    fn gates(&self, snapshot: &RolloutSnapshot) -> impl Iterator<Item = GateRule> {
        let canary = self.canary.map(|canary| GateRule {
            gate: Gate::Canary,
            at: u64::from(canary.things()),
            success_percentage: canary.success_percentage(),
        });
        let planned = snapshot.planned;
        let waves = self.waves.iter().filter(|_| snapshot.planning_complete).flat_map(move |waves| {
            waves.percentages().iter().map(move |&percentage| GateRule {
                gate: Gate::Wave(percentage),
                at: share(planned, percentage),
                success_percentage: waves.success_percentage(),
            })
        });
        canary.into_iter().chain(waves)
    }
}

/// This percentage of the things, rounded up.
fn share(things: u64, percentage: u8) -> u64 {
    let share = (u128::from(things) * u128::from(percentage)).div_ceil(100);
    u64::try_from(share).unwrap_or(u64::MAX)
}
