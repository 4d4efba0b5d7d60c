//! A fleet as large as one machine carries, all of it on the wire: everything is settled, and the counts are those of the rows. Too slow for
//! every run: `.ci/run fleet`. `FLAGHOIST_THINGS` says how many things.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use device::fleet::{Fleet, FleetConfig, Knobs};
use local::{clock::Clock, faults::Faults};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::world::{EXECUTIONS, World};

/// By which they are called.
const GROUP: &str = "pumps";
/// Longer than all of it takes: the things' own clock is the system's.
const TTL: u64 = 7_200;
/// An hour of the stack's time for what goes out, and for what has to be tried again.
const ROUNDS: u64 = 720;
const PREFIX: &str = "thing";
/// Where the things in a process of their own connect, how many they are, and how much of what they hear and say is lost.
const ADDRESS: &str = "FLAGHOIST_FLEET_ADDRESS";
const THINGS: &str = "FLAGHOIST_THINGS";
const LOSS: &str = "FLAGHOIST_FLEET_LOSS";

fn things() -> usize {
    std::env::var(THINGS).map_or(10_000, |text| text.parse().expect("FLAGHOIST_THINGS is a number"))
}

/// Not a test, but what the tests start beside themselves: a connection is a file at both ends, and no process may open so many.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the things of the tests beside it"]
async fn things_in_a_process_of_their_own() {
    let Ok(address) = std::env::var(ADDRESS) else { return };
    let (host, port) = address.rsplit_once(':').expect("host:port");
    let endpoint = device::link::Endpoint::plain(host, port.parse().expect("a port"));
    device::files::make_room(things() as u64, 1).expect("files enough");
    let loss = std::env::var(LOSS).expect("a share").parse().expect("a share");
    let knobs = Knobs { fail: 0.05, twice: 0.05, reject: 0.02, mute: 0.01, offline: 0.02, ..Knobs::default() };
    let config = FleetConfig {
        prefix: PREFIX.to_owned(),
        shadows: false,
        knobs,
        loss,
        ..FleetConfig::new(endpoint, things(), device::system_time())
    };
    let fleet = Fleet::start(config).await.expect("everything connects");
    println!("\n{}", fleet.things().join(" "));
    // Until whoever started it has gone.
    tokio::io::stdin().read_to_end(&mut Vec::new()).await.expect("standard input");
    println!("{:?}", fleet.stats());
    fleet.stop().await;
}

/// The things, which are gone when it is dropped.
struct Things {
    _process: Child,
    alive: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
    names: Vec<String>,
}

impl Things {
    async fn start(world: &World, loss: f64) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "fleet::ten_thousand::things_in_a_process_of_their_own", "--ignored", "--nocapture"])
            .env(ADDRESS, world.stack.addresses.mqtt.to_string())
            .env(THINGS, things().to_string())
            .env(LOSS, loss.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("started");
        let mut says = BufReader::new(process.stdout.take().expect("piped")).lines();
        let mut names = Vec::new();
        while names.is_empty() {
            let line = says.next_line().await.expect("readable").expect("the things connect");
            if line.starts_with(PREFIX) {
                names = line.split_whitespace().map(str::to_owned).collect();
            }
        }
        let alive = process.stdin.take().expect("piped");
        Self { _process: process, alive, says, names }
    }

    /// Lets them go; what they say they have heard and done.
    async fn stop(mut self) -> String {
        drop(self.alive);
        while let Some(line) = self.says.next_line().await.expect("readable") {
            if line.starts_with("Stats") {
                return line;
            }
        }
        panic!("they have said nothing")
    }
}

/// Kills a process of a function every second, whichever it is, until it is dropped.
struct Killer {
    task: tokio::task::JoinHandle<()>,
    killed: Arc<AtomicUsize>,
}

impl Killer {
    const FUNCTIONS: [&str; 5] =
        ["fan-out-command", "dispatch-commands", "tally-command", "track-command", "reconcile-commands"];

    fn start(faults: Faults) -> Self {
        let killed = Arc::<AtomicUsize>::default();
        let count = killed.clone();
        let task = tokio::spawn(async move {
            let mut random = fastrand::Rng::with_seed(7);
            let mut every = tokio::time::interval(Duration::from_secs(1));
            loop {
                every.tick().await;
                let first = random.usize(..Self::FUNCTIONS.len());
                // The next one where none of it runs.
                let all = Self::FUNCTIONS.iter().cycle().skip(first).take(Self::FUNCTIONS.len());
                let pick = random.usize(..);
                let one = all.map(|name| format!("flaghoist-{name}")).any(|name| faults.kill_one(&name, pick));
                count.fetch_add(usize::from(one), Ordering::Relaxed);
            }
        });
        Self { task, killed }
    }
}

