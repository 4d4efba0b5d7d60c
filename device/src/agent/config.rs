//! What an agent needs to know, and what it asks to be done.

use std::collections::BTreeSet;

use serde_json::Value;

use super::topic;

/// What an agent needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The thing that this device is.
    pub thing: String,
    /// The commands that it knows; `None`: every name is accepted.
    pub commands: Option<BTreeSet<String>>,
    /// The commands that may be run twice: what a restart cut short is started again, and not reported as failed.
    pub repeatable: BTreeSet<String>,
    /// Whether it takes commands from its named shadow `cmd` as well.
    pub shadow: bool,
    /// The groups that it is in: broadcasts to `cmd/group/<group>/req` are requests to this thing too.
    pub groups: Vec<String>,
    /// Further topics that broadcasts arrive on, as they are: without wildcards.
    pub broadcast_topics: Vec<String>,
    /// Topics besides its own that an answer may go to, when the request asks for that in `responseTopic`. What is asked
    /// for and not listed is answered on `cmd/<thing>/resp`.
    pub answer_topics: Vec<String>,
    /// How many executions it remembers. More than this many commands within one ttl, and a repeated request may run
    /// again; this many running at once, and further ones are refused;
    /// this many broadcasts waiting for their moment, and further ones are handled at once.
    pub remember: usize,
    /// How long after its expiry a command may still start, for a device whose clock runs ahead.
    pub tolerance_ms: i64,
    /// Requests larger than this many bytes are ignored.
    pub max_request: usize,
}

impl Config {
    /// The defaults for `thing`: every command, none of them twice, no shadow, no broadcasts, 64 executions, no tolerance, 128 KB.
    pub fn new(thing: impl Into<String>) -> Self {
        Self {
            thing: thing.into(),
            commands: None,
            repeatable: BTreeSet::new(),
            shadow: false,
            groups: Vec::new(),
            broadcast_topics: Vec::new(),
            answer_topics: Vec::new(),
            remember: 64,
            tolerance_ms: 0,
            max_request: 128 * 1024,
        }
    }

    /// Where broadcasts arrive.
    pub(super) fn broadcasts(&self) -> impl Iterator<Item = String> {
        self.groups.iter().map(|group| topic::group(group)).chain(self.broadcast_topics.iter().cloned())
    }

    pub(super) fn takes_broadcasts_on(&self, topic: &str) -> bool {
        self.broadcasts().any(|own| own == topic)
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Run a command, then call [`Agent::on_finished`](super::Agent::on_finished).
    Start {
        /// The execution; of a broadcast, the command's id.
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
    /// Stop a command that runs. Nobody waits for how it ends.
    Stop {
        /// The execution; of a broadcast, the command's id.
        execution_id: String,
        /// Which attempt at it.
        attempt: u32,
    },
    /// Publish an answer, QoS 1.
    Respond {
        /// Where to.
        topic: String,
        /// What.
        bytes: Vec<u8>,
    },
    /// Publish what is no answer, QoS 1: the device asks for its shadow, or says in it that it takes commands there.
    Publish {
        /// Where to.
        topic: String,
        /// What.
        bytes: Vec<u8>,
    },
}
