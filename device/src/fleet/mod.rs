//! A fleet of simulated things in one process, each with a script that says how its execution must end.
//!
//! The scripts are faults put between a correct agent and the wire: what is simulated is the world, not the device.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

mod alarm;
mod due;
mod live;
mod loss;
mod runs;
mod script;
mod shadow;
mod stats;
mod thing;

use crate::Now;
use crate::link::Endpoint;
use crate::random::Random;
pub use alarm::SleepUntil;
use alarm::{Alarm, Sleeper};
use loss::Loss;
use runs::Runs;
pub use runs::{Finish, Run};
pub use script::{BadKnobs, Behaviour, Expected, Knobs, Script};
use stats::Counters;
pub use stats::Stats;
use thing::{Hears, Thing};

/// Connections that are opened at the same time.
const CONNECTING: usize = 100;

/// How long a thousand things may take to connect.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a fleet needs.
#[derive(Clone)]
pub struct FleetConfig {
    /// Where to connect.
    pub endpoint: Endpoint,
    /// How many things.
    pub things: usize,
    /// Names are `<prefix>-1` and so on, with leading zeros.
    pub prefix: String,
    /// The same seed and names: the same scripts.
    pub seed: u64,
    /// What goes wrong how often.
    pub knobs: Knobs,
    /// Where the things read the time.
    pub now: Now,
    /// How they wait for a time: without it, the time is looked at again and again.
    pub sleep_until: Option<SleepUntil>,
    /// How long after the ttl late things answer.
    pub late_after: Duration,
    /// Report shadow state, and follow trimmed deltas.
    pub shadows: bool,
    /// Share that take commands from their named shadow `cmd` as well, from 0 to 1, whatever trouble they have.
    pub shadow_commands: f64,
    /// The groups that every thing is in, so that it takes their broadcasts.
    pub groups: Vec<String>,
    /// Further topics that every thing takes broadcasts on, without wildcards.
    pub broadcast_topics: Vec<String>,
    /// Topics besides its own that a thing may answer on, if a request asks for that.
    pub answer_topics: Vec<String>,
    /// Share of the requests, broadcasts and cancels that are lost before a thing sees them, and of the answers that are
    /// lost when it has said them, from 0 to 1; drawn from the seed. Shadows lose nothing.
    pub loss: f64,
    /// How long things that come and go are connected, by the injected clock.
    pub here: RangeInclusive<Duration>,
    /// How long they are gone.
    pub gone: RangeInclusive<Duration>,
    /// How long [`Fleet::start`] waits until every thing is connected and subscribed.
    pub patience: Duration,
}

impl FleetConfig {
    /// `things` things that simply succeed.
    pub fn new(endpoint: Endpoint, things: usize, now: Now) -> Self {
        Self {
            endpoint,
            things,
            prefix: "thing".to_owned(),
            seed: 1,
            knobs: Knobs::default(),
            now,
            sleep_until: None,
            late_after: Duration::from_secs(120),
            shadows: true,
            shadow_commands: 0.0,
            groups: Vec::new(),
            broadcast_topics: Vec::new(),
            answer_topics: Vec::new(),
            loss: 0.0,
            here: Duration::from_secs(60)..=Duration::from_secs(600),
            gone: Duration::from_secs(60)..=Duration::from_secs(600),
            patience: PATIENCE.saturating_mul(u32::try_from(1 + things / 1_000).unwrap_or(u32::MAX)),
        }
    }
}

/// A fleet that does not start.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// Impossible shares.
    #[error(transparent)]
    Knobs(#[from] BadKnobs),
    /// Some could not connect and subscribe in time.
    #[error("{ready} of {expected} things were connected and subscribed after {after:?}")]
    NotReady {
        /// So many were.
        ready: usize,
        /// So many should have been.
        expected: usize,
        /// So long was waited.
        after: Duration,
    },
}

/// Simulated things that run in the background until they are stopped, or dropped.
pub struct Fleet {
    names: Vec<String>,
    scripts: BTreeMap<String, Script>,
    seed: u64,
    shadow_commands: f64,
    counters: Arc<Counters>,
    runs: Arc<Runs>,
    tasks: JoinSet<()>,
}

