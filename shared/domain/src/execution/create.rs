//! The row that is stored before anything is sent.

use crate::{
    Attempt, BatchNumber, Command, DeliveryStatus, Execution, Failure, Key, Lane, LaneName, OnFailure, Progress, Rank,
    ShadowRoute, Status, ThingName, Timestamp, Via,
};

/// Thirty days after its last deadline, nobody asks for an execution any more.
pub(crate) const RETENTION: u32 = 30 * 24 * 3600;

/// The first attempt.
const FIRST: Attempt = 1;

impl Execution {
    /// The row that is stored before anything is sent. Whoever stores it sends it: one that goes to a topic or into a shadow
    /// is born SENT, since a write for that would double the cost of the commonest case, and only a sending that fails is
    /// written. One in a lane is sent by whoever finds it at the head.
    ///
    /// `tick` is how often what is due is looked for, in seconds: see `in_shadow_until`.
    pub fn create(command: &Command, thing: &ThingName, via: Via, tick: u32) -> Self {
        Self::begin(command, thing, command.created_at, via, tick)
    }

    /// The row of one thing of a fleet command, which goes out now: its clocks count from here. What is owed to it is owed to its
    /// batch, which is due for all of its things at once; only one that needs to be looked at by itself is due by itself.
    pub fn create_in_batch(
        command: &Command,
        thing: &ThingName,
        batch: BatchNumber,
        now: Timestamp,
        via: Via,
        tick: u32,
    ) -> Self {
        // One message says to all of them until when it is meant.
        let since = if via == Via::Broadcast { command.created_at } else { now };
        let mut row = Self::begin(command, thing, since, via, tick);
        row.batch = Some(batch);
        let by_itself = row.heartbeat.is_some() || row.retry.is_some() || row.in_lane || row.withdraw;
        row.due_at = row.due_at.filter(|_| by_itself);
        row
    }

    fn begin(command: &Command, thing: &ThingName, now: Timestamp, via: Via, tick: u32) -> Self {
        let definition = &command.definition;
        let deadlines = definition.deadlines;
        let (start_by, finish_by) = (now.plus_seconds(deadlines.ttl()), now.plus_seconds(deadlines.timeout()));
        let lane = definition.lane.clone().or_else(|| lane_of(&via));
        let start_by = match &via {
            Via::Shadow(_) => in_shadow_until(start_by, now, tick),
            Via::Direct | Via::Topic | Via::Broadcast => start_by,
        };
        let mut row = Self {
            key: Key::of(&command.id, thing),
            command: command.id.clone(),
            name: definition.name.clone(),
            progress: Progress::new(FIRST, Rank::Created, 0),
            status: Status::Created,
            delivery_status: match &via {
                _ if lane.is_some() => DeliveryStatus::Pending,
                Via::Direct => DeliveryStatus::Pending,
                Via::Topic | Via::Shadow(_) | Via::Broadcast => DeliveryStatus::Sent,
            },
            attempt: FIRST,
            created_at: now,
            created_by: command.created_by.clone(),
            start_by,
            finish_by,
            heartbeat: deadlines.heartbeat(),
            retry: definition.retry,
            in_lane: lane.is_some(),
            withdraw: lane.is_none() && via.shadow().is_some(),
            // Whoever stores it enters its lane and sees whether its turn has come.
            send_at: lane.is_some().then(|| now.plus_seconds(super::SENDING)),
            claim: None,
            unsure: false,
            sent_at: lane.is_none().then_some(now),
            lane,
            via,
            delivered_at: None,
            started_at: None,
            heard_at: None,
            silent_at: None,
            verdict: None,
            outcome: None,
            steps: Vec::new(),
            due_at: None,
            purge_at: finish_by.plus_seconds(RETENTION),
            batch: None,
        };
        row.due_at = Some(row.first_look().as_seconds_rounded_up());
        row
    }

    /// The row as it is shown while it is not stored: its creation was cut short, so nothing was sent.
    pub fn unstored(command: &Command, thing: &ThingName) -> Self {
        let row = Self::create(command, thing, Via::of(command, None), 0);
        Self { delivery_status: DeliveryStatus::Pending, sent_at: None, withdraw: false, ..row }
    }

    /// When it has to be looked at first. It may begin at once and fall silent before its ttl ends, or go out and not be
    /// answered.
    fn first_look(&self) -> Timestamp {
        let silent = self.heartbeat.map(super::next::silence);
        let unanswered = self.retry.filter(|retry| retry.names(Failure::NoResponse)).map(|retry| retry.wait());
        let soonest = silent.into_iter().chain(unanswered).min();
        let end = self.looked_at_next(self.created_at);
        soonest.map_or(end, |seconds| end.min(self.created_at.plus_seconds(seconds)))
    }
}

/// A device that reads a shadow whenever it comes back can't tell how old a command there is, so it has to be gone when its
/// time has passed: whatever goes through a shadow expires a tick and a little earlier, though never before half its time.
pub(crate) fn in_shadow_until(start_by: Timestamp, now: Timestamp, tick: u32) -> Timestamp {
    let left = now.seconds_until(start_by);
    start_by.minus_seconds(reserve(tick).min(left / 2))
}

/// What is due is looked for this often, and takes a little.
const fn reserve(tick: u32) -> u32 {
    tick.saturating_add(5)
}

/// The shortest time, in seconds, that a command needs so that it is gone from its shadow when it has passed: only a device that
/// reads the time from the request itself takes one that has less.
pub(crate) fn least_time(route: &ShadowRoute, tick: u32) -> u32 {
    match route {
        ShadowRoute::Atlas => reserve(tick).saturating_mul(2),
        ShadowRoute::Map(_) | ShadowRoute::State(_) => 0,
    }
}

/// The lane of what goes through a shadow that holds one command, or one wish for each attribute.
pub(crate) fn lane_of(via: &Via) -> Option<Lane> {
    let name = match via.shadow()? {
        ShadowRoute::Atlas => LaneName::of_commands(),
        ShadowRoute::State(shadow) => LaneName::of_state(shadow.as_ref()),
        ShadowRoute::Map(_) => return None,
    };
    Some(Lane { name, on_failure: OnFailure::Skip })
}
