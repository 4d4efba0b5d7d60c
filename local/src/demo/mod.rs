//! The main job on show: a stack, a fleet, a command for each thing, and a check of every outcome.
//!
//! | file | holds |
//! |---|---|
//! | [`options`] | what can be asked of it |
//! | [`api`] | the command API and the shadow API, as an operator's program calls them |
//! | [`watch`] | an application's connection, which hears what things answer |
//! | [`board`] | where every execution stands |
//! | [`follow`] | one execution, from the request to its end |
//! | [`progress`] | what is seen meanwhile |
//! | [`latency`], [`report`] | the tables at the end |
//! | [`scratch`] | a directory that is gone afterwards |

mod api;
mod board;
mod follow;
mod latency;
mod options;
mod progress;
mod report;
mod scratch;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use device::files::TooFewFiles;
use device::fleet::{Fleet, FleetConfig, FleetError, Script};
use device::link::Endpoint;
use serde_json::json;
use tokio::sync::watch::Sender;
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::api::{Api, Delivery};
use self::board::Board;
use self::follow::{Deadlines, Followed, Follower};
pub use self::options::Options;
use self::progress::Progress;
use self::report::{Report, with_sources};
use self::scratch::Scratch;
use crate::stack::{Config, Ports, Stack, StackError};

/// Every thing that works shows a sign of life this often; three that are missing, and it is given up.
const HEARTBEAT_S: u32 = 5;
/// How long after the ttl late things answer: long enough for the cloud to have given them up.
const LATE_AFTER: Duration = Duration::from_secs(180);
/// What is due is looked for every minute, so this is long enough for one look after a deadline.
const ONE_LOOK: Duration = Duration::from_secs(61);
/// How long things may take that need no jump of the clock, and as much again for every thousand of them.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("the stack did not start")]
    Stack(#[from] StackError),
    #[error("the fleet did not start")]
    Fleet(#[from] FleetError),
    #[error("the demo could not listen to answers")]
    Deaf,
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
    let config =
        Config { ports: Ports::any(), certificates: scratch.path().to_owned(), ..Config::new(&options.template) };
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
    /// Changes when the clock was moved; `true` when there is nothing more to wait for.
    time: Sender<bool>,
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
        let online = scripts(&fleet).filter(|(_, script)| script.connects()).count();
        let (all, took) = (options.things, connecting.elapsed().as_secs_f64());
        println!("{online} of {all} things connected in {took:.1} s, as many as ever will.");
        let board = Arc::new(Board::new(fleet.things()));
        let (watching, listens) = watch::start(&endpoint, board.clone());
        timeout(patience(options), listens).await.ok().and_then(Result::ok).ok_or(DemoError::Deaf)?;
        let api = Arc::new(Api::new(format!("http://{}", at.http_api), format!("http://{}", at.endpoint)));
        Ok(Self { api, board, fleet, time: Sender::new(false), watching })
    }

    async fn run(self, options: &Options, stack: &Stack, start: Instant) -> Result<bool, DemoError> {
        let progress = Progress::start(self.board.clone(), u64::from(options.things));
        let patience = patience(options);
        progress.say("A command for each thing, half of them as direct messages, half on a topic:");
        let mut in_time = self.command(options, |script| !script.waits_for_time());
        let mut waiting = self.command(options, Script::waits_for_time);
        let mut followed = Vec::new();
        if timeout(patience, join(&mut in_time, &mut followed)).await.is_err() {
            progress.say(&format!("  some have not settled after {patience:?}"));
        }
        progress.say("Every thing is wished another state through its shadow:");
        self.wish(&progress, patience / 3).await;
        if !waiting.is_empty() {
            self.pass_time(options, stack, &progress, &mut waiting, &mut followed).await;
        }
        self.time.send_replace(true);
        join(&mut in_time, &mut followed).await;
        join(&mut waiting, &mut followed).await;
        progress.finish();
        followed.sort_by(|a, b| a.thing.cmp(&b.thing));
        let report = Report { followed: &followed, heartbeats: true, stats: self.fleet.stats(), wall: start.elapsed() };
        println!("{}", report.text());
        let good = report.is_good() && followed.len() == self.fleet.things().len();
        self.watching.abort();
        self.fleet.stop().await;
        Ok(good)
    }

    /// Sends a command to those things whose script is of a kind, and follows each of them in the background.
    fn command(&self, options: &Options, of_kind: impl Fn(&Script) -> bool) -> JoinSet<Followed> {
        let deadlines = Deadlines { ttl: options.ttl, heartbeat: Some(HEARTBEAT_S) };
        let mut following = JoinSet::new();
        for (n, (thing, script)) in scripts(&self.fleet).enumerate().filter(|(_, (_, script))| of_kind(script)) {
            let follower =
                Follower { api: self.api.clone(), board: self.board.clone(), deadlines, time: self.time.subscribe() };
            let delivery = if n % 2 == 0 { Delivery::Direct } else { Delivery::Topic };
            following.spawn(follower.follow(thing.to_owned(), *script, delivery));
        }
        following
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
                Ok(Err(error)) => progress.say(&format!("  {}", with_sources(&error))),
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

    /// Moves the clock past the ttl, and then to when the late things answer.
    async fn pass_time(
        &self,
        options: &Options,
        stack: &Stack,
        progress: &Progress,
        waiting: &mut JoinSet<Followed>,
        followed: &mut Vec<Followed>,
    ) {
        let ttl = Duration::from_secs(u64::from(options.ttl));
        let patience = patience(options) / 2;
        progress.say(&format!(
            "{} wait for time: the clock is moved past the ttl of {} s,",
            waiting.len(),
            options.ttl
        ));
        self.advance(stack, ttl + ONE_LOOK, patience).await;
        let late = scripts(&self.fleet).filter(|(_, script)| script.expected(true).late).count();
        let others = waiting.len().saturating_sub(late);
        let mut ended = 0;
        let timed_out = async {
            while ended < others {
                match waiting.join_next().await {
                    Some(Ok(done)) => followed.push(done),
                    Some(Err(_)) => {}
                    None => break,
                }
                ended += 1;
            }
        };
        // What has not settled by then is told in the end.
        let _ = timeout(patience, timed_out).await;
        if late > 0 {
            progress.say(&format!("and on to when those that are late ({late}) answer:"));
            self.advance(stack, LATE_AFTER, patience).await;
            let _ = timeout(patience, join(waiting, followed)).await;
        }
    }

    async fn advance(&self, stack: &Stack, by: Duration, patience: Duration) {
        // It also waits until all is quiet, which followers would find out by themselves: then only the time is missing.
        let there = stack.clock.now_ms().saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
        if timeout(patience, stack.advance(by)).await.is_err() {
            let left = there.saturating_sub(stack.clock.now_ms());
            stack.clock.advance(Duration::from_millis(u64::try_from(left).unwrap_or(0)));
        }
        self.time.send_replace(false);
    }
}

fn patience(options: &Options) -> Duration {
    PATIENCE * (1 + options.things / 1_000)
}

fn fleet_config(options: &Options, stack: &Stack) -> FleetConfig {
    let clock = stack.clock.clone();
    let at = stack.addresses.mqtt;
    let things = usize::try_from(options.things).unwrap_or(usize::MAX);
    let endpoint = Endpoint::plain(at.ip().to_string(), at.port());
    let now = Arc::new(move || clock.now_ms());
    FleetConfig {
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

/// Waits for all that are followed. One whose task panicked is missing, and so the demo fails.
async fn join(following: &mut JoinSet<Followed>, followed: &mut Vec<Followed>) {
    while let Some(done) = following.join_next().await {
        match done {
            Ok(done) => followed.push(done),
            Err(error) => tracing::error!(%error, "an execution is not followed any more"),
        }
    }
}
