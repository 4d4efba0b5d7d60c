//! What a device must decide about commands. No I/O, no clock, no randomness: they are arguments.
//!
//! ```text
//! on_request ─┐                 ┌─> Start   run this, then tell on_finished
//! on_finished ┼─> [ Agent ] ────┤
//! on_tick ────┘                 └─> Respond publish this, QoS 1
//! ```
//!
//! Requests arrive twice, late and out of order. An execution is known by its id and attempt, and for each of these
//! nothing runs twice, nothing starts once it has expired, and there is one verdict that never changes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

mod answer;
mod cache;
mod request;
#[cfg(test)]
mod tests;
pub mod topic;

pub use answer::{Outcome, Status};
use cache::{Cache, Entry, State};
use request::{Malformed, Request};

/// What an agent needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The thing that this device is.
    pub thing: String,
    /// The commands that it knows; `None`: every name is accepted.
    pub commands: Option<BTreeSet<String>>,
    /// How many executions it remembers. More than this many commands within one ttl, and a repeated request may run
    /// again; this many running at once, and further ones are refused.
    pub remember: usize,
    /// How long after its expiry a command may still start, for a device whose clock runs ahead.
    pub tolerance_ms: i64,
    /// Requests larger than this many bytes are ignored.
    pub max_request: usize,
}

