//! The reference agent: decides what a device does about commands, without I/O, clock or randomness.
//!
//! ```text
//! on_message  ─┐                 ┌─> Start    run a command, then call on_finished
//! on_finished ─┼─> [ Agent ] ────┼─> Stop     the running command is canceled
//! on_tick     ─┘                 └─> Report, Publish   send a message, QoS 1
//! ```
//!
//! Requests arrive repeatedly, late and out of order, on the request topic and in the shadow. An execution is
//! identified by its id, and each of its attempts by a number. The agent guarantees:
//!
//! - no attempt runs twice, unless its command is safe to run twice and a restart interrupted it,
//! - no attempt starts after its expiry or after a cancel,
//! - an attempt has one outcome, which never changes,
//! - a next attempt starts only after the one before it has failed.
//!
//! A broadcast is one request to many things. Its id is its command's id, in the reports too, and each thing handles it
//! after a delay of its own, at most the broadcast's `spread`.

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) mod action;
mod admission;
mod cancel_notice;
mod command_shadow;
pub(crate) mod config;
mod delayed_broadcasts;
mod desired_state;
mod execution;
mod execution_cache;
mod id;
mod ignored_inputs;
pub(crate) mod outcome;
mod report;
mod request;
mod restart;
pub(crate) mod snapshot;
#[cfg(test)]
mod tests;
pub mod topic;

pub use action::Action;
use admission::Admission;
use cancel_notice::CancelNotice;
use command_shadow::Document;
pub use config::Config;
use delayed_broadcasts::DelayedBroadcasts;
use execution::{Execution, ExecutionState};
use execution_cache::ExecutionCache;
use id::Id;
use ignored_inputs::IgnoredInputs;
pub use outcome::{Outcome, Status};
use request::Request;
pub use snapshot::BadSnapshot;
use snapshot::Snapshot;

/// The decisions of a device. See the [module](self).
#[derive(Clone, Debug)]
pub struct Agent {
    config: Config,
    executions: ExecutionCache,
    delayed_broadcasts: DelayedBroadcasts,
    /// The newest version of the shadow that was read since the last `get`.
    shadow_version: u64,
    /// The same of the classic shadow.
    state_version: u64,
    ignored: IgnoredInputs,
}