impl Drop for Killer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn settles(loss: f64, killed: bool) {
    device::files::raise_limit();
    // The things have the system's clock. The stack's stands where it is moved to: nothing expires because a machine is slow.
    let clock = Clock::manual(device::system_time()());
    let world = World::on_clock(clock, false, &[("ReconcileSeconds", "5")], |template| template).await;
    let began = Instant::now();
    let things = Things::start(&world, loss).await;
    world.stack.registry.add_things(GROUP, &things.names).expect("a group");
    println!("{} things are connected after {:.1?}", things.names.len(), began.elapsed());
    let killer = killed.then(|| Killer::start(world.stack.faults.clone()));
    let asked = Instant::now();
    let body = json!({"name": "reboot", "target": {"groups": [GROUP]}, "ttl": TTL, "timeout": TTL});
    let answer = world.post("/commands", &body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let id = answer.body["commandId"].as_str().expect("an id").to_owned();

    let all = things.names.len() as u64;
    let mut shown = Value::Null;
    let (mut told, mut still) = (Value::Null, 0);
    for _ in 0..ROUNDS {
        world.advance(5).await;
        shown = world.get(&format!("/commands/{id}")).await.body;
        still = if shown["counts"] == told { still + 1 } else { 0 };
        told = shown["counts"].clone();
        if still == 0 {
            println!("{:.1?} {}", asked.elapsed(), shown["counts"]);
        }
        // A retry may be a few minutes away. Those whose messages were lost, and those that are mute, stay silent.
        if shown["state"] == "COMPLETED" || shown["counts"]["waiting"] == 0 && still > 60 {
            break;
        }
    }
    println!("{:.1?} until all have answered that ever will", asked.elapsed());
    world.advance(TTL).await;
    for _ in 0..ROUNDS {
        world.advance(60).await;
        shown = world.get(&format!("/commands/{id}")).await.body;
        if shown["state"] == "COMPLETED" {
            break;
        }
    }
    println!("{:.1?} {} {}", asked.elapsed(), shown["state"], shown["counts"]);
    if let Some(killer) = killer {
        let kills = killer.killed.load(Ordering::Relaxed);
        println!("{kills} processes were killed");
        assert!(kills as u64 >= asked.elapsed().as_secs() / 2, "one a second, where one ran");
    }
    world.stack.settle().await;
    assert_eq!(shown["state"], "COMPLETED", "{shown:#}");
    recount(&world, &things.names, &shown["counts"]).await;
    assert_eq!(shown["counts"]["total"], all);
    // Loss is what happens to a message, of which there are three; without it, one in a hundred is mute.
    let answered: u64 =
        ["SUCCEEDED", "FAILED", "REJECTED"].iter().filter_map(|name| shown["counts"][name].as_u64()).sum();
    let share = (1.0 - loss).powi(3) - 0.03;
    assert!(answered as f64 >= share * all as f64, "only {answered} of {all} have answered");
    for function in Killer::FUNCTIONS {
        let stats = world.stack.lambda.stats(&format!("flaghoist-{function}"));
        println!("{function}: {} invocations, {} processes", stats.invocations, stats.cold_starts);
    }
    println!("{}", things.stop().await);
    world.end().await;
}

/// Every row of the table, counted: one for each thing, ended, and as many of each kind as the counts say.
async fn recount(world: &World, names: &[String], counts: &Value) {
    let mut start = Value::Null;
    let (mut found, mut seen, mut reasons) = (BTreeMap::<String, u64>::new(), BTreeSet::new(), BTreeMap::new());
    loop {
        let mut scan = json!({"TableName": EXECUTIONS, "ConsistentRead": true});
        if !start.is_null() {
            scan["ExclusiveStartKey"] = start;
        }
        let page = world.dynamodb("Scan", &scan).await;
        for row in page["Items"].as_array().expect("items") {
            let text = |name: &str| row[name]["S"].as_str().unwrap_or_default().to_owned();
            *found.entry(text("status")).or_default() += 1;
            assert!(seen.insert(text("pk")), "a thing has two rows: {row}");
            // The device's, or the cloud's own where it was the cloud that ended it.
            let reason = if text("status") == "TIMED_OUT" { text("verdict") } else { text("reason") };
            if !reason.is_empty() {
                *reasons.entry(reason).or_insert(0u64) += 1;
            }
        }
        start = page["LastEvaluatedKey"].clone();
        if start.is_null() {
            break;
        }
    }
    let expected: BTreeSet<String> = names.iter().map(|name| format!("T#{name}")).collect();
    assert!(seen == expected, "{} rows for {} things", seen.len(), expected.len());
    println!("{found:?} {reasons:?}");
    for status in ["CREATED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "CANCELED"] {
        assert_eq!(counts[status], found.get(status).copied().unwrap_or(0), "{status}: {counts} are not {found:?}");
    }
    let counted: BTreeMap<String, u64> = serde_json::from_value(counts["byReason"].clone()).expect("counts");
    assert_eq!(counted, reasons);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes: .ci/run fleet"]
async fn ten_thousand_things_are_settled_and_counted() {
    settles(0.0, false).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes: .ci/run fleet"]
async fn so_they_are_when_messages_are_lost_and_processes_killed() {
    settles(0.05, true).await;
}
