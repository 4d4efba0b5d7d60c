//! The state of a simulated thing.

use std::collections::{HashMap, VecDeque};

use super::settings::ThingSettings;
use super::task::Task;
use crate::agent::Agent;
use crate::fleet::classic_shadow::ClassicShadow;
use crate::link::connection::Link;

pub(super) struct SimulatedThing {
    pub settings: ThingSettings,
    pub agent: Agent,
    /// `None` while the thing is offline.
    pub link: Option<Link>,
    /// The connection or its subscriptions are being made.
    pub is_connecting: bool,
    pub classic_shadow: ClassicShadow,
    /// Whether the classic shadow was updated on the first connection.
    pub has_updated_shadow: bool,
    /// Each task with its time, in milliseconds since 1970-01-01 UTC.
    pub tasks: Vec<(i64, Task)>,
    /// Messages to publish on the next connection, in order.
    pub unsent: Vec<(String, Vec<u8>)>,
    /// Messages that the broker has not acknowledged, in order.
    pub unacknowledged: VecDeque<(String, Vec<u8>)>,
    /// The thing loses power as soon as the broker has acknowledged every message.
    pub loses_power_when_acknowledged: bool,
    /// A thing that reports late sends no report before this time.
    pub silent_until_ms: i64,
    /// Each running execution and attempt, with its number in the fleet's log of runs.
    pub running: HashMap<(String, u32), usize>,
}

impl SimulatedThing {
    pub fn new(settings: ThingSettings) -> Self {
        Self {
            agent: Agent::new(settings.agent_config()),
            settings,
            link: None,
            is_connecting: false,
            classic_shadow: ClassicShadow::default(),
            has_updated_shadow: false,
            tasks: Vec::new(),
            unsent: Vec::new(),
            unacknowledged: VecDeque::new(),
            loses_power_when_acknowledged: false,
            silent_until_ms: i64::MIN,
            running: HashMap::new(),
        }
    }

    /// The number of things that go on without a further event or timer: a connection that is being made, publishes that
    /// the broker has not acknowledged.
    pub fn in_hand(&self) -> usize {
        match self.link {
            Some(_) => usize::from(self.is_connecting) + self.unacknowledged.len(),
            None => 0,
        }
    }

    pub fn now_ms(&self) -> i64 {
        (self.settings.clock)()
    }

    pub fn schedule(&mut self, at_ms: i64, task: Task) {
        self.tasks.push((at_ms, task));
    }
}
