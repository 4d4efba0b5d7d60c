//! Faults on demand: calls of functions that fail, processes that die between two steps, events and messages that come
//! twice, late or never. Without a plan nothing ever fails.
//!
//! | file | holds |
//! |---|---|
//! | [`call`] | one request of a function to a service, as a plan sees it |
//! | [`fault`] | what can befall a call |
//! | [`plan`] | which call meets which fault |
//! | [`processes`] | the functions' processes: whose call it is, and how to kill it |
//! | [`delivery`] | what can befall an asynchronous event, a batch of a stream, and a message on its way to a client |
//!
//! Every process of a function signs with an access key of its own, which is how the gateway tells who calls.
//!
//! # Faults and the retries of an SDK
//!
//! An AWS SDK sends a request again when it looks worthwhile: after a throttle, a 500 or a broken connection. All
//! attempts are one [`Call`] with one `nth`, told apart by [`Call::attempt`]. [`Faults::next`] befalls the first attempt
//! alone, so that an SDK with a retry left gets through on its own; [`Faults::persist`] befalls every attempt of that
//! call, so that the function itself gets to see the error. A closure given to [`Faults::plan`] decides attempt by
//! attempt. Closures must not call [`Faults`] themselves, which waits for them.

mod call;
mod delivery;
mod fault;
mod plan;
mod processes;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use call::Call;
pub use delivery::{AsyncEvent, Delivery, Outbound, StreamBatch, StreamDelivery, Transit};
pub use fault::Fault;
pub(crate) use processes::Seat;

use delivery::Deliveries;
use plan::Plan;
use processes::Processes;

/// A handle on what is to go wrong; clones share it.
#[derive(Clone, Default)]
pub struct Faults(Arc<Inner>);

#[derive(Default)]
struct Inner {
    plan: Mutex<Plan>,
    deliveries: Mutex<Deliveries>,
    processes: Mutex<Processes>,
    /// Calls that are being carried out.
    underway: watch::Sender<usize>,
    /// How often what is held was let go.
    releases: watch::Sender<u64>,
}

impl Faults {
    /// The next invoke of a function that makes an `nth` call (the first is 1) meets the fault there, once: the SDK's
    /// next attempt goes through.
    pub fn next(&self, function: &str, nth: u32, fault: Fault) {
        self.locked_plan().add(function, nth, fault, false);
    }

    /// As [`Faults::next`], and every further attempt of the SDK at the same call meets it too.
    pub fn persist(&self, function: &str, nth: u32, fault: Fault) {
        self.locked_plan().add(function, nth, fault, true);
    }

    /// Asks the closure about every attempt of every call that no [`Faults::next`] befalls; it takes the place of an
    /// earlier one.
    pub fn plan(&self, decide: impl FnMut(&Call) -> Option<Fault> + Send + 'static) {
        self.locked_plan().decide = Some(Box::new(decide));
    }

    /// Faults of [`Faults::next`] and [`Faults::persist`] that no call has met yet.
    pub fn pending(&self) -> usize {
        self.locked_plan().pending()
    }

