//! The main job on show: a stack, a fleet, one command for all of it, and a check of every outcome.
//!
//! | file | holds |
//! |---|---|
//! | [`options`] | what can be asked of it |
//! | [`api`] | the command API and the shadow API, as an operator's program calls them |
//! | [`watch`] | an application's connection, which hears what things answer, and how the command stands |
//! | [`board`] | what it has heard |
//! | [`rollout`] | the command, from the request to its end |
//! | [`progress`] | what is seen meanwhile |
//! | [`latency`], [`report`] | the tables at the end |
//! | [`scratch`] | a directory that is gone afterwards |

mod api;
mod board;
mod latency;
mod options;
mod progress;
mod report;
mod rollout;
mod scratch;
mod watch;

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use device::files::TooFewFiles;
use device::fleet::{Fleet, FleetConfig, FleetError, Script};
use device::link::Endpoint;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::api::{Api, ApiError, Asked};
use self::board::Board;
pub use self::options::Options;
use self::progress::Progress;
use self::report::{Followed, Recount, Report, with_sources};
use self::rollout::{Ended, Rollout};
use self::scratch::Scratch;
use crate::registry::NotAdded;
use crate::stack::{Config, Ports, Stack, StackError};

/// The group that all things are in.
const GROUP: &str = "pumps";
/// Every thing that works shows a sign of life this often; three that are missing, and it is given up.
const HEARTBEAT_S: u32 = 5;
/// How long after the ttl late things answer: long enough for the cloud to have given them up.
const LATE_AFTER: Duration = Duration::from_secs(180);
/// How often what is due, and what may go out, is looked for, in seconds.
const TICK_S: u32 = 5;
/// How many are asked first, in percent.
const CANARY_PERCENT: u32 = 10;
/// In how many seconds the others are asked.
const ROLLOUT_S: u32 = 6;
/// How long things may take that need no jump of the clock, and as much again for every thousand of them.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("the stack did not start")]
    Stack(#[from] StackError),
    #[error("the fleet did not start")]
    Fleet(#[from] FleetError),
    #[error("the fleet is not in the registry")]
    Group(#[from] NotAdded),
    #[error("the demo could not listen to answers")]
    Deaf,
    #[error("the command could not be seen to its end")]
    Api(#[from] ApiError),
    #[error(transparent)]
    Files(#[from] TooFewFiles),
    #[error("interrupted")]
    Interrupted,
    #[error("no directory for certificates")]
    Scratch(#[from] std::io::Error),
}

/// Runs the demo. Success only if every execution ended as its thing's script says.
pub async fn run(options: Options) -> ExitCode {
    match show(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {}", with_sources(&error));
            ExitCode::FAILURE
        }
    }
}

async fn show(options: &Options) -> Result<bool, DemoError> {
    // Both ends of each thing's connection are in this process.
    device::files::make_room(options.things.into(), 2)?;
    // Heard from now on: whenever it is interrupted, it leaves neither processes nor the authority's key behind.
    let interrupted = crate::signals::end();
    tokio::pin!(interrupted);
    let scratch = Scratch::new()?;
    println!("Starting a stack; the functions are built first if need be.");
    let config = Config {
        ports: Ports::any(),
        certificates: scratch.path().to_owned(),
        parameters: [("ReconcileSeconds".to_owned(), TICK_S.to_string())].into(),
        ..Config::new(&options.template)
    };
    let stack = tokio::select! {
        started = Stack::start(config) => started?,
        () = &mut interrupted => return Err(DemoError::Interrupted),
    };
    let start = Instant::now();
    let shown = async { Demo::prepare(options, &stack).await?.run(options, &stack, start).await };
    let report = tokio::select! {
        report = shown => report,
        () = &mut interrupted => Err(DemoError::Interrupted),
    };
    stack.shutdown().await;
    report
}

struct Demo {
    api: Arc<Api>,
    board: Arc<Board>,
    fleet: Fleet,
    watching: tokio::task::JoinHandle<()>,
}

impl Demo {
    async fn prepare(options: &Options, stack: &Stack) -> Result<Self, DemoError> {
        let at = stack.addresses;
        println!("Command API on http://{}, AWS endpoint on http://{}, MQTT on {}.", at.http_api, at.endpoint, at.mqtt);
        let config = fleet_config(options, stack);
        let endpoint = config.endpoint.clone();
        let connecting = Instant::now();
        let fleet = Fleet::start(config).await?;
        stack.registry.add_things(GROUP, fleet.things())?;
        let online = scripts(&fleet).filter(|(_, script)| script.connects()).count();
        let (all, took) = (options.things, connecting.elapsed().as_secs_f64());
        println!(
            "{online} of {all} things connected in {took:.1} s, as many as ever will; all are in the group {GROUP}."
        );
        let board = Arc::new(Board::new(fleet.things()));
        let (watching, listens) = watch::start(&endpoint, board.clone());
        timeout(patience(options), listens).await.ok().and_then(Result::ok).ok_or(DemoError::Deaf)?;
        let api = Arc::new(Api::new(format!("http://{}", at.http_api), format!("http://{}", at.endpoint)));
        Ok(Self { api, board, fleet, watching })
    }

    async fn run(self, options: &Options, stack: &Stack, start: Instant) -> Result<bool, DemoError> {
        let progress = Progress::start(self.board.clone(), u64::from(options.things));
        let patience = patience(options);
        let asked = asked(options);
        let Asked { canary, per_minute, .. } = asked;
        progress.say(&format!("One command for the group: {canary} first, then {per_minute} a minute."));
        let (api, board, fleet) = (&*self.api, &*self.board, &self.fleet);
        let rollout =
            Rollout { api, board, fleet, stack, progress: &progress, asked, late_after: LATE_AFTER, patience };
        let ended = rollout.run().await?;
        progress.say("Every execution is listed:");
        let recount = rollout::recount(api, &ended.command_id, patience / 3).await?;
        progress.say("Every thing is wished another state through its shadow:");
        self.wish(&progress, patience / 3).await;
        progress.finish();
        let followed = self.followed(&ended, &recount);
        let (stats, in_time, wall) = (self.fleet.stats(), ended.in_time, start.elapsed());
        let report = Report { followed: &followed, recount: &recount, heartbeats: true, stats, in_time, wall };
        println!("{}", report.text());
        let good = report.is_good();
        self.watching.abort();
        self.fleet.stop().await;
        Ok(good)
    }

    /// What became of each thing.
    fn followed(&self, ended: &Ended, recount: &Recount) -> Vec<Followed> {
        let mut ends: HashMap<_, _> = recount.executions.iter().map(|end| (end.thing.as_str(), end)).collect();
        let followed = scripts(&self.fleet).map(|(thing, script)| {
            let heard = self.board.heard(thing);
            Followed {
                thing: thing.to_owned(),
                script: *script,
                end: ends.remove(thing).cloned(),
                asked: heard.asked.map(|at| at - ended.asked_at),
                answered: heard.asked.zip(heard.answered).map(|(asked, answered)| answered - asked),
            }
        });
        followed.collect()
    }

    /// Wishes another state for every thing that is there, and waits until all have got the trimmed message.
    async fn wish(&self, progress: &Progress, patience: Duration) {
        let mut wishing = JoinSet::new();
        for (thing, _) in scripts(&self.fleet).filter(|(_, script)| script.connects()) {
            let (api, thing) = (self.api.clone(), thing.to_owned());
            let desired =
                json!({"pump": {"on": true, "rpm": 1200}, "report": {"every": 30, "fields": ["rpm", "heat"]}});
            wishing.spawn(async move { api.set_desired(&thing, desired).await });
        }
        let mut wished = 0;
        while let Some(done) = wishing.join_next().await {
            match done {
                Ok(Ok(())) => wished += 1,
                Ok(Err(error)) => progress.complain(&error),
                Err(error) => progress.say(&format!("  {error}")),
            }
        }
        let arrived = async {
            while self.fleet.stats().trimmed < wished {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let all = timeout(patience, arrived).await.is_ok();
        let stats = self.fleet.stats();
        progress.say(&format!(
            "  {} bytes in {} shadow messages became {} bytes in {}{}",
            stats.delta_bytes,
            stats.deltas,
            stats.trimmed_bytes,
            stats.trimmed,
            if all { String::new() } else { format!(", of {wished} that should be") }
        ));
    }
}

/// A rollout that can be watched, and does not take long.
fn asked(options: &Options) -> Asked<'static> {
    let canary = (options.things * CANARY_PERCENT / 100).max(1);
    let per_minute = (options.things - canary) * 60 / ROLLOUT_S;
    Asked { group: GROUP, ttl: options.ttl, heartbeat: HEARTBEAT_S, canary, per_minute: per_minute.max(1) }
}

fn patience(options: &Options) -> Duration {
    PATIENCE * (1 + options.things / 1_000)
}

fn fleet_config(options: &Options, stack: &Stack) -> FleetConfig {
    let clock = stack.clock.clone();
    let at = stack.addresses.mqtt;
    let things = usize::try_from(options.things).unwrap_or(usize::MAX);
    let endpoint = Endpoint::plain(at.ip().to_string(), at.port());
    let (now, sleeper) = (Arc::new(move || clock.now_ms()), stack.clock.clone());
    FleetConfig {
        sleep_until: Some(Arc::new(move |at_ms| {
            let clock = sleeper.clone();
            Box::pin(async move { clock.sleep_until(at_ms).await })
        })),
        prefix: "pump".to_owned(),
        seed: options.seed,
        knobs: options.knobs(),
        late_after: LATE_AFTER,
        ..FleetConfig::new(endpoint, things, now)
    }
}

fn scripts(fleet: &Fleet) -> impl Iterator<Item = (&str, &Script)> {
    fleet.things().iter().filter_map(|thing| Some((thing.as_str(), fleet.script(thing)?)))
}
