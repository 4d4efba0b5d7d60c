//! Faults on demand: calls that fail, processes that are killed between two steps, events and messages that come twice,
//! late or never. Without a plan there are no faults.
//!
//! | module | holds |
//! |---|---|
//! | [`call`] | one attempt at a call of a function to a service |
//! | [`fault`] | the faults of a call |
//! | [`plan`] | which call gets which fault |
//! | [`processes`] | the functions' processes: the caller of a call, and how to kill it |
//! | [`delivery`] | faults of asynchronous events, batches of streams, and messages to MQTT clients |
//!
//! Every process of a function signs with an access key of its own, by which the gateway recognizes the caller.
//!
//! # Faults and the retries of an SDK
//!
//! An AWS SDK retries a request after a throttle, a 500 or a broken connection. All attempts belong to one [`Call`]
//! with one `nth`, and differ in [`Call::attempt`]. The fault of [`Faults::next`] hits the first attempt only, so that
//! a retry of the SDK succeeds; that of [`Faults::persist`] hits every attempt, so that the function sees the error. A
//! closure given to [`Faults::plan`] decides about each attempt. Closures must not call [`Faults`]: its locks are held
//! meanwhile.

mod call;
mod delivery;
mod fault;
mod plan;
mod processes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use call::Call;
pub use delivery::{AsyncEvent, Delivery, Outbound, StreamBatch, StreamDelivery, Transit};
pub use fault::Fault;
pub use processes::Registration;

use delivery::Deliveries;
use plan::Plan;
use processes::Processes;

/// A handle on the planned faults; clones share them.
#[derive(Clone, Default)]
pub struct Faults(Arc<Inner>);

#[derive(Default)]
struct Inner {
    plan: Mutex<Plan>,
    deliveries: Mutex<Deliveries>,
    processes: Mutex<Processes>,
    active_calls: watch::Sender<ActiveCalls>,
    /// Number of calls of [`Faults::release`].
    releases: watch::Sender<u64>,
}

/// The calls that are being applied.
#[derive(Default)]
struct ActiveCalls {
    /// The number of the next call.
    next: u64,
    /// Each call in words, by its number.
    calls: BTreeMap<u64, String>,
}

impl Faults {
    /// Plans a fault for call `nth` (the first is 1) of the function's next invoke that gets that far. Only the first
    /// attempt of the SDK gets the fault.
    pub fn next(&self, function: &str, nth: u32, fault: Fault) {
        self.locked_plan().add(function, nth, fault, false);
    }

    /// As [`Faults::next`], but every attempt of the SDK at that call gets the fault.
    pub fn persist(&self, function: &str, nth: u32, fault: Fault) {
        self.locked_plan().add(function, nth, fault, true);
    }

    /// Lets the closure decide about every attempt for which [`Faults::next`] and [`Faults::persist`] plan nothing. It
    /// replaces an earlier closure.
    pub fn plan(&self, decide: impl FnMut(&Call) -> Option<Fault> + Send + 'static) {
        self.locked_plan().decide = Some(Box::new(decide));
    }

    /// Number of faults of [`Faults::next`] and [`Faults::persist`] that no call has got yet.
    pub fn pending(&self) -> usize {
        self.locked_plan().pending()
    }

