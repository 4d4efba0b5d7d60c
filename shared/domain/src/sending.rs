//! What a sending writes: that it is about to happen, and how it went.

use crate::{
    Attempt, By, Change, Claim, DeliveryStatus, DueEntry, Execution, Fact, Guard, Progress, Rank, Reroute, ShadowRoute,
    Status, Step, Timestamp, Via,
    execution::{SENDING, in_shadow_until, lane_of},
    retry::full_jitter,
};

/// A request that was refused is tried again after up to this many seconds, and then ever later, up to the second.
const REFUSED: (u32, u32) = (10, 300);

/// As many steps are remembered of an execution that does not come through, besides the ends of its attempts.
const REMEMBERED: usize = 24;

impl Execution {
    /// Whether the request should go out when it is asked for again at this time: nobody is known to have it, and nobody
    /// else can be sending it, or have sent it a moment ago.
    pub fn is_to_be_sent(&self, now: Timestamp) -> bool {
        let waits = matches!(self.delivery_status, DeliveryStatus::Pending | DeliveryStatus::Queued);
        let wanted = match self.is_untouched() && self.sent_at.is_some() {
            // The request that stored it is this one, and its answer was lost; or it did not live to send it.
            true => now == self.created_at || !self.may_be_under_way(now),
            false => self.progress.within(Rank::Created) && waits && !self.is_being_sent(now),
        };
        wanted && self.overdue(now).is_none()
    }

    /// Whether someone who has claimed it may be sending it, or it is not known whether a sending that failed reached anybody:
    /// until it is known, or the time to send it again has come, nobody does.
    pub(crate) fn is_being_sent(&self, now: Timestamp) -> bool {
        self.delivery_status == DeliveryStatus::Pending
            && self.sent_at.is_some()
            && self.send_at.is_some_and(|at| at > now)
    }

    /// That its request is about to go out, so that nobody else sends it too; none if it is not to be sent. It is written again
    /// how that went; if whoever claims it does not live to, it goes out again when no sending of his can be under way any
    /// more. `token` is a word that nobody else has.
    pub fn claim(&self, now: Timestamp, token: &str) -> Option<Change> {
        if !self.is_to_be_sent(now) {
            return None;
        }
        let send_at = now.plus_seconds(SENDING);
        let (unsure, via) = (self.may_be_out(), self.via.clone());
        let claim = Claim { at: now, send_at, via, unsure, token: token.to_owned() };
        let mut change = self.tried(DeliveryStatus::Pending, Fact::Claimed(Box::new(claim)));
        // Someone has to look at it if whoever claims it dies: nobody else may have moved its entry meanwhile.
        change.guard = Guard::Seen(self.seen());
        // One that is due already stays so, since it is moved once it is known how the sending went.
        if self.due_at.is_none_or(|due| due > now.as_seconds()) {
            change.due = self.due_after(&change, now);
        }
        Some(change)
    }

    /// That it goes through a shadow from now on, since its device is not there; none if it may have gone out and its device would
    /// not know it again there, is in a lane that the shadow has no room for, or has too little time left for it. `tick` is how often what is due is looked for, in seconds.
    pub fn reroute(&self, route: &ShadowRoute, now: Timestamp, tick: u32, by: By) -> Option<Change> {
        let via = Via::Shadow(route.clone());
        let alone = lane_of(&via);
        let late = now.seconds_until(self.start_by) < route.least_ttl(tick);
        let elsewhere = self.via.shadow().is_some() || (alone.is_some() && self.lane.is_some());
        // A device of another dialect than ours runs whatever it finds: it may have got the same in a message.
        let again = self.may_be_out() && !matches!(route, ShadowRoute::Map(_));
        if self.overdue(now).is_some() || elsewhere || late || again {
            return None;
        }
        let start_by = in_shadow_until(self.start_by, now, tick);
        let lane = self.lane.clone().or(alone);
        let step = self.step(now, "PENDING", by, &via);
        let send_at = now.plus_seconds(SENDING);
        let reroute = Box::new(Reroute { via, start_by, send_at, lane });
        let mut change = self.tried(DeliveryStatus::Pending, Fact::Rerouted(reroute));
        change.step = step;
        change.due = self.due_after(&change, now);
        Some(change)
    }