impl Config {
    /// The defaults for `thing`: every command, 64 executions, no tolerance, 128 KB.
    pub fn new(thing: impl Into<String>) -> Self {
        Self { thing: thing.into(), commands: None, remember: 64, tolerance_ms: 0, max_request: 128 * 1024 }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Run a command, then call [`Agent::on_finished`].
    Start {
        /// The execution.
        execution_id: String,
        /// Which attempt at it, from 1.
        attempt: u32,
        /// The command's name.
        command: String,
        /// Its payload; null when there is none.
        payload: Value,
        /// Until when it may start, in milliseconds since 1970.
        expires_at_ms: i64,
    },
    /// Publish an answer, QoS 1.
    Respond {
        /// Where to.
        topic: String,
        /// What.
        bytes: Vec<u8>,
    },
}

/// A snapshot that cannot be restored.
#[derive(Debug, thiserror::Error)]
#[error("not a snapshot of an agent")]
pub struct BadSnapshot(#[from] serde_json::Error);

/// The reference device's decisions. See the [module](self).
#[derive(Clone, Debug)]
pub struct Agent {
    config: Config,
    cache: Cache,
    ignored: BTreeMap<&'static str, u64>,
}

impl Agent {
    /// A device that remembers nothing.
    pub fn new(config: Config) -> Self {
        Self { config, cache: Cache::default(), ignored: BTreeMap::new() }
    }

    /// A device that was restarted. What ran when the snapshot was taken did not end: it has FAILED, and the answers
    /// that say so are returned.
    pub fn restore(config: Config, snapshot: Value) -> Result<(Self, Vec<Action>), BadSnapshot> {
        let mut cache = Cache::new(serde_json::from_value(snapshot)?);
        let mut actions = Vec::new();
        for entry in cache.entries_mut().filter(|e| e.is_running()) {
            entry.state = State::Ended(Outcome::failed("DEVICE_RESTARTED", "restarted while it ran"));
            actions.push(respond(entry));
        }
        Ok((Self { config, cache, ignored: BTreeMap::new() }, actions))
    }

    /// What to keep over a restart, for [`Agent::restore`].
    pub fn snapshot(&self) -> Value {
        serde_json::to_value(self.cache.entries()).unwrap_or_default()
    }

    /// A message arrived on the request topic.
    pub fn on_request(&mut self, bytes: &[u8], now_ms: i64) -> Vec<Action> {
        match Request::read(bytes, self.config.max_request) {
            Ok(request) => self.decide(request, now_ms),
            Err(Malformed::Envelope { execution_id, attempt, response_topic, why }) => {
                *self.ignored.entry("malformed").or_default() += 1;
                if let Some(known) = self.cache.touch(&execution_id) {
                    return vec![respond(known)];
                }
                let outcome = Outcome::rejected("MALFORMED_REQUEST", why);
                let entry = Entry {
                    execution_id,
                    attempt: attempt.max(1),
                    topic: self.answer_topic(response_topic),
                    expires_at_ms: now_ms,
                    state: State::Ended(outcome),
                };
                self.remember(entry, now_ms)
            }
            Err(Malformed::TooLarge { .. }) => self.ignore("too large"),
            Err(Malformed::Unreadable) => self.ignore("unreadable"),
        }
    }

    /// A command that was started has ended.
    pub fn on_finished(&mut self, execution_id: &str, attempt: u32, outcome: Outcome) -> Vec<Action> {
        match self.cache.touch(execution_id) {
            Some(entry) if entry.attempt == attempt && entry.is_running() && outcome.status() != Status::InProgress => {
                entry.state = State::Ended(outcome);
                vec![respond(entry)]
            }
            _ => self.ignore("finished what did not run"),
        }
    }

    /// Time has passed: heartbeats that are due.
    pub fn on_tick(&mut self, now_ms: i64) -> Vec<Action> {
        let mut actions = Vec::new();
        for entry in self.cache.entries_mut() {
            if let State::Running { seq, heartbeat_ms: Some(every), next_beat_ms } = &mut entry.state
                && *next_beat_ms <= now_ms
            {
                // After a gap one beat is enough: they prove life, they are not counted.
                *next_beat_ms = now_ms.saturating_add(*every);
                *seq = seq.saturating_add(1);
                actions.push(respond(entry));
            }
        }
        actions
    }

    /// The connection came back without its session: answers on their way may be lost, so all are given again.
    pub fn on_session_lost(&mut self) -> Vec<Action> {
        self.cache.entries().iter().map(respond).collect()
    }

    /// How many executions run.
    pub fn running(&self) -> usize {
        self.cache.running()
    }

    /// How many inputs were not acted on, by the reason.
    pub fn ignored(&self) -> &BTreeMap<&'static str, u64> {
        &self.ignored
    }

    fn decide(&mut self, request: Request, now_ms: i64) -> Vec<Action> {
        let topic = self.answer_topic(request.response_topic.clone());
        if let Some(known) = self.cache.touch(&request.execution_id) {
            let succeeded = matches!(&known.state, State::Ended(outcome) if outcome.status() == Status::Succeeded);
            if request.attempt <= known.attempt || known.is_running() || succeeded {
                return vec![Action::Respond { topic, bytes: known.answer() }];
            }
        }
        let expires_at_ms = request.expires_at_ms();
        let state = match self.refusal(&request, now_ms) {
            Some(outcome) => State::Ended(outcome),
            None => {
                let heartbeat_ms = request.heartbeat_ms();
                let next_beat_ms = now_ms.saturating_add(heartbeat_ms.unwrap_or(i64::MAX));
                State::Running { seq: 0, heartbeat_ms, next_beat_ms }
            }
        };
        let Request { execution_id, attempt, command, payload, .. } = request;
        let entry = Entry { execution_id: execution_id.clone(), attempt, topic, expires_at_ms, state };
        let starts = entry.is_running();
        let mut actions = self.remember(entry, now_ms);
        if starts {
            actions.push(Action::Start { execution_id, attempt, command, payload, expires_at_ms });
        }
        actions
    }

    /// Why a request that is new to this device must not run.
    fn refusal(&self, request: &Request, now_ms: i64) -> Option<Outcome> {
        let Config { commands, remember, tolerance_ms, .. } = &self.config;
        if now_ms >= request.expires_at_ms().saturating_add(*tolerance_ms) {
            Some(Outcome::expired())
        } else if commands.as_ref().is_some_and(|known| !known.contains(&request.command)) {
            Some(Outcome::rejected("UNKNOWN_COMMAND", format!("{:?} is not a command of this device", request.command)))
        } else if self.cache.running() >= (*remember).max(1) {
            Some(Outcome::rejected("BUSY", format!("{remember} commands are running")))
        } else {
            None
        }
    }

    fn remember(&mut self, entry: Entry, now_ms: i64) -> Vec<Action> {
        let actions = vec![respond(&entry)];
        self.cache.put(entry, self.config.remember, now_ms);
        actions
    }

    fn answer_topic(&self, asked: Option<String>) -> String {
        let thing = &self.config.thing;
        asked.filter(|topic| topic::may_answer_on(thing, topic)).unwrap_or_else(|| topic::response(thing))
    }

    fn ignore(&mut self, why: &'static str) -> Vec<Action> {
        *self.ignored.entry(why).or_default() += 1;
        Vec::new()
    }
}

fn respond(entry: &Entry) -> Action {
    Action::Respond { topic: entry.topic.clone(), bytes: entry.answer() }
}
