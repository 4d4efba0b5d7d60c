//! What a device must decide about commands. No I/O, no clock, no randomness: they are arguments.
//!
//! ```text
//! on_message  ─┐                 ┌─> Start    run this, then tell on_finished
//! on_finished ─┼─> [ Agent ] ────┼─> Stop     what runs is no longer wanted
//! on_tick     ─┘                 └─> Respond, Publish   send this, QoS 1
//! ```
//!
//! Requests arrive twice, late and out of order, on the request topic and in the shadow. An execution is known by its
//! id and attempt, and for each of these nothing runs twice, nothing starts once it has expired or was canceled, and
//! there is one verdict that never changes. A next attempt begins only when the one before it has failed.
//!
//! A broadcast is a request to many things at once. It is known by its command's id, which is what answers name too, and
//! it is handled after a part of its `spread` that is this thing's own.

use std::collections::BTreeMap;

mod answer;
#[cfg(test)]
mod broadcasts;
mod cache;
mod config;
mod decide;
mod held;
mod id;
mod request;
mod restart;
mod shadow;
#[cfg(test)]
mod sweep;
#[cfg(test)]
mod tests;
pub mod topic;

pub use answer::{Outcome, Status};
use cache::{Cache, Entry, State};
pub use config::{Action, Config};
use held::Held;
use id::Id;
use request::{Cancel, Request};
use shadow::Document;