    /// Whether a claim that was refused may be made again: what was written meanwhile says nothing of the sending.
    pub fn is_as_far_as(&self, claim: &Change) -> bool {
        matches!(claim.guard, Guard::Seen(seen) if seen.progress == self.progress)
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
    pub fn delivered(&self, at: Timestamp, by: By) -> Change {
        let progress = Progress::new(self.attempt, Rank::Delivered, 0);
        let change = self.sending(progress, DeliveryStatus::Delivered, Fact::Delivered(at));
        self.confirmed(change, at, by)
    }

    /// The device is not connected: it waits for it to come back.
    pub fn queued(&self, at: Timestamp, by: By) -> Change {
        let step = self.step(at, "QUEUED", by, &self.via);
        Change { step, ..self.tried(DeliveryStatus::Queued, Fact::Queued) }
    }

    /// The message went out, and nobody can say whether it arrived.
    pub fn sent(&self, now: Timestamp, by: By) -> Change {
        let change = self.tried(DeliveryStatus::Sent, Fact::Sent);
        self.confirmed(change, now, by)
    }

    /// Whoever stores a row and sends it does not claim it; of a claim it is remembered that it was made good.
    fn confirmed(&self, mut change: Change, now: Timestamp, by: By) -> Change {
        if self.send_at.is_some()
            && let Some(sent_at) = self.sent_at
        {
            change.step = self.step(sent_at, "SENT", by, &self.via);
            change.due = self.due_after(&change, now);
        }
        change
    }

    /// The sending failed, and is tried again a little later. `refused`: it did not go out; else nobody can say, and its device
    /// may have it. One that gets it twice knows it again by its id and its attempt.
    pub fn unsent(&self, now: Timestamp, by: By, refused: bool) -> Change {
        let (base, cap) = REFUSED;
        let tries = Attempt::try_from(self.progress.seq() + 1).unwrap_or(Attempt::MAX);
        let delay = full_jitter(&self.key.id, tries, base, cap);
        let send_at = now.plus_seconds(if refused { delay } else { delay.max(SENDING) });
        let mut change = self.tried(DeliveryStatus::Pending, Fact::Unsent { send_at, refused });
        change.step = self.step(now, "PENDING", by, &self.via);
        change.due = self.due_after(&change, now);
        change
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

    /// What is remembered of a sending; nothing after a while, since a row is written with every change.
    fn step(&self, at: Timestamp, what: &str, by: By, via: &Via) -> Option<Step> {
        let step = Step { at, attempt: self.attempt, what: what.to_owned(), by, via: Some(via.to_string()) };
        (self.steps.len() < REMEMBERED).then_some(step)
    }

    /// Whether it goes out when its device is back: it waits for that, or whoever was to send it did not live to say so.
    pub fn is_to_be_replayed(&self, now: Timestamp) -> bool {
        let waits = match self.delivery_status {
            DeliveryStatus::Queued => true,
            DeliveryStatus::Pending => !self.waits_in_lane() && self.send_at.is_none_or(|at| at <= now),
            DeliveryStatus::Sent | DeliveryStatus::Delivered => false,
        };
        // Whoever stores it may be sending it, at this very time too.
        waits && !self.may_be_under_way(now) && self.is_to_be_sent(now)
    }

    /// The entry that a change of an open execution needs: moved only where it would come too late, or has come, since
    /// moving it costs two writes, and one that comes too early is moved then.
    pub(crate) fn due_after(&self, change: &Change, now: Timestamp) -> DueEntry {
        let Some(after) = self.apply(change) else { return DueEntry::Keep };
        let wanted = after.looked_at_next(now).as_seconds_rounded_up();
        match self.due_at {
            Some(due) if due <= wanted && due > now.as_seconds() => DueEntry::Keep,
            _ => DueEntry::At(wanted),
        }
    }
}
