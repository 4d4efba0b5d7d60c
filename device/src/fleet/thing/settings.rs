//! What a fleet decides about one of its things before it runs.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::agent::config::Config;
use crate::agent::topic;
use crate::clock::Clock;
use crate::fleet::behaviour::Behaviour;
use crate::fleet::message_loss::MessageLoss;
use crate::fleet::run_log::RunLog;
use crate::fleet::script::Script;
use crate::fleet::stats::Counters;
use crate::fleet::work_counter::WorkCounter;
use crate::link::endpoint::Endpoint;
use crate::random::Random;

/// The topics that all things of a fleet share.
#[derive(Default)]
pub(crate) struct SharedTopics {
    pub groups: Vec<String>,
    pub broadcast_topics: Vec<String>,
    pub response_topics: Vec<String>,
}

impl SharedTopics {
    /// Whether broadcasts arrive on a topic.
    pub fn is_broadcast_topic(&self, topic: &str) -> bool {
        self.broadcast_topics.iter().any(|own| own == topic)
            || self.groups.iter().any(|group| topic::group(group) == topic)
    }
}

pub(crate) struct ThingSettings {
    pub name: String,
    pub script: Script,
    pub endpoint: Endpoint,
    pub clock: Clock,
    /// Time from the ttl to the report of a thing that reports late.
    pub late_after_ms: i64,
    /// Whether it reports state in its classic shadow, and follows trimmed deltas.
    pub has_classic_shadow: bool,
    /// Whether it takes commands from its named shadow `cmd` too.
    pub has_command_shadow: bool,
    pub topics: Arc<SharedTopics>,
    pub loss: MessageLoss,
    /// How long a thing that comes and goes is connected.
    pub online_for: RangeInclusive<Duration>,
    /// How long a thing that comes and goes is offline.
    pub offline_for: RangeInclusive<Duration>,
    pub random: Random,
    pub run_log: Arc<RunLog>,
    pub counters: Arc<Counters>,
    pub work: Arc<WorkCounter>,
    /// Receives one message when the first subscriptions are in place.
    pub ready: Option<mpsc::Sender<()>>,
}

impl ThingSettings {
    pub fn agent_config(&self) -> Config {
        let SharedTopics { groups, broadcast_topics, response_topics } = &*self.topics;
        let mut config = Config {
            shadow: self.has_command_shadow,
            groups: groups.clone(),
            broadcast_topics: broadcast_topics.clone(),
            response_topics: response_topics.clone(),
            ..Config::new(&self.name)
        };
        if self.script.behaviour == Behaviour::Rejects {
            config.commands = Some(Default::default());
        }
        config
    }
}