/// A snapshot that cannot be restored.
#[derive(Debug, thiserror::Error)]
#[error("not a snapshot of an agent")]
pub struct BadSnapshot(#[from] serde_json::Error);

/// The reference device's decisions. See the [module](self).
#[derive(Clone, Debug)]
pub struct Agent {
    config: Config,
    cache: Cache,
    held: Vec<Held>,
    /// The newest version of the shadow that was read since the last connection.
    shadow_version: u64,
    ignored: BTreeMap<&'static str, u64>,
}

impl Agent {
    /// A device that remembers nothing.
    pub fn new(config: Config) -> Self {
        Self { config, cache: Cache::default(), held: Vec::new(), shadow_version: 0, ignored: BTreeMap::new() }
    }

    /// The topics to subscribe to.
    pub fn topics(&self) -> Vec<String> {
        let thing = &self.config.thing;
        let mut topics = vec![topic::request(thing), topic::cancel(thing)];
        topics.extend(self.config.broadcasts());
        if self.config.shadow {
            topics.extend(["get/accepted", "get/rejected", "update/delta"].map(|name| shadow::topic(thing, name)));
        }
        topics
    }

    /// Connected, and the subscriptions hold: what the shadow has held meanwhile is asked for.
    pub fn on_subscribed(&mut self) -> Vec<Action> {
        match self.config.shadow {
            true => vec![Action::Publish { topic: shadow::topic(&self.config.thing, "get"), bytes: b"{}".to_vec() }],
            false => Vec::new(),
        }
    }

    /// A message arrived on one of [the topics](Self::topics).
    pub fn on_message(&mut self, topic: &str, bytes: &[u8], now_ms: i64) -> Vec<Action> {
        let thing = &self.config.thing;
        let in_shadow = |name| self.config.shadow && topic == shadow::topic(thing, name);
        if topic == topic::request(thing) || self.config.takes_broadcasts_on(topic) {
            self.on_request(bytes, now_ms)
        } else if topic == topic::cancel(thing) {
            self.on_cancel(bytes, now_ms)
        } else if in_shadow("get/accepted") {
            self.on_shadow(bytes, now_ms)
        } else if in_shadow("update/delta") {
            self.on_shadow_delta(bytes, now_ms)
        } else if in_shadow("get/rejected") {
            if shadow::is_missing(bytes) { self.declare() } else { self.ignore("shadow refused") }
        } else {
            self.ignore("foreign topic")
        }
    }

    /// A message arrived on a request topic: this thing's own, or one for broadcasts.
    pub fn on_request(&mut self, bytes: &[u8], now_ms: i64) -> Vec<Action> {
        let envelope = Request::envelope(bytes, self.config.max_request);
        if envelope.as_ref().is_ok_and(|envelope| self.hold(envelope, now_ms)) {
            return Vec::new();
        }
        self.consider(envelope.and_then(Request::from_value), true, now_ms)
    }

    /// A message arrived on the cancel topic: no attempt at that execution, or that broadcast, runs from now on, whichever
    /// the message names. A verdict that was given stands.
    pub fn on_cancel(&mut self, bytes: &[u8], now_ms: i64) -> Vec<Action> {
        let cancel = Some(bytes).filter(|bytes| bytes.len() <= self.config.max_request).and_then(Cancel::read);
        let Some(Cancel { ids, attempt }) = cancel else { return self.ignore("unreadable cancel") };
        ids.into_iter().flat_map(|id| self.cancel(id, attempt, now_ms)).collect()
    }

    fn cancel(&mut self, id: Id, attempt: u32, now_ms: i64) -> Vec<Action> {
        match self.cache.touch(id.as_str()) {
            Some(known) => {
                let (execution_id, attempt) = (id.as_str().to_owned(), known.attempt);
                if known.cancel() { vec![Action::Stop { execution_id, attempt }] } else { Vec::new() }
            }
            // It overtook its request.
            None => {
                let topic = topic::response(&self.config.thing);
                let (newest, expires_at_ms, state) = (attempt, i64::MAX, State::Canceled(None));
                self.remember(Entry { id, attempt, newest, topic, expires_at_ms, state }, now_ms)
            }
        }
    }

    /// The shadow as it was asked for: what is still there of what has ended is answered again.
    fn on_shadow(&mut self, bytes: &[u8], now_ms: i64) -> Vec<Action> {
        let Some(document) = self.document(bytes, Document::read_accepted) else {
            return self.ignore("unreadable shadow");
        };
        // Not compared: somebody may have deleted the shadow, so that its versions begin anew.
        self.shadow_version = document.version;
        let mut actions = if document.declared { Vec::new() } else { self.declare() };
        for (execution_id, entry) in document.requests {
            actions.extend(self.consider(Request::in_shadow(execution_id, entry), true, now_ms));
        }
        actions
    }

    /// The shadow has changed. Every delta holds all that is open, so what is known is not answered each time.
    fn on_shadow_delta(&mut self, bytes: &[u8], now_ms: i64) -> Vec<Action> {
        let Some(document) = self.document(bytes, Document::read_delta) else {
            return self.ignore("unreadable shadow");
        };
        if document.version < self.shadow_version {
            return self.ignore("old shadow");
        }
        self.shadow_version = document.version;
        let mut actions = Vec::new();
        for (execution_id, entry) in document.requests {
            actions.extend(self.consider(Request::in_shadow(execution_id, entry), false, now_ms));
        }
        actions
    }

    fn document(&self, bytes: &[u8], read: fn(&[u8]) -> Option<Document>) -> Option<Document> {
        Some(bytes).filter(|bytes| bytes.len() <= self.config.max_request).and_then(read)
    }

    fn declare(&self) -> Vec<Action> {
        vec![Action::Publish { topic: shadow::topic(&self.config.thing, "update"), bytes: shadow::declaration() }]
    }

    /// A command that was started has ended.
    pub fn on_finished(&mut self, execution_id: &str, attempt: u32, outcome: Outcome) -> Vec<Action> {
        match self.cache.touch(execution_id) {
            Some(entry) if entry.attempt == attempt && entry.is_running() && outcome.status() != Status::InProgress => {
                entry.state = State::Ended(outcome);
                let refused_meanwhile = entry.newest > attempt;
                let mut actions: Vec<Action> = respond(entry).into_iter().collect();
                // In the shadow it is still asked for, and nobody sends it a second time.
                if refused_meanwhile {
                    actions.extend(self.on_subscribed());
                }
                actions
            }
            Some(Entry { state: State::Canceled(_), .. }) => Vec::new(),
            _ => self.ignore("finished what did not run"),
        }
    }

    /// Time has passed: broadcasts whose moment has come, and heartbeats that are due.
    pub fn on_tick(&mut self, now_ms: i64) -> Vec<Action> {
        let mut actions = self.on_held(now_ms);
        for entry in self.cache.entries_mut() {
            if let State::Running { seq, heartbeat_ms: Some(every), next_beat_ms, .. } = &mut entry.state
                && *next_beat_ms <= now_ms
            {
                // After a gap one beat is enough: they prove life, they are not counted.
                *next_beat_ms = now_ms.saturating_add(*every);
                *seq = seq.saturating_add(1);
                actions.extend(respond(entry));
            }
        }
        actions
    }

    /// When the next heartbeat is due, in milliseconds since 1970: [`on_tick`](Self::on_tick) is wanted then.
    pub fn next_beat_ms(&self) -> Option<i64> {
        let beat = |entry: &Entry| match entry.state {
            State::Running { heartbeat_ms: Some(_), next_beat_ms, .. } => Some(next_beat_ms),
            _ => None,
        };
        self.cache.entries().iter().filter_map(beat).min()
    }

    /// The connection came back without its session: answers on their way may be lost, so all are given again.
    pub fn on_session_lost(&mut self) -> Vec<Action> {
        self.cache.entries().iter().filter_map(respond).collect()
    }

    /// How many executions run.
    pub fn running(&self) -> usize {
        self.cache.running()
    }

    /// How many inputs were not acted on, by the reason.
    pub fn ignored(&self) -> &BTreeMap<&'static str, u64> {
        &self.ignored
    }

    fn ignore(&mut self, why: &'static str) -> Vec<Action> {
        *self.ignored.entry(why).or_default() += 1;
        Vec::new()
    }
}

fn respond(entry: &Entry) -> Option<Action> {
    entry.answer().map(|bytes| Action::Respond { topic: entry.topic.clone(), bytes })
}
