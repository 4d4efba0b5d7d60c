//! One direct command after the other, from the HTTP request to the device's answer in the table: `cargo bench -p functions`.
//!
//! Prints the latencies, how long the functions' processes took from their start to their first request for work, and the binaries' sizes. The
//! exit status says whether the median is within 100 ms, the median start within 20 ms, and each binary under 12 MB. Run it on an idle machine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use local::stack::{Config, Ports, Programs, Stack};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use tokio::sync::mpsc;

const COMMANDS: usize = 300;
const THING: &str = "pump-7";

fn programs() -> BTreeMap<String, PathBuf> {
    [
        ("command-api", env!("CARGO_BIN_EXE_command-api")),
        ("track-command", env!("CARGO_BIN_EXE_track-command")),
        ("fan-out-command", env!("CARGO_BIN_EXE_fan-out-command")),
        ("dispatch-commands", env!("CARGO_BIN_EXE_dispatch-commands")),
        ("tally-command", env!("CARGO_BIN_EXE_tally-command")),
        ("reconcile-commands", env!("CARGO_BIN_EXE_reconcile-commands")),
        ("trim-shadow", env!("CARGO_BIN_EXE_trim-shadow")),
    ]
    .into_iter()
    .map(|(name, path)| (name.to_owned(), path.into()))
    .collect()
}

/// A device that succeeds at once; tells when it has got a request.
fn answer(stack: &Stack) -> (mpsc::UnboundedReceiver<()>, mpsc::UnboundedReceiver<Instant>) {
    let at = stack.addresses.mqtt;
    let (client, mut events) = AsyncClient::new(MqttOptions::new(THING, at.ip().to_string(), at.port()), 64);
    let mut options = events.network_options();
    options.set_tcp_nodelay(true);
    events.set_network_options(options);
    let (ready, is_ready) = mpsc::unbounded_channel();
    let (asked, was_asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        client.subscribe(format!("cmd/{THING}/req"), QoS::AtLeastOnce).await.expect("asked");
        while let Ok(event) = events.poll().await {
            match event {
                Event::Incoming(Packet::SubAck(_)) => drop(ready.send(())),
                Event::Incoming(Packet::Publish(message)) => {
                    let _ = asked.send(Instant::now());
                    let request: Value = serde_json::from_slice(&message.payload).expect("JSON");
                    let body = json!({"executionId": request["executionId"], "status": "SUCCEEDED"}).to_string();
                    client.publish(format!("cmd/{THING}/resp"), QoS::AtLeastOnce, false, body).await.expect("asked");
                }
                _ => {}
            }
        }
    });
    (is_ready, was_asked)
}

#[derive(Default)]
struct Series(Vec<Duration>);

impl Series {
    fn at(&mut self, percent: usize) -> Duration {
        self.0.sort();
        self.0[(self.0.len() - 1) * percent / 100]
    }

    fn print(&mut self, what: &str) {
        let [p50, p90, p99, max] = [50, 90, 99, 100].map(|percent| self.at(percent));
        println!("{what:<44} {:>5}  {p50:>9.2?} {p90:>9.2?} {p99:>9.2?} {max:>9.2?}", self.0.len());
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let certificates = tempfile::tempdir().expect("a folder");
    let template = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let stack = Stack::start(Config {
        programs: Programs::Given(programs()),
        ports: Ports::any(),
        certificates: certificates.path().to_owned(),
        ..Config::new(template)
    });
    let stack = stack.await.expect("the stack starts");
    let (mut ready, mut asked) = answer(&stack);
    ready.recv().await.expect("subscribed");

    let http = reqwest::Client::new();
    let url = format!("http://{}/commands", stack.addresses.http_api);
    let (mut delivered, mut settled) = (Series::default(), Series::default());
    for n in 0..=COMMANDS {
        let body = json!({"name": "reboot", "target": {"things": [THING]}, "delivery": "direct"}).to_string();
        let start = Instant::now();
        let response =
            http.post(&url).header("content-type", "application/json").body(body).send().await.expect("an answer");
        let created: Value = serde_json::from_str(&response.text().await.expect("text")).expect("JSON");
        let got = asked.recv().await.expect("delivered");
        let shown = format!("{url}/{}/executions/{THING}", created["commandId"].as_str().expect("an id"));
        loop {
            let execution = http.get(&shown).send().await.expect("an answer").text().await.expect("text");
            if serde_json::from_str::<Value>(&execution).expect("JSON")["status"] == "SUCCEEDED" {
                break;
            }
        }
        // The first one starts the functions' processes.
        if n > 0 {
            delivered.0.push(got - start);
            settled.0.push(start.elapsed());
        }
    }

    println!("{:<44} {:>5}  {:>9} {:>9} {:>9} {:>9}", "", "count", "p50", "p90", "p99", "max");
    delivered.print("request to the device's hands");
    settled.print("request to SUCCEEDED, as the API shows it");
    let mut good = settled.at(50) <= Duration::from_millis(100);
    for (name, program) in programs() {
        let mut starts = Series::default();
        for _ in 0..20 {
            let Some(start) = first_request_for_work(&program).await else { break };
            starts.0.push(start);
        }
        let bytes = std::fs::metadata(&program).map_or(0, |file| file.len());
        starts.print(&format!("{name}: start to first GET next"));
        println!("{:<44} {bytes:>12} bytes", format!("{name}: size"));
        good &= starts.at(50) <= Duration::from_millis(20) && bytes < 12_000_000;
    }
    stack.shutdown().await;
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Starts a function against a Runtime API that only waits for its first request.
async fn first_request_for_work(program: &PathBuf) -> Option<Duration> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.ok()?;
    let start = Instant::now();
    let mut child = tokio::process::Command::new(program)
        .env_clear()
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", listener.local_addr().ok()?.to_string().as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("COMMANDS_TABLE", "commands"),
            ("EXECUTIONS_TABLE", "executions"),
            ("TRIM_KEEP", ""),
            ("TRIM_MESSAGE", "delta"),
        ])
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let (socket, _) = tokio::time::timeout(Duration::from_secs(10), listener.accept()).await.ok()?.ok()?;
    socket.readable().await.ok()?;
    let took = start.elapsed();
    child.kill().await.ok()?;
    Some(took)
}
