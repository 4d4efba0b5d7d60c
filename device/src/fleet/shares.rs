//! How many of a fleet's things have which behaviour.

use super::behaviour::Behaviour;

/// The share of things with each behaviour, from 0 to 1, together at most 1. All other things succeed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BehaviourShares {
    /// Run every command, and fail.
    pub fail: f64,
    /// Run every command for seconds, with heartbeats.
    pub slow: f64,
    /// Send every report twice.
    pub twice: f64,
    /// Send no report until after the ttl, then SUCCEEDED.
    pub late: f64,
    /// Lose their connection while a command runs, end it, and reconnect.
    pub offline: f64,
    /// Never connect.
    pub never_online: f64,
    /// Lose power when they have accepted a command, and reconnect without memory.
    pub crash: f64,
    /// Receive requests and never send a report.
    pub mute: f64,
    /// Know no command.
    pub reject: f64,
    /// Fail at the first attempt, and succeed at the next.
    pub flaky: f64,
    /// Lose power when they have accepted a command, and reconnect with their memory.
    pub reboot: f64,
    /// Report IN_PROGRESS after the final status.
    pub out_of_order: f64,
    /// Are connected for a while and offline for a while, alternately.
    pub come_and_go: f64,
}

impl BehaviourShares {
    /// A mix of the behaviours whose executions end with one status, whichever way the request is delivered.
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

    /// Each share with its name on the command line and its behaviour.
    pub(super) fn named(&self) -> [(&'static str, f64, Behaviour); 13] {
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

    /// All shares, multiplied by a factor.
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

    /// Checks the shares.
    ///
    /// # Errors
    /// [`InvalidShares`] names the share that is out of range, or holds the sum if that is more than 1.
    pub fn check(&self) -> Result<(), InvalidShares> {
        for (name, share, _) in self.named() {
            check_share(name, share)?;
        }
        let sum: f64 = self.named().iter().map(|(_, share, _)| share).sum();
        if sum > 1.0 + 1e-9 { Err(InvalidShares::SumTooLarge { sum }) } else { Ok(()) }
    }
}

pub(super) fn check_share(name: &'static str, share: f64) -> Result<(), InvalidShares> {
    if (0.0..=1.0).contains(&share) { Ok(()) } else { Err(InvalidShares::OutOfRange { name, share }) }
}

/// Shares that no fleet can have.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum InvalidShares {
    /// One share is not from 0 to 1.
    #[error("{name} is {share}: choose a share from 0 to 1")]
    OutOfRange {
        /// The share's name on the command line.
        name: &'static str,
        /// The share.
        share: f64,
    },
    /// The shares add up to more than 1.
    #[error("the shares add up to {sum}: choose shares that add up to at most 1")]
    SumTooLarge {
        /// The sum.
        sum: f64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_share_is_an_error_that_names_it() {
        assert_eq!(BehaviourShares { fail: 1.0, ..BehaviourShares::default() }.check(), Ok(()));
        let error = BehaviourShares { slow: -0.1, ..BehaviourShares::default() }.check().unwrap_err();
        assert!(error.to_string().starts_with("slow is -0.1"));
        assert!(BehaviourShares { mute: f64::NAN, ..BehaviourShares::default() }.check().is_err());
        let too_large = BehaviourShares { fail: 0.6, mute: 0.6, ..BehaviourShares::default() };
        assert!(matches!(too_large.check(), Err(InvalidShares::SumTooLarge { .. })));
    }
}
