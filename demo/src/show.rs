//! The run: a stack, a fleet, one command for all things, new desired states, and the report.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use device::fleet::{Fleet, FleetConfig, Script};
use device::link::Endpoint;
use local::stack::{Config, Ports, Programs, Stack};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::api::{Api, NewCommand};
use super::checks::{Recount, ThingResult};
use super::display::Display;
use super::error::DemoError;
use super::observed::Observed;
use super::options::Options;
use super::report::Report;
use super::rollout::{self, Rollout, RolloutResult};
use super::temp_dir::TempDir;
use super::watch;

/// The group that contains all things.
const GROUP: &str = "pumps";
/// Period of the heartbeats of a running execution; the execution times out after three missing ones.
const HEARTBEAT_SECONDS: u32 = 5;
/// Time after the ttl at which late things report: later than the cloud's own verdict.
const LATE_AFTER: Duration = Duration::from_secs(180);
/// Period in which the stack looks for due work and for requests that may be sent.
const RECONCILE_SECONDS: u32 = 5;
/// Share of the things that receive the command first.
const CANARY_PERCENT: u32 = 10;
/// Duration of the rollout after the canary.
const ROLLOUT_SECONDS: u32 = 6;
/// Limit for what needs no move of the clock; as much again for every thousand things.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often the count of trimmed messages is read.
const POLL: Duration = Duration::from_millis(20);

/// Runs the demo; true if every check of the report holds.
///
/// # Errors
/// The stack or the fleet does not start, the API refuses a request, or a signal ends the demo.
pub(super) async fn run(options: &Options) -> Result<bool, DemoError> {
    // Both ends of each thing's connection are in this process.
    device::open_files::ensure_capacity(options.things.into(), 2)?;
    // Watched from now on: an interrupted demo leaves neither processes nor the authority's key behind.
    let interrupted = local::signals::end();
    tokio::pin!(interrupted);
    let certificates = TempDir::new()?;
    println!(
        "{}",
        if options.functions.is_some() { "Starting a stack." } else { "Building the functions, and starting a stack." }
    );
    let config = Config {
        programs: options.functions.clone().map_or(Programs::Build, Programs::Folder),
        ports: Ports::any(),
        certificates: certificates.path().to_owned(),
        parameters: [("ReconcileSeconds".to_owned(), RECONCILE_SECONDS.to_string())].into(),
        ..Config::new(&options.template)
    };
    let stack = tokio::select! {
        started = Stack::start(config) => started?,
        () = &mut interrupted => return Err(DemoError::Interrupted),
    };
    let start = Instant::now();
    let shown = async { Demo::prepare(options, &stack).await?.run(options, &stack, start).await };
    let good = tokio::select! {
        good = shown => good,
        () = &mut interrupted => Err(DemoError::Interrupted),
    };
    stack.shutdown().await;
    good
}

