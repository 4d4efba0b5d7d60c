//! The calls of the driver over the clients of AWS, for one event.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use calls::{Acknowledgement, Calls, Error, LaneEntry, Page, PutOutcome, ShadowWriteOutcome, WriteOutcome};
use domain::{
    Actor, BatchNumber, Change, Command, CommandId, Execution, ExecutionId, Key, LaneClaim, LaneName, LaneQueue, Plan,
    Request, RequestDigest, ShadowName, ShadowUpdate, ThingName, Timestamp, Topic, Wake,
};

use crate::{clients::Clients, conflict, event_clock::EventClock};

/// The driver of a function.
pub type Driver<'a> = driver::driver::Driver<'a, EventCalls<'a>>;

/// The clients of AWS, and the clock of the event.
#[derive(Clone, Copy, Debug)]
pub struct EventCalls<'a> {
    /// The clients.
    pub clients: &'a Clients,
    /// The time of the event, and how long it has been handled.
    pub clock: EventClock,
}

/// The driver for one event. The history names `actor` for its changes. `token` is the id of the event; the same when
/// Lambda retries it.
pub fn driver<'a>(clients: &'a Clients, clock: EventClock, actor: Actor, token: &'a str) -> Driver<'a> {
    Driver { calls: EventCalls { clients, clock }, event_time: clock.event_time(), actor, token }
}

impl Calls for EventCalls<'_> {
    async fn read_execution(&self, key: &Key) -> Result<Option<Execution>, Error> {
        self.clients.executions.get(key).await
    }

    async fn read_executions(&self, keys: &[Key]) -> Result<Page, Error> {
        self.clients.executions.get_all(keys).await
    }

    async fn write_execution(&self, change: &Change) -> Result<WriteOutcome<Option<Execution>, Execution>, Error> {
        self.clients.executions.write(change).await
    }

    async fn put_execution(&self, row: &Execution) -> Result<PutOutcome<Execution>, Error> {
        self.clients.executions.put_new(row).await
    }

    async fn put_duplicate(&self, row: &Execution, batch: BatchNumber) -> Result<(), Error> {
        self.clients.executions.put_duplicate(row, batch).await
    }

    async fn waiting(&self, thing: &ThingName, now: Timestamp, subscribed: bool) -> Result<Page, Error> {
        self.clients.executions.waiting(thing, now, subscribed).await
    }

    async fn delete_unsent_execution(&self, row: &Execution) -> Result<(), Error> {
        self.clients.executions.delete_unsent(row).await
    }

    async fn read_command(&self, id: &CommandId) -> Result<Option<Command>, Error> {
        self.clients.commands.get(id).await
    }

    async fn put_command(&self, command: &Command) -> Result<PutOutcome<Command>, Error> {
        self.clients.commands.put_new(command).await
    }

    async fn delete_unsent_command(&self, command: &Command) -> Result<(), Error> {
        self.clients.commands.delete_unsent(command).await
    }

    async fn note_raw_request(
        &self,
        execution: &Execution,
        digest: &RequestDigest,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.clients.raw_requests.note(execution, digest, now).await
    }

    async fn read_plan(&self, id: &CommandId) -> Result<Option<Plan>, Error> {
        self.clients.fleets.plan(id).await
    }

    async fn enter_lane(
        &self,
        thing: &ThingName,
        lane: &LaneName,
        id: &ExecutionId,
        purge_at: Timestamp,
    ) -> Result<LaneEntry, Error> {
        self.clients.lanes.enter(thing, lane, id, purge_at).await
    }

    async fn claim_lane(
        &self,
        thing: &ThingName,
        lane: &LaneName,
        claim: &LaneClaim,
        now: Timestamp,
    ) -> Result<Option<LaneClaim>, Error> {
        self.clients.lanes.claim(thing, lane, claim, now).await
    }

    async fn leave_lane(
        &self,
        thing: &ThingName,
        lane: &LaneName,
        leaving: &[(usize, ExecutionId)],
        claim: Option<&LaneClaim>,
    ) -> Result<WriteOutcome<LaneQueue>, Error> {
        self.clients.lanes.leave(thing, lane, leaving, claim).await
    }

    async fn read_lane(&self, thing: &ThingName, lane: &LaneName) -> Result<LaneQueue, Error> {
        self.clients.lanes.read(thing, lane).await
    }

    async fn read_shadow(&self, thing: &ThingName, shadow: Option<&ShadowName>) -> Result<Option<Vec<u8>>, Error> {
        self.clients.shadows.get(thing, shadow).await
    }

    async fn update_shadow(&self, update: &ShadowUpdate) -> Result<ShadowWriteOutcome, Error> {
        self.clients.shadows.update(update).await
    }

    async fn send_direct(&self, thing: &ThingName, request: &Request) -> Result<Acknowledgement, Error> {
        self.clients.messages.send_direct(thing, request).await
    }

    async fn publish_request(&self, request: &Request) -> Result<(), Error> {
        self.clients.messages.publish_request(request).await
    }

    async fn publish(&self, topic: &Topic, body: String) -> Result<(), Error> {
        self.clients.messages.publish(topic, body).await
    }

    async fn connected_since(&self, thing: &ThingName) -> Result<Option<Timestamp>, Error> {
        self.clients.messages.connected_since(thing).await
    }

    async fn subscriptions(&self, thing: &ThingName) -> Result<Vec<String>, Error> {
        self.clients.messages.subscriptions(thing).await
    }

    async fn send_wake(&self, wake: Wake) {
        self.clients.wakes.send_within_horizon(wake, self.clock).await;
    }

    fn since_event(&self) -> Duration {
        self.clock.since_event()
    }

    fn nonce(&self) -> u64 {
        RandomState::new().build_hasher().finish()
    }

    async fn pause(&self, longest: Duration) {
        conflict::pause(longest).await;
    }
}
