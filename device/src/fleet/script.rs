//! What each simulated thing will do, and how its execution must therefore end.

use crate::random::Random;

/// Shares of the fleet, each from 0 to 1; together at most 1. The rest simply succeed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Knobs {
    /// Try, and fail.
    pub fail: f64,
    /// Take long, with heartbeats.
    pub slow: f64,
    /// Say everything twice.
    pub twice: f64,
    /// Say nothing until the ttl has long passed, then that it succeeded.
    pub late: f64,
    /// Lose the connection while working, finish, come back.
    pub offline: f64,
    /// Never connect.
    pub never_online: f64,
    /// Accept, then lose all memory and reconnect.
    pub crash: f64,
    /// Take the request and never say a word.
    pub mute: f64,
    /// Do not know the command.
    pub reject: f64,
    /// Fail at the first attempt, and succeed at the next.
    pub flaky: f64,
    /// Accept, then restart with their memory, and say so.
    pub reboot: f64,
    /// Say that they run only after they have said how it ended.
    pub out_of_order: f64,
    /// Are connected for a while, and gone for a while, again and again.
    pub come_and_go: f64,
}

impl Knobs {
    /// A bit of everything that ends in one way only, whatever is asked and by which delivery.
    pub fn mixed() -> Self {
        Self {
            fail: 0.08,
            slow: 0.06,
            twice: 0.08,
            late: 0.04,
            offline: 0.06,
            never_online: 0.04,
            crash: 0.03,
            mute: 0.04,
            reject: 0.04,
            reboot: 0.0,
            flaky: 0.0,
            out_of_order: 0.0,
            come_and_go: 0.0,
        }
    }

    fn shares(&self) -> [(&'static str, f64, Behaviour); 13] {
        [
            ("fail", self.fail, Behaviour::Fails),
            ("slow", self.slow, Behaviour::Slow),
            ("twice", self.twice, Behaviour::Twice),
            ("late", self.late, Behaviour::Late),
            ("offline", self.offline, Behaviour::GoesOffline),
            ("never-online", self.never_online, Behaviour::NeverOnline),
            ("crash", self.crash, Behaviour::Crashes),
            ("mute", self.mute, Behaviour::Mute),
            ("reject", self.reject, Behaviour::Rejects),
            ("flaky", self.flaky, Behaviour::FailsOnce),
            ("reboot", self.reboot, Behaviour::Reboots),
            ("out-of-order", self.out_of_order, Behaviour::OutOfOrder),
            ("come-and-go", self.come_and_go, Behaviour::ComesAndGoes),
        ]
    }

    /// All shares times a factor.
    pub fn scaled(self, factor: f64) -> Self {
        Self {
            fail: self.fail * factor,
            slow: self.slow * factor,
            twice: self.twice * factor,
            late: self.late * factor,
            offline: self.offline * factor,
            never_online: self.never_online * factor,
            crash: self.crash * factor,
            mute: self.mute * factor,
            reject: self.reject * factor,
            flaky: self.flaky * factor,
            reboot: self.reboot * factor,
            out_of_order: self.out_of_order * factor,
            come_and_go: self.come_and_go * factor,
        }
    }

    /// Says which share is impossible.
    pub fn check(&self) -> Result<(), BadKnobs> {
        for (name, share, _) in self.shares() {
            check_share(name, share)?;
        }
        let sum: f64 = self.shares().iter().map(|(_, share, _)| share).sum();
        if sum > 1.0 + 1e-9 { Err(BadKnobs::TooMuch { sum }) } else { Ok(()) }
    }
}

pub(crate) fn check_share(name: &'static str, share: f64) -> Result<(), BadKnobs> {
    if (0.0..=1.0).contains(&share) { Ok(()) } else { Err(BadKnobs::NoShare { name, share }) }
}

/// Shares that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum BadKnobs {
    /// One is out of range.
    #[error("{name} is {share}, and should be a share from 0 to 1")]
    NoShare {
        /// Which.
        name: &'static str,
        /// What it is.
        share: f64,
    },
    /// All together are more than everything.
    #[error("the shares add up to {sum}, and should to at most 1")]
    TooMuch {
        /// What they add up to.
        sum: f64,
    },
}

/// How a thing behaves. The words of [`Knobs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Behaviour {
    Succeeds,
    Fails,
    Slow,
    Twice,
    Late,
    GoesOffline,
    NeverOnline,
    Crashes,
    Mute,
    Rejects,
    FailsOnce,
    Reboots,
    OutOfOrder,
    ComesAndGoes,
}

impl Behaviour {
    /// As a person would say it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Succeeds => "succeeds",
            Self::Fails => "fails",
            Self::Slow => "is slow",
            Self::Twice => "answers twice",
            Self::Late => "answers late",
            Self::GoesOffline => "goes offline while working",
            Self::NeverOnline => "is never online",
            Self::Crashes => "crashes while working",
            Self::Mute => "never answers",
            Self::Rejects => "does not know the command",
            Self::FailsOnce => "fails at the first attempt",
            Self::Reboots => "restarts while working",
            Self::OutOfOrder => "answers out of order",
            Self::ComesAndGoes => "comes and goes",
        }
    }
}