    /// Lets the closure decide about every asynchronous event when it is accepted, but not about Lambda's retries of
    /// it.
    pub fn events(&self, decide: impl FnMut(&AsyncEvent<'_>) -> Delivery + Send + 'static) {
        self.locked_deliveries().events = Some(Box::new(decide));
    }

    /// Lets the closure decide about every message to a client. It must not call the broker, whose lock is held.
    pub fn messages(&self, decide: impl FnMut(&Outbound<'_>) -> Transit + Send + 'static) {
        self.locked_deliveries().messages = Some(Box::new(decide));
    }

    /// Lets the closure decide about every attempt to deliver a batch of a stream.
    pub fn batches(&self, decide: impl FnMut(&StreamBatch<'_>) -> StreamDelivery + Send + 'static) {
        self.locked_deliveries().batches = Some(Box::new(decide));
    }

    /// Kills one process of a function, whether it is busy or idle: number `pick` modulo the number of running
    /// processes. Returns false if none runs.
    pub fn kill_one(&self, function: &str, pick: usize) -> bool {
        let mut processes = self.locked_processes();
        let one = processes.pick(function, pick);
        one.is_some_and(|number| processes.kill(number).is_some())
    }

    /// Number of asynchronous events that are [`Delivery::Held`] now.
    pub fn held(&self) -> usize {
        self.locked_deliveries().held.len()
    }

    /// Releases all held calls and all held events, oldest first; returns the number of events.
    pub fn release(&self) -> usize {
        self.0.releases.send_modify(|releases| *releases += 1);
        let held = std::mem::take(&mut self.locked_deliveries().held);
        let count = held.len();
        held.into_iter().for_each(|deliver| deliver());
        count
    }

    /// Removes every plan, and releases held calls and events.
    pub fn clear(&self) {
        *self.locked_plan() = Plan::default();
        let mut deliveries = self.locked_deliveries();
        (deliveries.events, deliveries.messages, deliveries.batches) = (None, None, None);
        drop(deliveries);
        self.release();
    }

    /// Returns the planned fault of a call, and marks it as used.
    pub fn take_fault(&self, call: &Call) -> Option<Fault> {
        self.locked_plan().take_fault(call)
    }

    /// Returns how an asynchronous event is to be delivered.
    pub fn delivery(&self, event: &AsyncEvent<'_>) -> Delivery {
        self.locked_deliveries().events.as_mut().map_or(Delivery::Once, |decide| decide(event))
    }

    /// Returns how a batch of a stream is to be delivered.
    pub fn stream_delivery(&self, batch: &StreamBatch<'_>) -> StreamDelivery {
        self.locked_deliveries().batches.as_mut().map_or(StreamDelivery::Once, |decide| decide(batch))
    }

    /// Returns at the next [`Faults::release`].
    pub async fn next_release(&self) {
        let mut releases = self.0.releases.subscribe();
        // The sender lives as long as `self`.
        let _ = releases.changed().await;
    }

    /// Keeps an event, which `deliver` delivers, until [`Faults::release`].
    pub fn hold(&self, deliver: impl FnOnce() + Send + 'static) {
        self.locked_deliveries().held.push(Box::new(deliver));
    }

    /// Returns how a message to a client is to arrive.
    pub fn transit(&self, message: &Outbound<'_>) -> Transit {
        self.locked_deliveries().messages.as_mut().map_or(Transit::Delivered, |decide| decide(message))
    }

    /// Registers a process, which ends when `kill` is cancelled.
    pub fn register(&self, function: &str, kill: CancellationToken) -> Registration {
        let number = self.locked_processes().add(function, kill);
        Registration::new(self.clone(), function, number)
    }

    /// Counts a request that is signed with this access key; `None` unless the key belongs to a running process.
    /// `sdk_invocation` is the same for all attempts at one call.
    pub fn call(&self, access_key: &str, sdk_invocation: Option<&str>) -> Option<Call> {
        self.locked_processes().call(access_key, sdk_invocation)
    }

    /// Kills the process that made the call, and returns when it has ended.
    pub async fn kill(&self, call: &Call) {
        let ended = self.locked_processes().kill(call.process);
        if let Some(ended) = ended {
            ended.cancelled().await;
        }
    }

    /// Counts a call as being applied until the returned guard is dropped.
    pub fn count_call(&self, call: &Call, fault: Option<Fault>) -> CallGuard {
        let Call { function, operation, path, nth, .. } = call;
        let held = if fault == Some(Fault::Held) { ", which is held," } else { "" };
        let text = format!("call {nth} of {function}, {operation} {path}{held}");
        let mut number = 0;
        self.0.active_calls.send_modify(|active| {
            number = active.next;
            active.next += 1;
            active.calls.insert(number, text);
        });
        CallGuard { faults: self.clone(), number }
    }

    /// What [`Faults::idle`] waits for now, one line each; empty when it would return at once.
    pub fn active_calls(&self) -> Vec<String> {
        self.0.active_calls.borrow().calls.values().map(|call| format!("{call} is not answered")).collect()
    }

    /// Returns once no call is being applied any more, not even for callers that are dead.
    pub async fn idle(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.0.active_calls.subscribe().wait_for(|active| active.calls.is_empty()).await;
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

/// Counts one call that is being applied.
pub struct CallGuard {
    faults: Faults,
    number: u64,
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.faults.0.active_calls.send_modify(|active| drop(active.calls.remove(&self.number)));
    }
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faults").field("pending", &self.pending()).finish_non_exhaustive()
    }
}
