//! A fleet of simulated things in one process, each with a script that determines how its execution must end.
//!
//! Every thing runs the reference agent. A script puts faults between the agent and the broker, never into the agent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

mod behaviour;
mod classic_shadow;
mod config;
mod message_loss;
mod run_log;
mod script;
mod shares;
mod stats;
mod thing;
mod timer;
mod work_counter;

use crate::clock::{self, Clock};
use crate::random::Random;
pub use behaviour::Behaviour;
pub use config::FleetConfig;
use message_loss::MessageLoss;
use run_log::RunLog;
pub use run_log::{Run, RunOutcome};
pub use script::{Expected, Script};
pub use shares::{BehaviourShares, InvalidShares};
use stats::Counters;
pub use stats::Stats;
use thing::settings::{SharedTopics, ThingSettings};
use timer::{Timer, TimerQueue};
use work_counter::WorkCounter;

/// Connections that are being made at the same time, at most.
const MAX_CONNECTING: usize = 100;

/// The fleet was not started.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// A share in the settings is impossible.
    #[error(transparent)]
    Shares(#[from] InvalidShares),
    /// Not every thing could connect and subscribe within the connect timeout.
    #[error(
        "only {ready} of {expected} things were connected and subscribed after {after:?}: check the broker's address, \
         and its log"
    )]
    NotReady {
        /// Things that were connected and subscribed.
        ready: usize,
        /// Things whose script lets them connect.
        expected: usize,
        /// The connect timeout.
        after: Duration,
    },
}

/// Simulated things that run in the background until the fleet is stopped or dropped.
pub struct Fleet {
    names: Vec<String>,
    scripts: BTreeMap<String, Script>,
    seed: u64,
    shadow_commands: f64,
    counters: Arc<Counters>,
    run_log: Arc<RunLog>,
    work: Arc<WorkCounter>,
    timers: Arc<TimerQueue>,
    clock: Clock,
    tasks: JoinSet<()>,
}

impl Fleet {
    /// Starts a fleet, and returns once every thing whose script lets it connect is connected and subscribed.
    ///
    /// # Errors
    /// [`FleetError::Shares`] when a share in the settings is impossible; [`FleetError::NotReady`] when the connect
    /// timeout has passed.
    pub async fn start(config: FleetConfig) -> Result<Self, FleetError> {
        config.shares.check()?;
        shares::check_share("shadow", config.shadow_commands)?;
        shares::check_share("loss", config.loss)?;
        let names = names(&config.prefix, config.things);
        let scripts: BTreeMap<String, Script> =
            names.iter().map(|name| (name.clone(), Script::draw(config.seed, name, &config.shares))).collect();
        let work = Arc::<WorkCounter>::default();
        let mut fleet = Self {
            names,
            scripts,
            seed: config.seed,
            shadow_commands: config.shadow_commands,
            counters: Arc::default(),
            run_log: Arc::default(),
            timers: Arc::new(TimerQueue::new(work.clone())),
            work,
            clock: config.clock.clone(),
            tasks: JoinSet::new(),
        };
        let connect_timeout = config.connect_timeout;
        let mut ready = fleet.spawn_things(config);
        // The task of the timers is no thing.
        let expected = fleet.tasks.len() - 1;
        let mut count = 0;
        let all_ready = async {
            while count < expected && ready.recv().await.is_some() {
                count += 1;
            }
        };
        let is_in_time = tokio::time::timeout(connect_timeout, all_ready).await.is_ok();
        if is_in_time && count == expected {
            Ok(fleet)
        } else {
            Err(FleetError::NotReady { ready: count, expected, after: connect_timeout })
        }
    }

