//! One simulated thing: what it is made of, and the loop that it lives in.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::alarm::Sleeper;
use super::live::Live;
use super::loss::Loss;
use super::runs::Runs;
use super::script::{Behaviour, Script};
use super::shadow;
use super::stats::Counters;
use crate::Now;
use crate::agent::{Agent, Config, topic};
use crate::link::{Endpoint, Link};
use crate::random::Random;

/// Where every thing of a fleet takes broadcasts, and may answer.
#[derive(Default)]
pub(crate) struct Hears {
    pub groups: Vec<String>,
    pub broadcast_topics: Vec<String>,
    pub answer_topics: Vec<String>,
}

impl Hears {
    /// Whether broadcasts arrive there.
    pub fn broadcast(&self, topic: &str) -> bool {
        self.broadcast_topics.iter().any(|own| own == topic)
            || self.groups.iter().any(|group| topic::group(group) == topic)
    }
}

pub(crate) struct Thing {
    pub name: String,
    pub script: Script,
    pub endpoint: Endpoint,
    pub now: Now,
    pub late_after_ms: i64,
    pub with_shadow: bool,
    pub shadow_commands: bool,
    pub hears: Arc<Hears>,
    pub loss: Loss,
    pub here: RangeInclusive<Duration>,
    pub gone: RangeInclusive<Duration>,
    pub random: Random,
    pub runs: Arc<Runs>,
    pub counters: Arc<Counters>,
    /// Told once, when the first subscriptions are made.
    pub ready: Option<mpsc::Sender<()>>,
}

impl Thing {
    pub async fn run(self, mut sleeper: Sleeper) {
        let mut live = Live::new(self);
        live.come();
        loop {
            live.do_what_is_due();
            sleeper.set(live.next_ms());
            tokio::select! {
                event = live.next_event() => match event {
                    Some(event) => live.on_event(event),
                    None => return,
                },
                () = sleeper.rings() => live.tick(),
            }
        }
    }

    pub fn connect(&self, agent: &Agent) -> Link {
        let mut filters = agent.topics();
        if self.with_shadow {
            filters.extend([shadow::delta_topic(&self.name), shadow::trimmed_topic(&self.name)]);
        }
        Link::open(&self.endpoint, &self.name, filters)
    }

    pub fn config(&self) -> Config {
        let Hears { groups, broadcast_topics, answer_topics } = &*self.hears;
        let mut config = Config {
            shadow: self.shadow_commands,
            groups: groups.clone(),
            broadcast_topics: broadcast_topics.clone(),
            answer_topics: answer_topics.clone(),
            ..Config::new(&self.name)
        };
        if self.script.behaviour == Behaviour::Rejects {
            config.commands = Some(Default::default());
        }
        config
    }
}
