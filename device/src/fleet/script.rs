//! The script of a simulated thing: its behaviour, and how its execution must end.

use super::behaviour::Behaviour;
use super::shares::BehaviourShares;
use crate::random::Random;

/// The end of an execution as the API must show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The final status.
    pub status: &'static str,
    /// The reason code, if only one is possible.
    pub reason: Option<&'static str>,
    /// The device's report arrives after the cloud's provisional status, and overrides it.
    pub late: bool,
}

/// What one thing does. The same for the same seed, name and shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    /// What the thing does with a command.
    pub behaviour: Behaviour,
    /// How long each command runs, in milliseconds.
    pub work_ms: i64,
}

impl Script {
    /// Draws the script of a thing.
    pub fn draw(seed: u64, thing: &str, shares: &BehaviourShares) -> Self {
        let mut random = Random::new(seed, thing);
        let mut point = random.fraction();
        let behaviour = shares
            .named()
            .into_iter()
            .find_map(|(_, share, behaviour)| {
                point -= share;
                (point < 0.0).then_some(behaviour)
            })
            .unwrap_or(Behaviour::Succeeds);
        let (shortest_ms, longest_ms) = match behaviour {
            Behaviour::Slow => (1_500.0, 3_000.0),
            Behaviour::GoesOffline => (400.0, 1_200.0),
            _ => (2.0, 40.0),
        };
        Self { behaviour, work_ms: (shortest_ms + (longest_ms - shortest_ms) * random.fraction()) as i64 }
    }

    /// How an execution with one attempt must end. A thing that comes and goes must be connected within the ttl. With
    /// `heartbeats`, the command asks for heartbeats, so a thing that crashes is detected by the first that is missing.
    pub fn expected(&self, heartbeats: bool) -> Expected {
        let (status, reason) = match self.behaviour {
            Behaviour::Fails | Behaviour::FailsOnce => ("FAILED", Some("PUMP_JAMMED")),
            Behaviour::Reboots => ("FAILED", Some("DEVICE_RESTARTED")),
            Behaviour::Rejects => ("REJECTED", Some("UNKNOWN_COMMAND")),
            Behaviour::Mute => ("TIMED_OUT", Some("NO_RESPONSE")),
            // EXPIRED when the request was not sent, NO_RESPONSE when it waits in the broker's session.
            Behaviour::NeverOnline => ("TIMED_OUT", None),
            Behaviour::Crashes if heartbeats => ("TIMED_OUT", Some("HEARTBEAT_LOST")),
            Behaviour::Crashes => ("TIMED_OUT", Some("EXECUTION_TIMEOUT")),
            _ => ("SUCCEEDED", None),
        };
        Expected { status, reason, late: self.behaviour == Behaviour::Late }
    }

    /// Whether its execution ends only after a deadline (the ttl or the timeout) has passed.
    pub fn ends_at_deadline(&self) -> bool {
        use Behaviour::{Crashes, Late, Mute, NeverOnline};
        matches!(self.behaviour, Crashes | Late | Mute | NeverOnline)
    }

    /// Whether it reports the final status within milliseconds of the request.
    pub fn is_prompt(&self) -> bool {
        use Behaviour::{Fails, Rejects, Succeeds, Twice};
        matches!(self.behaviour, Succeeds | Fails | Twice | Rejects)
    }

    /// Whether it ever connects.
    pub fn connects(&self) -> bool {
        self.behaviour != Behaviour::NeverOnline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_depends_on_the_seed_and_the_name_alone() {
        let shares = BehaviourShares::mixed();
        assert_eq!(Script::draw(7, "pump-1", &shares), Script::draw(7, "pump-1", &shares));
        let differs = |seed| {
            (0..50).any(|n| {
                let thing = format!("pump-{n}");
                Script::draw(7, &thing, &shares) != Script::draw(seed, &thing, &shares)
            })
        };
        assert!(differs(8));
    }

    #[test]
    fn behaviours_have_their_shares_in_a_large_fleet() {
        let mixed = BehaviourShares::mixed();
        let shares = BehaviourShares { reboot: 0.1, flaky: 0.1, out_of_order: 0.1, come_and_go: 0.1, ..mixed };
        assert_eq!(shares.check(), Ok(()));
        let mut counts = std::collections::HashMap::new();
        for n in 0..10_000 {
            *counts.entry(Script::draw(1, &format!("thing-{n:05}"), &shares).behaviour).or_insert(0) += 1;
        }
        for (name, share, behaviour) in shares.named() {
            let actual = f64::from(counts[&behaviour]) / 10_000.0;
            assert!((actual - share).abs() < 0.01, "{name}: {actual} instead of {share}");
        }
    }
}