struct Demo {
    api: Arc<Api>,
    observed: Arc<Observed>,
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
        stack.attend(fleet.in_hand());
        stack.registry.add_things(GROUP, fleet.things())?;
        let online = scripts(&fleet).filter(|(_, script)| script.connects()).count();
        let (all, took) = (options.things, connecting.elapsed().as_secs_f64());
        println!(
            "{online} of {all} things connected in {took:.1} s, the others never will; all are in the group {GROUP}."
        );
        let observed = Arc::new(Observed::new(fleet.things()));
        let (watching, subscribed) = watch::start(&endpoint, observed.clone());
        let subscribed = timeout(time_limit(options), subscribed).await;
        subscribed.ok().and_then(Result::ok).ok_or(DemoError::NotSubscribed)?;
        let api = Arc::new(Api::new(format!("http://{}", at.http_api), format!("http://{}", at.endpoint)));
        Ok(Self { api, observed, fleet, watching })
    }

    async fn run(self, options: &Options, stack: &Stack, start: Instant) -> Result<bool, DemoError> {
        let display = Display::start(self.observed.clone(), u64::from(options.things));
        let timeout = time_limit(options);
        let command = command(options);
        let NewCommand { canary, per_minute, .. } = command;
        display.print(&format!("One command for the group: {canary} things first, then {per_minute} a minute."));
        let (api, observed, fleet) = (&*self.api, &*self.observed, &self.fleet);
        let rollout =
            Rollout { api, observed, fleet, stack, display: &display, command, late_after: LATE_AFTER, timeout };
        let result = rollout.run().await?;
        display.print("Listing every execution.");
        let recount = rollout::recount(api, &result.command_id, timeout / 3).await?;
        display.print("Setting another desired state in the shadow of each connected thing:");
        self.set_desired_states(&display, timeout / 3).await;
        display.finish();
        let things = self.results(&result, &recount);
        let report = Report {
            things: &things,
            recount: &recount,
            stats: self.fleet.stats(),
            canary: usize::try_from(canary).unwrap_or(usize::MAX),
            reported_after: result.reported_after,
            wall: start.elapsed(),
        };
        println!("{}", report.text());
        let good = report.is_good();
        self.watching.abort();
        self.fleet.stop().await;
        Ok(good)
    }

    fn results(&self, rollout: &RolloutResult, recount: &Recount) -> Vec<ThingResult> {
        let mut executions: HashMap<_, _> = recount.executions.iter().map(|e| (e.thing.as_str(), e)).collect();
        let results = scripts(&self.fleet).map(|(thing, script)| {
            let times = self.observed.times(thing);
            ThingResult {
                thing: thing.to_owned(),
                script: *script,
                execution: executions.remove(thing).cloned(),
                request_after: times.request.map(|at| at - rollout.created_at),
                report_after: times.request.zip(times.final_report).map(|(request, report)| report - request),
            }
        });
        results.collect()
    }

    /// Sets another desired state for every thing that connects, and waits until all have received the trimmed message.
    async fn set_desired_states(&self, display: &Display, time_limit: Duration) {
        let mut requests = JoinSet::new();
        for (thing, _) in scripts(&self.fleet).filter(|(_, script)| script.connects()) {
            let (api, thing) = (self.api.clone(), thing.to_owned());
            let desired =
                json!({"pump": {"on": true, "rpm": 1200}, "report": {"every": 30, "fields": ["rpm", "heat"]}});
            requests.spawn(async move { api.set_desired(&thing, desired).await });
        }
        let mut accepted = 0;
        while let Some(done) = requests.join_next().await {
            match done {
                Ok(Ok(())) => accepted += 1,
                Ok(Err(error)) => display.print_error(&error),
                Err(error) => display.print(&format!("  {error}")),
            }
        }
        let arrived = async {
            while self.fleet.stats().trimmed < accepted {
                tokio::time::sleep(POLL).await;
            }
        };
        let all = timeout(time_limit, arrived).await.is_ok();
        let stats = self.fleet.stats();
        display.print(&format!(
            "  {} bytes in {} shadow messages became {} bytes in {}{}",
            stats.delta_bytes,
            stats.deltas,
            stats.trimmed_bytes,
            stats.trimmed,
            if all { String::new() } else { format!(", {accepted} were expected") }
        ));
    }
}

/// A rollout that is slow enough to be watched.
fn command(options: &Options) -> NewCommand<'static> {
    let canary = (options.things * CANARY_PERCENT / 100).max(1);
    let per_minute = ((options.things - canary) * 60 / ROLLOUT_SECONDS).max(1);
    let (ttl_seconds, heartbeat_seconds) = (options.ttl, HEARTBEAT_SECONDS);
    NewCommand { group: GROUP, ttl_seconds, heartbeat_seconds, canary, per_minute }
}

fn time_limit(options: &Options) -> Duration {
    TIMEOUT * (1 + options.things / 1_000)
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
        shares: options.shares(),
        late_after: LATE_AFTER,
        ..FleetConfig::new(endpoint, things, now)
    }
}

fn scripts(fleet: &Fleet) -> impl Iterator<Item = (&str, &Script)> {
    fleet.things().iter().filter_map(|thing| Some((thing.as_str(), fleet.script(thing)?)))
}