/// How an execution must end, in the words of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The last status.
    pub status: &'static str,
    /// Why, where only one reason is possible.
    pub reason: Option<&'static str>,
    /// The device's answer comes after the cloud's own verdict, and wins.
    pub late: bool,
}

/// Everything that one thing will do; the same for the same seed and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    /// Which kind of trouble.
    pub behaviour: Behaviour,
    /// How long the work takes, in milliseconds.
    pub work_ms: i64,
}

impl Script {
    /// Draws the script of a thing.
    pub fn draw(seed: u64, thing: &str, knobs: &Knobs) -> Self {
        let mut random = Random::new(seed, thing);
        let mut point = random.share();
        let behaviour = knobs
            .shares()
            .into_iter()
            .find_map(|(_, share, behaviour)| {
                point -= share;
                (point < 0.0).then_some(behaviour)
            })
            .unwrap_or(Behaviour::Succeeds);
        let (least, most) = match behaviour {
            Behaviour::Slow => (1_500.0, 3_000.0),
            Behaviour::GoesOffline => (400.0, 1_200.0),
            _ => (2.0, 40.0),
        };
        Self { behaviour, work_ms: (least + (most - least) * random.share()) as i64 }
    }

    /// How its execution must end when it has one attempt, and for a thing that comes and goes, when it is there in time.
    /// A device that falls silent while it runs is missed sooner when the command asked for
    /// heartbeats.
    pub fn expected(&self, heartbeats: bool) -> Expected {
        let (status, reason) = match self.behaviour {
            Behaviour::Fails | Behaviour::FailsOnce => ("FAILED", Some("PUMP_JAMMED")),
            Behaviour::Reboots => ("FAILED", Some("DEVICE_RESTARTED")),
            Behaviour::Rejects => ("REJECTED", Some("UNKNOWN_COMMAND")),
            Behaviour::Mute => ("TIMED_OUT", Some("NO_RESPONSE")),
            // EXPIRED when its request never went out, NO_RESPONSE when it waits in the session.
            Behaviour::NeverOnline => ("TIMED_OUT", None),
            Behaviour::Crashes if heartbeats => ("TIMED_OUT", Some("HEARTBEAT_LOST")),
            Behaviour::Crashes => ("TIMED_OUT", Some("EXECUTION_TIMEOUT")),
            _ => ("SUCCEEDED", None),
        };
        Expected { status, reason, late: self.behaviour == Behaviour::Late }
    }

    /// Its execution ends only after a ttl or a timeout has passed.
    pub fn waits_for_time(&self) -> bool {
        use Behaviour::{Crashes, Late, Mute, NeverOnline};
        matches!(self.behaviour, Crashes | Late | Mute | NeverOnline)
    }

    /// It answers as soon as its short work is done.
    pub fn is_prompt(&self) -> bool {
        use Behaviour::{Fails, Rejects, Succeeds, Twice};
        matches!(self.behaviour, Succeeds | Fails | Twice | Rejects)
    }

    /// It is there to take the request.
    pub fn connects(&self) -> bool {
        self.behaviour != Behaviour::NeverOnline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_depends_on_the_seed_and_the_name_alone() {
        let knobs = Knobs::mixed();
        assert_eq!(Script::draw(7, "pump-1", &knobs), Script::draw(7, "pump-1", &knobs));
        let differs = |seed| {
            (0..50).any(|n| {
                let thing = format!("pump-{n}");
                Script::draw(7, &thing, &knobs) != Script::draw(seed, &thing, &knobs)
            })
        };
        assert!(differs(8));
    }

    #[test]
    fn the_shares_are_kept() {
        let knobs = Knobs { reboot: 0.1, flaky: 0.1, out_of_order: 0.1, come_and_go: 0.1, ..Knobs::mixed() };
        assert_eq!(knobs.check(), Ok(()));
        let mut seen = std::collections::HashMap::new();
        for n in 0..10_000 {
            *seen.entry(Script::draw(1, &format!("thing-{n:05}"), &knobs).behaviour).or_insert(0) += 1;
        }
        for (name, share, behaviour) in knobs.shares() {
            let got = f64::from(seen[&behaviour]) / 10_000.0;
            assert!((got - share).abs() < 0.01, "{name}: {got} instead of {share}");
        }
    }

    #[test]
    fn impossible_shares_are_named() {
        assert_eq!(Knobs { fail: 1.0, ..Knobs::default() }.check(), Ok(()));
        let error = Knobs { slow: -0.1, ..Knobs::default() }.check().unwrap_err();
        assert!(error.to_string().starts_with("slow is -0.1"));
        assert!(Knobs { mute: f64::NAN, ..Knobs::default() }.check().is_err());
        let much = Knobs { fail: 0.6, mute: 0.6, ..Knobs::default() };
        assert!(matches!(much.check(), Err(BadKnobs::TooMuch { .. })));
    }
}