impl Fleet {
    /// Starts a fleet, and returns once every thing that its script lets connect is connected and subscribed.
    pub async fn start(config: FleetConfig) -> Result<Self, FleetError> {
        config.knobs.check()?;
        script::check_share("shadow", config.shadow_commands)?;
        script::check_share("loss", config.loss)?;
        let names = names(&config.prefix, config.things);
        let scripts: BTreeMap<String, Script> =
            names.iter().map(|name| (name.clone(), Script::draw(config.seed, name, &config.knobs))).collect();
        let mut endpoint = config.endpoint.clone();
        endpoint.connecting.get_or_insert_with(|| Arc::new(Semaphore::new(CONNECTING)));
        let mut fleet = Self {
            names,
            scripts,
            seed: config.seed,
            shadow_commands: config.shadow_commands,
            counters: Arc::default(),
            runs: Arc::default(),
            tasks: JoinSet::new(),
        };
        let hears = Hears {
            groups: config.groups,
            broadcast_topics: config.broadcast_topics,
            answer_topics: config.answer_topics,
        };
        let hears = Arc::new(hears);
        let (sender, mut ready) = mpsc::channel(config.things.max(1));
        let alarm = Arc::<Alarm>::default();
        for (number, (name, script)) in fleet.scripts.iter().enumerate().filter(|(_, (_, script))| script.connects()) {
            let thing = Thing {
                name: name.clone(),
                script: *script,
                endpoint: endpoint.clone(),
                now: config.now.clone(),
                late_after_ms: i64::try_from(config.late_after.as_millis()).unwrap_or(i64::MAX),
                with_shadow: config.shadows,
                shadow_commands: fleet.takes_commands_in_shadow(name),
                hears: hears.clone(),
                loss: Loss::new(config.loss, config.seed, name),
                here: config.here.clone(),
                gone: config.gone.clone(),
                random: Random::new(!config.seed, name),
                runs: fleet.runs.clone(),
                counters: fleet.counters.clone(),
                ready: Some(sender.clone()),
            };
            fleet.tasks.spawn(thing.run(Sleeper::new(alarm.clone(), number)));
        }
        drop(sender);
        let expected = fleet.tasks.len();
        fleet.tasks.spawn(alarm.run(config.sleep_until.unwrap_or_else(|| alarm::looking_at(config.now.clone()))));
        let mut count = 0;
        let all = async {
            while count < expected && ready.recv().await.is_some() {
                count += 1;
            }
        };
        let in_time = tokio::time::timeout(config.patience, all).await.is_ok();
        if in_time && count == expected {
            Ok(fleet)
        } else {
            Err(FleetError::NotReady { ready: count, expected, after: config.patience })
        }
    }

    /// The names, in order.
    pub fn things(&self) -> &[String] {
        &self.names
    }

    /// What a thing will do.
    pub fn script(&self, thing: &str) -> Option<&Script> {
        self.scripts.get(thing)
    }

    /// Whether a thing takes commands from its named shadow `cmd` as well.
    pub fn takes_commands_in_shadow(&self, thing: &str) -> bool {
        Random::new(self.seed.wrapping_add(1), thing).share() < self.shadow_commands
    }

    /// What the things ran so far, in the order in which it began.
    pub fn runs(&self) -> Vec<Run> {
        self.runs.all()
    }

    /// Counts so far.
    pub fn stats(&self) -> Stats {
        self.counters.read()
    }

    /// Cuts every connection.
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

    #[test]
    fn names_sort_as_they_count() {
        let names = names("pump", 100);
        assert_eq!((names[0].as_str(), names[99].as_str()), ("pump-001", "pump-100"));
        assert!(names.is_sorted());
    }

    #[tokio::test]
    async fn a_fleet_without_a_broker_says_how_far_it_came() {
        let mut config = FleetConfig::new(Endpoint::plain("127.0.0.1", 1), 2, crate::system_time());
        config.patience = Duration::from_millis(50);
        let error = Fleet::start(config).await.err().expect("nobody listens");
        assert!(matches!(error, FleetError::NotReady { ready: 0, expected: 2, .. }), "{error}");
    }
}
