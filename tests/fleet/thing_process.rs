//! Runs simulated things in a process of their own.
//!
//! A connection is an open file at both ends, and one process may not open enough files for both.

use std::process::Stdio;

use device::fleet::{BehaviourShares, Fleet, FleetConfig};
use device::link::Endpoint;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::world::World;

const PREFIX: &str = "thing";

/// Variables of the process: the broker's address, the number of things, and the share of messages that are lost.
const ADDRESS: &str = "FLAGHOIST_FLEET_ADDRESS";
const THINGS: &str = "FLAGHOIST_THINGS";
const LOSS: &str = "FLAGHOIST_FLEET_LOSS";

/// The number of things that `FLAGHOIST_THINGS` sets.
pub fn thing_count() -> usize {
    std::env::var(THINGS).map_or(10_000, |text| text.parse().expect("FLAGHOIST_THINGS is a number of things"))
}

/// Not a test: the program of [`ThingProcess`]. It does nothing without the variables of that process.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
#[ignore = "the tests of ten_thousand start it"]
async fn run_things() {
    let Ok(address) = std::env::var(ADDRESS) else { return };
    let (host, port) = address.rsplit_once(':').expect("the address is host:port");
    let endpoint = Endpoint::plain(host, port.parse().expect("the port is a number"));
    device::open_files::ensure_capacity(thing_count() as u64, 1).expect("the process can open enough files");
    let loss = std::env::var(LOSS).expect("the parent sets the loss").parse().expect("the loss is a share");
    let shares = BehaviourShares {
        fail: 0.05,
        twice: 0.05,
        reject: 0.02,
        mute: 0.01,
        offline: 0.02,
        ..BehaviourShares::default()
    };
    let config = FleetConfig {
        prefix: PREFIX.to_owned(),
        shadows: false,
        shares,
        loss,
        ..FleetConfig::new(endpoint, thing_count(), device::clock::system_clock())
    };
    let fleet = Fleet::start(config).await.expect("every thing connects and subscribes");
    println!("\n{}", fleet.things().join(" "));
    // The parent closes standard input to end the process.
    tokio::io::stdin().read_to_end(&mut Vec::new()).await.expect("standard input is readable");
    println!("{:?}", fleet.stats());
    fleet.stop().await;
}

/// A process with connected things; it is killed when this is dropped.
pub struct ThingProcess {
    _process: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    pub names: Vec<String>,
}

impl ThingProcess {
    /// Starts the process, and waits until its things are connected.
    pub async fn start(world: &World, loss: f64) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("a test binary knows its path"))
            .args(["--exact", "fleet::thing_process::run_things", "--ignored", "--nocapture"])
            .env(ADDRESS, world.stack.addresses.mqtt.to_string())
            .env(THINGS, thing_count().to_string())
            .env(LOSS, loss.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the process starts");
        let mut stdout = BufReader::new(process.stdout.take().expect("standard output is piped")).lines();
        let mut names = Vec::new();
        while names.is_empty() {
            let line = stdout.next_line().await.expect("standard output is readable");
            let line = line.expect("the process prints the names before it ends");
            if line.starts_with(PREFIX) {
                names = line.split_whitespace().map(str::to_owned).collect();
            }
        }
        let stdin = process.stdin.take().expect("standard input is piped");
        Self { _process: process, stdin, stdout, names }
    }

    /// Ends the process; the counts of what its things received and sent, as text.
    pub async fn stop(mut self) -> String {
        drop(self.stdin);
        while let Some(line) = self.stdout.next_line().await.expect("standard output is readable") {
            if line.starts_with("Stats") {
                return line;
            }
        }
        panic!("the process of the things ended without printing its counts")
    }
}
