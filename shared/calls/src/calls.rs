//! The calls of the driver.

use std::time::Duration;

use domain::{
    BatchNumber, Change, Command, CommandId, Execution, ExecutionId, Key, LaneClaim, LaneName, LaneQueue, Plan,
    Request, RequestDigest, ShadowName, ShadowUpdate, ThingName, Timestamp, Topic, Wake,
};

use crate::{
    error::Error,
    lost_writes::MAX_CONFLICT_RETRIES,
    outcome::{Acknowledgement, LaneEntry, PutOutcome, ShadowWriteOutcome, WriteOutcome},
    page::Page,
};

/// Everything that the driver does outside of itself. What it does in between depends on the answers alone, so the same
/// answers lead to the same calls.
///
/// Each call that returns a `Result` may fail with an [`Error`]; unless [`Error::is_refusal`], it may have taken effect
/// all the same. Reads see every write that was answered before.
// A future is Send where its caller knows the implementation, and all tasks are spawned there.
#[allow(async_fn_in_trait)]
pub trait Calls {
    /// The most retries of a lost conditional write.
    const MAX_CONFLICT_RETRIES: u32 = MAX_CONFLICT_RETRIES;

    /// Reads an execution.
    async fn read_execution(&self, key: &Key) -> Result<Option<Execution>, Error>;

    /// Reads at most a hundred executions, in any order. A missing one is left out.
    async fn read_executions(&self, keys: &[Key]) -> Result<Page, Error>;

    /// Writes a change if its condition holds, with no read before it. Returns the row after a change that says that
    /// the device is active, since another write may follow it; none after any other.
    async fn write_execution(&self, change: &Change) -> Result<WriteOutcome<Option<Execution>, Execution>, Error>;

    /// Stores a new execution, unless one with its key exists.
    async fn put_execution(&self, row: &Execution) -> Result<PutOutcome<Execution>, Error>;

    /// Stores that the thing of `row` is in this batch of the same command too. Storing it twice changes nothing.
    async fn put_duplicate(&self, row: &Execution, batch: BatchNumber) -> Result<(), Error>;

    /// The executions of a thing that something is to be done about when its device comes online at `now`, the oldest
    /// first ([`domain::Execution::online_action`]). `subscribed`: the device has subscribed.
    async fn waiting(&self, thing: &ThingName, now: Timestamp, subscribed: bool) -> Result<Page, Error>;

    /// Deletes an execution whose request was not sent. A row that has made progress since it was read stays.
    async fn delete_unsent_execution(&self, row: &Execution) -> Result<(), Error>;

    /// Reads a command.
    async fn read_command(&self, id: &CommandId) -> Result<Option<Command>, Error>;

    /// Stores a new command, unless one with its id exists.
    async fn put_command(&self, command: &Command) -> Result<PutOutcome<Command>, Error>;

    /// Deletes a command of which no request was sent.
    async fn delete_unsent_command(&self, command: &Command) -> Result<(), Error>;

    /// Notes that the raw request of an execution has this digest, so that a report that echoes the request finds it.
    /// Noting it twice changes nothing. Returns false, and notes nothing, if another function has noted another
    /// execution meanwhile.
    async fn note_raw_request(
        &self,
        execution: &Execution,
        digest: &RequestDigest,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// Reads the plan of a fleet command.
    async fn read_plan(&self, id: &CommandId) -> Result<Option<Plan>, Error>;

    /// Appends an execution to the queue of a lane, unless it is in it already. The lane is kept at least until
    /// `purge_at`.
    async fn enter_lane(
        &self,
        thing: &ThingName,
        lane: &LaneName,
        id: &ExecutionId,
        purge_at: Timestamp,
    ) -> Result<LaneEntry, Error>;

    /// Claims a lane, so that no other function settles it before the claim ends. Returns the claim that the lane has
    /// then: this one, or that of another function, which has not ended at `now`; none if the lane has no queue.
    async fn claim_lane(
        &self,
        thing: &ThingName,
        lane: &LaneName,
        claim: &LaneClaim,
        now: Timestamp,
    ) -> Result<Option<LaneClaim>, Error>;

    /// Removes executions from the queue of a lane, each from its position in the queue that was read, and ends
    /// `claim`. Nothing is removed if one of them has another position by now, or another function has the claim: then
    /// this is a conflict, which returns the queue as it is.
    async fn leave_lane(
        &self,
        thing: &ThingName,
        lane: &LaneName,
        leaving: &[(usize, ExecutionId)],
        claim: Option<&LaneClaim>,
    ) -> Result<WriteOutcome<LaneQueue>, Error>;

    /// Reads the queue of a lane; empty if no execution has ever entered it.
    async fn read_lane(&self, thing: &ThingName, lane: &LaneName) -> Result<LaneQueue, Error>;

    /// Reads the document of a shadow; none if the shadow does not exist. Without a name, it is the classic shadow.
    async fn read_shadow(&self, thing: &ThingName, shadow: Option<&ShadowName>) -> Result<Option<Vec<u8>>, Error>;

    /// Updates a shadow.
    async fn update_shadow(&self, update: &ShadowUpdate) -> Result<ShadowWriteOutcome, Error>;

    /// Sends a request to the device whose client id is the thing's name, and waits for the acknowledgement.
    async fn send_direct(&self, thing: &ThingName, request: &Request) -> Result<Acknowledgement, Error>;

    /// Publishes a request on its topic.
    async fn publish_request(&self, request: &Request) -> Result<(), Error>;

    /// Publishes a message that is not a request, such as a cancel notice.
    async fn publish(&self, topic: &Topic, body: String) -> Result<(), Error>;

    /// Since when the device whose client id is the thing's name is connected; none if it is not.
    async fn connected_since(&self, thing: &ThingName) -> Result<Option<Timestamp>, Error>;

    /// The topic filters that the device subscribes to whose client id is the thing's name.
    async fn subscriptions(&self, thing: &ThingName) -> Result<Vec<String>, Error>;

    /// Sends the wake of a due entry, unless the tick that comes before it does so. Best effort: one that is not sent is
    /// counted, and the next tick does its work.
    async fn send_wake(&self, wake: Wake);

    /// How long ago the time of the event is, which may be handled late.
    fn since_event(&self) -> Duration;

    /// A number that no other run of a handler draws.
    fn nonce(&self) -> u64;

    /// Waits for at most this long, at random.
    async fn pause(&self, longest: Duration);
}
