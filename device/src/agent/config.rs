//! The settings of an agent.

use std::collections::BTreeSet;

use serde_json::Value;

use super::topic;

/// What an agent knows about its thing.
#[derive(Clone, Debug)]
pub struct Config {
    /// The thing's name.
    pub thing: String,
    /// The commands that the device can run; `None` accepts every name.
    pub commands: Option<BTreeSet<String>>,
    /// Commands that are safe to run twice: when a restart interrupts one, it is started again and not reported FAILED.
    pub repeatable: BTreeSet<String>,
    /// Whether the device also takes commands from its named shadow `cmd`.
    pub shadow: bool,
    /// Whether the device takes on the desired state of its classic shadow, and reports it there.
    pub desired_state: bool,
    /// The thing's groups: broadcasts on `cmd/group/<group>/req` are requests to this thing too.
    pub groups: Vec<String>,
    /// Further topics of broadcasts, without wildcards.
    pub broadcast_topics: Vec<String>,
    /// Topics beside the thing's own that a request may name in `responseTopic`. A report whose `responseTopic` is not
    /// allowed goes to `cmd/<thing>/resp`.
    pub response_topics: Vec<String>,
    /// Limits three things: the executions that are remembered (with more commands within one ttl, a repeated request
    /// may run again), the executions that run at once (a further request is rejected as BUSY), and the broadcasts that
    /// are delayed (a further broadcast is handled at once).
    pub max_executions: usize,
    /// How long after its expiry a command may still start, in milliseconds: for a device whose clock is fast.
    pub expiry_tolerance_ms: i64,
    /// The largest message that is handled, in bytes; larger ones are ignored.
    pub max_message_bytes: usize,
}

impl Config {
    /// The defaults: every command and none repeatable, no shadow, no broadcasts, 64 executions, no tolerance, 128 KB.
    pub fn new(thing: impl Into<String>) -> Self {
        Self {
            thing: thing.into(),
            commands: None,
            repeatable: BTreeSet::new(),
            shadow: false,
            desired_state: false,
            groups: Vec::new(),
            broadcast_topics: Vec::new(),
            response_topics: Vec::new(),
            max_executions: 64,
            expiry_tolerance_ms: 0,
            max_message_bytes: 128 * 1024,
        }
    }

    /// Every topic that broadcasts arrive on.
    pub(super) fn all_broadcast_topics(&self) -> impl Iterator<Item = String> {
        self.groups.iter().map(|group| topic::group(group)).chain(self.broadcast_topics.iter().cloned())
    }

    /// Whether a request is a broadcast to another group than the thing's own. A thing that knows none of its groups
    /// takes all of them.
    pub(super) fn is_for_another_group(&self, envelope: &Value) -> bool {
        let group = envelope.get("group").and_then(Value::as_str);
        group.is_some_and(|group| !self.groups.is_empty() && !self.groups.iter().any(|own| own == group))
    }

    pub(super) fn is_broadcast_topic(&self, topic: &str) -> bool {
        self.all_broadcast_topics().any(|own| own == topic)
    }

    /// Where the reports of a request go: to the topic that it names if that is allowed, else to the thing's own.
    pub(super) fn response_topic(&self, requested: Option<String>) -> String {
        // A report on a topic of requests would be read as a request, and reported on endlessly.
        let is_listed = |topic: &String| self.response_topics.contains(topic) && !self.is_broadcast_topic(topic);
        requested
            .filter(|topic| topic::is_own_response_topic(&self.thing, topic) || is_listed(topic))
            .unwrap_or_else(|| topic::response(&self.thing))
    }
}
