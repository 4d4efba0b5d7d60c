//! The one message of a broadcast: when it may be sent, and the plan before and after it is sent.

use crate::command::row::Command;
use crate::fleet::counts::totals::Counts;
use crate::fleet::plan::row::Plan;
use crate::fleet::target::Fleet;
use crate::timestamp::Timestamp;

/// Whether the message of a broadcast may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BroadcastReadiness {
    /// No message has to be sent: the command is not a broadcast, does not run or has no things, its message was sent,
    /// or its ttl has passed.
    NotNeeded,
    /// The message must be sent later: things have no execution yet, or another invocation is sending it.
    Waiting,
    /// The counts decide.
    CountsNeeded,
    /// Every thing has its execution, so each answer finds one: the message may be sent.
    Ready,
}

impl Plan {
    /// How long a claim to send the message lasts. An invocation that has not written the plan by then has crashed.
    const MAX_SEND_SECONDS: u32 = 30;

    /// Whether the message of this command may be sent. `counts` may be left out to find out whether they are needed.
    pub fn broadcast_readiness(
        &self,
        command: &Command,
        fleet: &Fleet,
        counts: Option<&Counts>,
        now: Timestamp,
    ) -> BroadcastReadiness {
        let is_empty = self.complete && self.things == 0;
        if fleet.broadcast.is_none() || self.broadcast_sent || is_empty || !command.may_broadcast(now) {
            BroadcastReadiness::NotNeeded
        } else if !self.complete || self.has_broadcast_claim(now) {
            BroadcastReadiness::Waiting
        } else {
            match counts {
                None => BroadcastReadiness::CountsNeeded,
                Some(counts) if counts.reached() < self.things => BroadcastReadiness::Waiting,
                Some(_) => BroadcastReadiness::Ready,
            }
        }
    }

    /// The plan with a claim to send the message. If it is not written again, the claim ends and the plan is due then.
    #[must_use]
    pub fn claim_broadcast(&self, now: Timestamp) -> Self {
        let due_at = Some(now.plus_seconds(Self::MAX_SEND_SECONDS).as_seconds_rounded_up());
        self.next(|plan| Self { broadcast_at: Some(now), due_at, ..plan })
    }

    /// Whether an invocation may be sending the message at this time.
    pub fn has_broadcast_claim(&self, now: Timestamp) -> bool {
        !self.broadcast_sent && self.broadcast_at.is_some_and(|at| now < at.plus_seconds(Self::MAX_SEND_SECONDS))
    }

    /// Whether this plan has the same unfinished claim to send the message as `claimed`.
    pub fn has_claim_of(&self, claimed: &Self) -> bool {
        !self.broadcast_sent && self.broadcast_at == claimed.broadcast_at
    }

    /// The plan after the message was certainly not sent under the claim that followed `before`. An earlier claim,
    /// after which the message may have been sent, stays recorded.
    #[must_use]
    pub fn broadcast_not_sent(&self, before: &Self, now: Timestamp) -> Self {
        let due_at = Some(Self::watchdog_at(now));
        self.next(|plan| Self { broadcast_at: before.broadcast_at, due_at, ..plan })
    }

    /// The plan after the message was sent.
    #[must_use]
    pub fn with_broadcast_sent(&self) -> Self {
        self.next(|plan| Self { broadcast_sent: true, ..plan })
    }
}

impl Command {
    /// Whether a broadcast of this command may be sent at this time: it runs, and its ttl has not passed.
    pub fn may_broadcast(&self, now: Timestamp) -> bool {
        self.control.is_running() && now < self.start_by()
    }
}