    /// Spawns the things that connect, and the task of their timers. Returns a channel with one message for each thing
    /// that is subscribed.
    fn spawn_things(&mut self, config: FleetConfig) -> mpsc::Receiver<()> {
        let mut endpoint = config.endpoint;
        endpoint.connect_permits.get_or_insert_with(|| Arc::new(Semaphore::new(MAX_CONNECTING)));
        let topics = Arc::new(SharedTopics {
            groups: config.groups,
            broadcast_topics: config.broadcast_topics,
            response_topics: config.response_topics,
        });
        let (sender, ready) = mpsc::channel(config.things.max(1));
        for (number, (name, script)) in self.scripts.iter().enumerate().filter(|(_, (_, script))| script.connects()) {
            let settings = ThingSettings {
                name: name.clone(),
                script: *script,
                endpoint: endpoint.clone(),
                clock: config.clock.clone(),
                late_after_ms: i64::try_from(config.late_after.as_millis()).unwrap_or(i64::MAX),
                has_classic_shadow: config.shadows,
                has_command_shadow: self.takes_commands_in_shadow(name),
                topics: topics.clone(),
                loss: MessageLoss::new(config.loss, config.seed, name),
                online_for: config.online_for.clone(),
                offline_for: config.offline_for.clone(),
                random: Random::new(!config.seed, name),
                run_log: self.run_log.clone(),
                counters: self.counters.clone(),
                work: self.work.clone(),
                ready: Some(sender.clone()),
            };
            self.tasks.spawn(thing::run::run(settings, Timer::new(self.timers.clone(), number)));
        }
        let sleep_until = config.sleep_until.unwrap_or_else(|| clock::poll(config.clock));
        self.tasks.spawn(self.timers.clone().run(sleep_until));
        ready
    }

    /// The names of all things, in order.
    pub fn things(&self) -> &[String] {
        &self.names
    }

    /// The script of a thing.
    pub fn script(&self, thing: &str) -> Option<&Script> {
        self.scripts.get(thing)
    }

    /// Whether a thing takes commands from its named shadow `cmd` too.
    pub fn takes_commands_in_shadow(&self, thing: &str) -> bool {
        Random::new(self.seed.wrapping_add(1), thing).fraction() < self.shadow_commands
    }

    /// What the things have run so far, in the order of the starts.
    pub fn runs(&self) -> Vec<Run> {
        self.run_log.all()
    }

    /// The counts so far.
    pub fn stats(&self) -> Stats {
        self.counters.read()
    }

    /// Returns a function that counts what the things have in hand: messages that they handle, publishes that the broker
    /// has not acknowledged, timers that are due, connections that are being made. At 0 they do nothing until a message
    /// arrives or the clock moves. The function outlives the fleet, and returns 0 then.
    pub fn in_hand(&self) -> Arc<dyn Fn() -> usize + Send + Sync> {
        let (work, timers, clock) = (self.work.clone(), Arc::downgrade(&self.timers), self.clock.clone());
        Arc::new(move || {
            let is_due = timers.upgrade().is_some_and(|timers| timers.is_due(clock()));
            usize::from(is_due) + work.count()
        })
    }

    /// Cuts every connection, and ends every thing.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

fn names(prefix: &str, things: usize) -> Vec<String> {
    let width = things.to_string().len();
    (1..=things).map(|n| format!("{prefix}-{n:0width$}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::system_clock;
    use crate::link::endpoint::Endpoint;

    #[test]
    fn names_sort_by_their_number() {
        let names = names("pump", 100);
        assert_eq!((names[0].as_str(), names[99].as_str()), ("pump-001", "pump-100"));
        assert!(names.is_sorted());
    }

    #[tokio::test]
    async fn fleet_without_a_broker_is_an_error_that_counts_the_ready_things() {
        let mut config = FleetConfig::new(Endpoint::plain("127.0.0.1", 1), 2, system_clock());
        config.connect_timeout = Duration::from_millis(50);
        let error = Fleet::start(config).await.err().expect("no broker listens");
        assert!(matches!(error, FleetError::NotReady { ready: 0, expected: 2, .. }), "{error}");
    }
}