impl Agent {
    /// An agent that knows no execution.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            executions: ExecutionCache::default(),
            delayed_broadcasts: DelayedBroadcasts::default(),
            shadow_version: 0,
            state_version: 0,
            ignored: IgnoredInputs::default(),
        }
    }

    /// An agent after a restart of its device. An execution that was running when the snapshot was taken has FAILED, or
    /// starts again if its command is safe to run twice and it has not expired. Every execution is reported again,
    /// since reports that were not acknowledged may be lost.
    ///
    /// # Errors
    /// [`BadSnapshot`] when the JSON does not come from [`snapshot`](Self::snapshot).
    pub fn restore(config: Config, snapshot: Value, now_ms: i64) -> Result<(Self, Vec<Action>), BadSnapshot> {
        let Snapshot { executions, delayed_broadcasts } = Snapshot::read(snapshot)?;
        let mut agent = Self { executions, delayed_broadcasts, ..Self::new(config) };
        let starts = restart::resume(&mut agent.executions, agent.config.expiry_tolerance_ms, now_ms);
        let mut actions = agent.on_session_lost();
        actions.extend(starts);
        Ok((agent, actions))
    }

    /// What the agent remembers, for [`restore`](Self::restore).
    pub fn snapshot(&self) -> Value {
        let (executions, delayed_broadcasts) = (self.executions.clone(), self.delayed_broadcasts.clone());
        Snapshot { executions, delayed_broadcasts }.write()
    }

    /// The topics to subscribe to.
    pub fn topics(&self) -> Vec<String> {
        let thing = &self.config.thing;
        let mut topics = vec![topic::request(thing), topic::cancel(thing)];
        topics.extend(self.config.all_broadcast_topics());
        if self.config.shadow {
            let operations = ["get/accepted", "get/rejected", "update/delta"];
            topics.extend(operations.map(|operation| command_shadow::topic(thing, operation)));
        }
        if self.config.desired_state {
            topics.extend(["get/accepted", "update/delta"].map(|operation| desired_state::topic(thing, operation)));
        }
        topics
    }

    /// The connection is up and its subscriptions are in place: gets the shadows, which may have changed meanwhile.
    pub fn on_subscribed(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.config.shadow {
            actions.push(self.publish_to_shadow("get", b"{}".to_vec()));
        }
        if self.config.desired_state {
            let topic = desired_state::topic(&self.config.thing, "get");
            actions.push(Action::Publish { topic, bytes: b"{}".to_vec() });
        }
        actions
    }

    /// A message arrived on one of the [topics](Self::topics).
    pub fn on_message(&mut self, topic: &str, bytes: &[u8], now_ms: i64) -> Vec<Action> {
        let thing = &self.config.thing;
        let is_state = |operation| self.config.desired_state && topic == desired_state::topic(thing, operation);
        let is_shadow = |operation| self.config.shadow && topic == command_shadow::topic(thing, operation);
        if topic == topic::request(thing) || self.config.is_broadcast_topic(topic) {
            self.on_request(bytes, now_ms)
        } else if topic == topic::cancel(thing) {
            self.on_cancel(bytes, now_ms)
        } else if is_state("get/accepted") || is_state("update/delta") {
            self.on_desired_state(bytes, topic.ends_with("delta"))
        } else if is_shadow("get/accepted") {
            self.on_shadow(bytes, now_ms)
        } else if is_shadow("update/delta") {
            self.on_shadow_delta(bytes, now_ms)
        } else if is_shadow("get/rejected") {
            if command_shadow::is_not_found(bytes) { self.declare() } else { self.ignore("shadow get rejected") }
        } else {
            self.ignore("unexpected topic")
        }
    }

    /// A message arrived on a topic of requests: this thing's own, or one of broadcasts.
    pub fn on_request(&mut self, bytes: &[u8], now_ms: i64) -> Vec<Action> {
        let envelope = Request::read_envelope(bytes, self.config.max_message_bytes);
        if envelope.as_ref().is_ok_and(|envelope| self.config.is_for_another_group(envelope)) {
            return self.ignore("broadcast to another group");
        }
        let Config { thing, max_executions, .. } = &self.config;
        if let Ok(envelope) = &envelope
            && self.delayed_broadcasts.delay(thing, envelope, *max_executions, now_ms)
        {
            return Vec::new();
        }
        self.admission(now_ms).handle(envelope.and_then(Request::from_envelope), true)
    }

    /// A message arrived on the cancel topic. No attempt of the execution runs from now on, not even a newer one than
    /// the notice names. An outcome that was reported stays valid. A running attempt is stopped, and CANCELED is
    /// reported once it has.
    pub fn on_cancel(&mut self, bytes: &[u8], now_ms: i64) -> Vec<Action> {
        let notice = Some(bytes).filter(|bytes| self.is_allowed_size(bytes)).and_then(CancelNotice::read);
        let Some(CancelNotice { ids, attempt }) = notice else { return self.ignore("unreadable cancel notice") };
        ids.into_iter().filter_map(|id| self.cancel(id, attempt, now_ms)).collect()
    }

    fn cancel(&mut self, id: Id, attempt: u32, now_ms: i64) -> Option<Action> {
        if let Some(known) = self.executions.touch(id.as_str()) {
            let (execution_id, attempt) = (id.as_str().to_owned(), known.attempt);
            return known.cancel().then_some(Action::Stop { execution_id, attempt });
        }
        // The notice arrived before its request, which must not start.
        let canceled = Execution {
            id,
            attempt,
            newest_attempt: attempt,
            response_topic: topic::response(&self.config.thing),
            expires_at_ms: i64::MAX,
            state: ExecutionState::Canceled(None),
        };
        let startable_ms = now_ms.saturating_sub(self.config.expiry_tolerance_ms);
        self.executions.insert(canceled, self.config.max_executions, startable_ms);
        None
    }

    /// The whole shadow, after a `get`. Reports known executions again: the cloud removes a request that has ended, so
    /// what is still in the shadow may not have been reported.
    fn on_shadow(&mut self, bytes: &[u8], now_ms: i64) -> Vec<Action> {
        let Some(document) = self.read_shadow(bytes, Document::read_accepted) else {
            return self.ignore("unreadable shadow");
        };
        // Not compared with the version so far: a shadow that was deleted starts again at version 1.
        self.shadow_version = document.version;
        let mut actions = if document.is_declared { Vec::new() } else { self.declare() };
        actions.extend(self.handle_shadow_requests(document.requests, true, now_ms));
        actions
    }

    /// A change of the shadow. Each delta holds every open request, so known executions are not reported again.
    fn on_shadow_delta(&mut self, bytes: &[u8], now_ms: i64) -> Vec<Action> {
        let Some(document) = self.read_shadow(bytes, Document::read_delta) else {
            return self.ignore("unreadable shadow");
        };
        if document.version < self.shadow_version {
            return self.ignore("outdated shadow");
        }
        self.shadow_version = document.version;
        self.handle_shadow_requests(document.requests, false, now_ms)
    }

    /// The classic shadow, or a change of it: reports what `desired` holds and the device has not reported. An outdated
    /// delta would report an older state.
    fn on_desired_state(&mut self, bytes: &[u8], is_delta: bool) -> Vec<Action> {
        let allowed = Some(bytes).filter(|bytes| self.is_allowed_size(bytes));
        let Some((version, attributes)) = allowed.and_then(|bytes| desired_state::read(bytes, is_delta)) else {
            return self.ignore("unreadable shadow");
        };
        if is_delta && version < self.state_version {
            return self.ignore("outdated shadow");
        }
        self.state_version = version;
        if attributes.is_empty() {
            return Vec::new();
        }
        let topic = desired_state::topic(&self.config.thing, "update");
        vec![Action::Publish { topic, bytes: desired_state::report(attributes) }]
    }

    fn handle_shadow_requests(
        &mut self,
        entries: Vec<(String, Value)>,
        repeat_report: bool,
        now_ms: i64,
    ) -> Vec<Action> {
        let mut admission = self.admission(now_ms);
        let requests = entries.into_iter().map(|(execution_id, entry)| Request::from_shadow_entry(execution_id, entry));
        requests.flat_map(|request| admission.handle(request, repeat_report)).collect()
    }

    fn read_shadow(&self, bytes: &[u8], read: fn(&[u8]) -> Option<Document>) -> Option<Document> {
        Some(bytes).filter(|bytes| self.is_allowed_size(bytes)).and_then(read)
    }

    fn is_allowed_size(&self, bytes: &[u8]) -> bool {
        bytes.len() <= self.config.max_message_bytes
    }

    /// Declares in the shadow that this thing takes commands there.
    fn declare(&self) -> Vec<Action> {
        vec![self.publish_to_shadow("update", command_shadow::declaration())]
    }

    fn publish_to_shadow(&self, operation: &str, bytes: Vec<u8>) -> Action {
        Action::Publish { topic: command_shadow::topic(&self.config.thing, operation), bytes }
    }

    fn admission(&mut self, now_ms: i64) -> Admission<'_> {
        let Self { config, executions, ignored, .. } = self;
        Admission { config, executions, ignored, now_ms }
    }

    /// A command that [`Action::Start`] started has ended.
    pub fn on_finished(&mut self, execution_id: &str, attempt: u32, outcome: Outcome) -> Vec<Action> {
        match self.executions.touch(execution_id) {
            Some(execution)
                if execution.attempt == attempt && execution.is_running() && outcome.status() != Status::InProgress =>
            {
                execution.state = ExecutionState::Ended(outcome);
                let has_refused_attempt = execution.newest_attempt > attempt;
                let mut actions: Vec<Action> = execution.report().into_iter().collect();
                // A newer attempt in the shadow was refused while this one ran, and is sent only once: reads it again.
                if has_refused_attempt {
                    actions.extend(self.on_subscribed());
                }
                actions
            }
            // The cancel has stopped it, which is confirmed; or came too late.
            Some(execution @ Execution { state: ExecutionState::Canceled(None), .. })
                if execution.attempt == attempt =>
            {
                let is_done = outcome.status() == Status::Succeeded;
                execution.state = ExecutionState::Canceled(Some(if is_done { outcome } else { Outcome::stopped() }));
                execution.report().into_iter().collect()
            }
            Some(Execution { state: ExecutionState::Canceled(_), .. }) => Vec::new(),
            _ => self.ignore("end of an execution that was not running"),
        }
    }

    /// Time has passed: handles the delayed broadcasts that are due, and sends the heartbeats that are due.
    pub fn on_tick(&mut self, now_ms: i64) -> Vec<Action> {
        let mut actions = self.on_broadcast_due(now_ms);
        actions.extend(self.executions.iter_mut().filter_map(|execution| execution.beat_if_due(now_ms)));
        actions
    }

    /// The part of [`on_tick`](Self::on_tick) for a device without a connection: it runs broadcasts, but heartbeats
    /// would not be sent.
    pub fn on_broadcast_due(&mut self, now_ms: i64) -> Vec<Action> {
        let due = self.delayed_broadcasts.take_due(now_ms);
        let mut admission = self.admission(now_ms);
        due.into_iter().flat_map(|envelope| admission.handle(Request::from_envelope(envelope), true)).collect()
    }

    /// When the next delayed broadcast is due, in milliseconds since 1970-01-01 UTC.
    pub fn next_broadcast_ms(&self) -> Option<i64> {
        self.delayed_broadcasts.next_due_ms()
    }

    /// When the next heartbeat is due, in milliseconds since 1970-01-01 UTC.
    pub fn next_heartbeat_ms(&self) -> Option<i64> {
        self.executions.iter().filter_map(Execution::next_heartbeat_ms).min()
    }

    /// The broker lost the session, and with it perhaps reports that it had not acknowledged: reports every execution
    /// again.
    pub fn on_session_lost(&mut self) -> Vec<Action> {
        self.executions.iter().filter_map(Execution::report).collect()
    }

    /// The number of executions that run.
    pub fn running_count(&self) -> usize {
        self.executions.running_count()
    }

    /// The number of inputs that were not acted on, by reason.
    pub fn ignored(&self) -> &BTreeMap<&'static str, u64> {
        self.ignored.by_reason()
    }

    fn ignore(&mut self, reason: &'static str) -> Vec<Action> {
        self.ignored.count(reason);
        Vec::new()
    }
}
