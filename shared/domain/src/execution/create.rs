//! Creates the row of an execution, which is stored before anything is sent.

use crate::command::deadlines::{RETENTION_SECONDS, silence_seconds};
use crate::command::delivery::Delivery;
use crate::command::failure::AttemptFailure;
use crate::command::lane::{Lane, LaneName, OnFailure};
use crate::command::row::Command;
use crate::execution::channel::Channel;
use crate::execution::key::Key;
use crate::execution::progress::{Attempt, Progress, Rank};
use crate::execution::row::Execution;
use crate::execution::send::MAX_SEND_SECONDS;
use crate::execution::shadow_expiry::in_shadow_until;
use crate::ids::BatchNumber;
use crate::messages::shadow::route::ShadowRoute;
use crate::names::ThingName;
use crate::status::{DeliveryStatus, Status};
use crate::timestamp::Timestamp;

const FIRST_ATTEMPT: Attempt = 1;

impl Channel {
    /// The channel of the first attempt of a command. `shadow` is the shadow in which the thing declares to take
    /// commands, where that is known.
    pub fn of(command: &Command, shadow: Option<ShadowRoute>) -> Self {
        match command.definition.delivery {
            Delivery::Direct | Delivery::Auto => Self::Direct,
            Delivery::Topic => Self::Topic,
            Delivery::Broadcast => Self::Broadcast,
            Delivery::Shadow => Self::Shadow(command.definition.shadow.clone().or(shadow).unwrap_or_default()),
        }
    }
}

impl Execution {
    /// The new row of a command for one thing. The caller stores it, and then sends its request, or enters its lane.
    ///
    /// A row on a topic, in a shadow or in a broadcast is created as SENT, since a second write would double the cost
    /// of the commonest case: only a failed sending is written. The request of a row in a lane is sent when the row
    /// is at the head.
    pub fn create(command: &Command, thing: &ThingName, channel: Channel) -> Self {
        Self::new(command, thing, command.created_at, channel)
    }

    /// The new row of one thing of a fleet command, which is sent at `now`: its deadlines count from then. It has no
    /// due entry, since its batch is due for all of its things at once; only a row with a heartbeat, a retry policy,
    /// a lane or a shadow is due by itself.
    pub fn create_in_batch(
        command: &Command,
        thing: &ThingName,
        batch: BatchNumber,
        now: Timestamp,
        channel: Channel,
    ) -> Self {
        // The one message of a broadcast gives the same deadlines to all things.
        let since = if channel == Channel::Broadcast { command.created_at } else { now };
        let mut row = Self::new(command, thing, since, channel);
        row.batch = Some(batch);
        let due_by_itself =
            row.heartbeat_seconds.is_some() || row.retry.is_some() || row.in_lane || row.shadow_cleanup_pending;
        row.due_at = row.due_at.filter(|_| due_by_itself);
        row
    }

    fn new(command: &Command, thing: &ThingName, now: Timestamp, channel: Channel) -> Self {
        let definition = &command.definition;
        let deadlines = definition.deadlines;
        let start_by = now.plus_seconds(deadlines.ttl_seconds());
        let finish_by = now.plus_seconds(deadlines.timeout_seconds());
        let lane = definition.lane.clone().or_else(|| lane_of(&channel));
        let start_by = match &channel {
            Channel::Shadow(_) => in_shadow_until(start_by, now),
            Channel::Direct | Channel::Topic | Channel::Broadcast => start_by,
        };
        let mut row = Self {
            key: Key::of(&command.id, thing),
            command: command.id.clone(),
            name: definition.name.clone(),
            progress: Progress::new(FIRST_ATTEMPT, Rank::Created, 0),
            status: Status::Created,
            delivery_status: match &channel {
                _ if lane.is_some() => DeliveryStatus::Pending,
                Channel::Direct => DeliveryStatus::Pending,
                Channel::Topic | Channel::Shadow(_) | Channel::Broadcast => DeliveryStatus::Sent,
            },
            attempt: FIRST_ATTEMPT,
            created_at: now,
            created_by: command.created_by.clone(),
            start_by,
            finish_by,
            heartbeat_seconds: deadlines.heartbeat_seconds(),
            retry: definition.retry,
            in_lane: lane.is_some(),
            shadow_cleanup_pending: lane.is_none() && channel.shadow().is_some(),
            // The creator enters the lane and sends the request at its head; the reconciler does so if the creator
            // crashes.
            next_send_at: lane.is_some().then(|| now.plus_seconds(MAX_SEND_SECONDS)),
            creator: None,
            claim: None,
            maybe_delivered: false,
            sent_at: lane.is_none().then_some(now),
            lane,
            channel,
            delivered_at: None,
            started_at: None,
            last_active_at: None,
            runs_attempt: None,
            heartbeat_deadline: None,
            interim: None,
            verdict: None,
            stopped_at: None,
            outcome: None,
            last_failure: None,
            history: Vec::new(),
            due_at: None,
            purge_at: finish_by.plus_seconds(RETENTION_SECONDS),
            batch: None,
        };
        row.due_at = Some(row.first_due_at().as_seconds_rounded_up());
        row
    }

    /// The row as the API shows it while it is not stored, because its creation was cut short: nothing was sent.
    pub fn unstored(command: &Command, thing: &ThingName) -> Self {
        let row = Self::create(command, thing, Channel::of(command, None));
        Self { delivery_status: DeliveryStatus::Pending, sent_at: None, shadow_cleanup_pending: false, ..row }
    }

    /// When the new row is due: at the end of its ttl or its lane check; or sooner, where the device may start at
    /// once and its heartbeats may stop before then, or where the retry policy waits for a response for a shorter
    /// time.
    fn first_due_at(&self) -> Timestamp {
        let silent = self.heartbeat_seconds.map(silence_seconds);
        let waited = self.retry.filter(|retry| retry.names(AttemptFailure::NoResponse));
        let soonest = silent.into_iter().chain(waited.map(|retry| retry.wait_seconds())).min();
        let end = self.next_due_at(self.created_at);
        soonest.map_or(end, |seconds| end.min(self.created_at.plus_seconds(seconds)))
    }
}

/// The lane of the classic shadow, or of a shadow that holds one desired state for each attribute.
pub(crate) fn lane_of(channel: &Channel) -> Option<Lane> {
    let name = match channel.shadow()? {
        ShadowRoute::Atlas | ShadowRoute::State(None) => LaneName::classic_shadow(),
        ShadowRoute::State(Some(shadow)) => LaneName::desired_states(shadow),
        ShadowRoute::Map(_) => return None,
    };
    Some(Lane { name, on_failure: OnFailure::Skip })
}
