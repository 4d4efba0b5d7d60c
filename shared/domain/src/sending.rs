//! What a sending writes: that it is about to happen, and how it went.

use crate::{
    Attempt, By, Change, Claim, DeliveryStatus, DueEntry, Execution, Fact, Guard, Progress, Rank, Reroute, ShadowRoute,
    Status, Step, Timestamp, Via,
    execution::{in_shadow_until, lane_of},
    retry::full_jitter,
};

/// A request that was refused is tried again after up to this many seconds, and then ever later, up to the second.
const REFUSED: (u32, u32) = (10, 300);

impl Execution {
    /// Whether the request should go out when it is asked for again at this time: nobody is known to have it, and nobody
    /// else can be sending it.
    pub fn is_to_be_sent(&self, now: Timestamp) -> bool {
        let waits = matches!(self.delivery_status, DeliveryStatus::Pending | DeliveryStatus::Queued);
        let wanted = match self.is_untouched() && self.sent_at.is_some() {
            // The request that stored it is this one, and its answer was lost; or it did not live to send it.
            true => now == self.created_at || !self.may_be_under_way(now),
            false => self.progress.within(Rank::Created) && waits,
        };
        wanted && self.overdue(now).is_none()
    }

    /// That its request is about to go out, so that nobody else sends it too; none if it is not to be sent. `token` is a word
    /// that nobody else has.
    pub fn claim(&self, now: Timestamp, by: By, token: &str) -> Option<Change> {
        if !self.is_to_be_sent(now) {
            return None;
        }
        let claim = Claim { at: now, via: self.via.clone(), token: token.to_owned() };
        let mut change = self.tried(DeliveryStatus::Sent, Fact::Claimed(Box::new(claim)));
        change.step = Some(self.step(now, "SENT", by, &self.via));
        change.due = self.due_after(&change, now);
        Some(change)
    }

    /// That it goes through a shadow from now on, since its device is not there; none if it has gone out, or is in a lane that
    /// the shadow has no room for. `tick` is how often what is due is looked for, in seconds.
    pub fn reroute(&self, route: &ShadowRoute, now: Timestamp, tick: u32, by: By) -> Option<Change> {
        let via = Via::Shadow(route.clone());
        let alone = lane_of(&via);
        if self.overdue(now).is_some() || self.via.shadow().is_some() || (alone.is_some() && self.lane.is_some()) {
            return None;
        }
        let start_by = in_shadow_until(self.start_by, now, tick);
        let lane = self.lane.clone().or(alone);
        let step = self.step(now, "PENDING", by, &via);
        let mut change = self.tried(DeliveryStatus::Pending, Fact::Rerouted(Box::new(Reroute { via, start_by, lane })));
        change.step = Some(step);
        change.due = self.due_after(&change, now);
        Some(change)
    }

    /// Whether this claim was written, though its answer was lost.
    pub fn is_claimed_by(&self, claim: &Change) -> bool {
        let token = match &claim.fact {
            Fact::Claimed(claim) => Some(&claim.token),
            _ => None,
        };
        self.progress == claim.progress && token.is_some() && self.claim.as_ref() == token
    }

    /// The device acknowledged the message.
    pub fn delivered(&self, at: Timestamp) -> Change {
        let progress = Progress::new(self.attempt, Rank::Delivered, 0);
        self.sending(progress, DeliveryStatus::Delivered, Fact::Delivered(at))
    }

    /// The device is not connected: it waits for it to come back.
    pub fn queued(&self, at: Timestamp, by: By) -> Change {
        let step = self.step(at, "QUEUED", by, &self.via);
        Change { step: Some(step), ..self.tried(DeliveryStatus::Queued, Fact::Nothing) }
    }

    /// The message went out, and nobody can say whether it arrived.
    pub fn unacknowledged(&self) -> Change {
        self.tried(DeliveryStatus::Sent, Fact::Nothing)
    }

    /// The message did not go out, and is tried again a little later.
    pub fn unsent(&self, now: Timestamp, by: By) -> Change {
        let (base, cap) = REFUSED;
        let tries = Attempt::try_from(self.progress.seq() + 1).unwrap_or(Attempt::MAX);
        let send_at = now.plus_seconds(full_jitter(&self.key.id, tries, base, cap));
        let mut change = self.tried(DeliveryStatus::Pending, Fact::Unsent(send_at));
        change.step = Some(self.step(now, "PENDING", by, &self.via));
        change.due = self.due_after(&change, now);
        change
    }

    /// What a sending that failed says, if it says anything new. Refused, it did not go out; else nobody can say, and it
    /// is not called unsent, since a device may have it already.
    pub fn sending_failed(&self, refused: bool, now: Timestamp, by: By) -> Option<Change> {
        match (self.delivery_status, refused) {
            (_, true) => Some(self.unsent(now, by)),
            (DeliveryStatus::Pending | DeliveryStatus::Queued, false) => Some(self.unacknowledged()),
            (DeliveryStatus::Sent | DeliveryStatus::Delivered, false) => None,
        }
    }

    fn tried(&self, delivery: DeliveryStatus, fact: Fact) -> Change {
        let tries = if self.progress.within(Rank::Created) { self.progress.seq() } else { 0 };
        self.sending(Progress::new(self.attempt, Rank::Created, tries + 1), delivery, fact)
    }

    fn sending(&self, progress: Progress, delivery: DeliveryStatus, fact: Fact) -> Change {
        Change {
            key: self.key.clone(),
            guard: Guard::Grows { attempt: self.attempt },
            progress,
            status: Status::Created,
            delivery_status: Some(delivery),
            fact,
            due: DueEntry::Keep,
            step: None,
        }
    }

    pub(crate) fn step(&self, at: Timestamp, what: &str, by: By, via: &Via) -> Step {
        Step { at, attempt: self.attempt, what: what.to_owned(), by, via: Some(via.to_string()) }
    }

    /// The entry that a change of an open execution needs: moved only where it would come too late, or has come, since
    /// moving it costs two writes, and one that comes too early is moved then.
    pub(crate) fn due_after(&self, change: &Change, now: Timestamp) -> DueEntry {
        let Some(after) = self.apply(change) else { return DueEntry::Keep };
        let wanted = after.next(now).at.as_seconds_rounded_up();
        match self.due_at {
            Some(due) if due <= wanted && due > now.as_seconds() => DueEntry::Keep,
            _ => DueEntry::At(wanted),
        }
    }
}