    /// Asks the closure about every asynchronous event as it is accepted (not again when Lambda retries it).
    pub fn events(&self, decide: impl FnMut(&AsyncEvent<'_>) -> Delivery + Send + 'static) {
        self.locked_deliveries().events = Some(Box::new(decide));
    }

    /// Asks the closure about every message that the broker is about to write to a client. It must not call the broker.
    pub fn messages(&self, decide: impl FnMut(&Outbound<'_>) -> Transit + Send + 'static) {
        self.locked_deliveries().messages = Some(Box::new(decide));
    }

    /// Asks the closure about every batch of a stream, each time that it is about to be handed over.
    pub fn batches(&self, decide: impl FnMut(&StreamBatch<'_>) -> StreamDelivery + Send + 'static) {
        self.locked_deliveries().batches = Some(Box::new(decide));
    }

    /// Kills one of a function's processes, in the middle of whatever it does: of those that run, the one at `pick`, counted
    /// round and round. False if none runs.
    pub fn kill_one(&self, function: &str, pick: usize) -> bool {
        let mut processes = self.locked_processes();
        let one = processes.pick(function, pick);
        one.is_some_and(|number| processes.kill(number).is_some())
    }

    /// Asynchronous events that are [`Delivery::Held`] now.
    pub fn held(&self) -> usize {
        self.locked_deliveries().held.len()
    }

    /// Lets go of all calls that are held, and of all events, oldest first; tells how many events there were.
    pub fn release(&self) -> usize {
        self.0.releases.send_modify(|times| *times += 1);
        let held = std::mem::take(&mut self.locked_deliveries().held);
        let count = held.len();
        held.into_iter().for_each(|deliver| deliver());
        count
    }

    /// Forgets every plan, and releases what is held: from now on all goes well.
    pub fn clear(&self) {
        *self.locked_plan() = Plan::default();
        let mut deliveries = self.locked_deliveries();
        (deliveries.events, deliveries.messages, deliveries.batches) = (None, None, None);
        drop(deliveries);
        self.release();
    }

    /// What is to befall a call.
    pub(crate) fn strike(&self, call: &Call) -> Option<Fault> {
        self.locked_plan().strike(call)
    }

    /// What is to become of an event.
    pub(crate) fn delivery(&self, event: &AsyncEvent<'_>) -> Delivery {
        self.locked_deliveries().events.as_mut().map_or(Delivery::Once, |decide| decide(event))
    }

    /// What is to become of a batch of a stream.
    pub(crate) fn stream_delivery(&self, batch: &StreamBatch<'_>) -> StreamDelivery {
        self.locked_deliveries().batches.as_mut().map_or(StreamDelivery::Once, |decide| decide(batch))
    }

    /// Returns when what is held by now is released.
    pub(crate) async fn released(&self) {
        let mut releases = self.0.releases.subscribe();
        // The sender lives as long as `self`.
        let _ = releases.changed().await;
    }

    /// Keeps an event until it is released.
    pub(crate) fn hold(&self, deliver: impl FnOnce() + Send + 'static) {
        self.locked_deliveries().held.push(Box::new(deliver));
    }

    /// What is to become of a message.
    pub(crate) fn transit(&self, message: &Outbound<'_>) -> Transit {
        self.locked_deliveries().messages.as_mut().map_or(Transit::Delivered, |decide| decide(message))
    }

    /// Registers a process that `kill` ends.
    pub(crate) fn enter(&self, function: &str, kill: CancellationToken) -> Seat {
        let number = self.locked_processes().enter(function, kill);
        Seat::new(self.clone(), function, number)
    }

    /// A request that was signed with this access key: `None` unless it is the key of a process that runs.
    pub(crate) fn call(&self, access_key: &str, sdk_invocation: Option<&str>) -> Option<Call> {
        self.locked_processes().call(access_key, sdk_invocation)
    }

    /// Kills the process that made the call, and returns when it is gone.
    pub(crate) async fn kill(&self, call: &Call) {
        let gone = self.locked_processes().kill(call.process);
        if let Some(gone) = gone {
            gone.cancelled().await;
        }
    }

    /// Counts a call as being carried out until this is dropped.
    pub(crate) fn underway(&self) -> Underway {
        self.0.underway.send_modify(|calls| *calls += 1);
        Underway(self.clone())
    }

    /// Returns once nothing is being carried out any more, for callers that have died either.
    pub(crate) async fn quiet(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.0.underway.subscribe().wait_for(|calls| *calls == 0).await;
    }

    fn locked_plan(&self) -> MutexGuard<'_, Plan> {
        self.0.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn locked_deliveries(&self) -> MutexGuard<'_, Deliveries> {
        self.0.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn locked_processes(&self) -> MutexGuard<'_, Processes> {
        self.0.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is being carried out.
pub(crate) struct Underway(Faults);

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.0.underway.send_modify(|calls| *calls -= 1);
    }
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faults").field("pending", &self.pending()).finish_non_exhaustive()
    }
}
