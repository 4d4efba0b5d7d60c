//! Benchmark of single commands, from the HTTP request to the stored report: `cargo bench --bench command`
//!
//! Prints the latencies, how long each function's process takes from its start to its first request for an event, and
//! the sizes of the binaries. The exit status is 0 if the median latency is at most 100 ms, the median start at most 20
//! ms, and each binary smaller than 12 MB. Run it on an idle machine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use local::stack::{Config, Ports, Programs, Stack};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Commands that are measured.
const COMMANDS: usize = 300;

/// Starts of each function that are measured.
const STARTS: usize = 20;

const MAX_MEDIAN_LATENCY: Duration = Duration::from_millis(100);
const MAX_MEDIAN_START: Duration = Duration::from_millis(20);
const MAX_BINARY_BYTES: u64 = 12_000_000;

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

/// Starts a device that reports SUCCEEDED at once. One message on the first channel when it is subscribed; on the
/// second one the time of each request.
fn start_device(stack: &Stack) -> (mpsc::UnboundedReceiver<()>, mpsc::UnboundedReceiver<Instant>) {
    let address = stack.addresses.mqtt;
    let options = MqttOptions::new(THING, address.ip().to_string(), address.port());
    let (client, mut events) = AsyncClient::new(options, 64);
    let mut options = events.network_options();
    options.set_tcp_nodelay(true);
    events.set_network_options(options);
    let (subscribed, subscriptions) = mpsc::unbounded_channel();
    let (received, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        client.subscribe(format!("cmd/{THING}/req"), QoS::AtLeastOnce).await.expect("the client accepts the request");
        while let Ok(event) = events.poll().await {
            match event {
                Event::Incoming(Packet::SubAck(_)) => drop(subscribed.send(())),
                Event::Incoming(Packet::Publish(message)) => {
                    let _ = received.send(Instant::now());
                    let request: Value = serde_json::from_slice(&message.payload).expect("the request is JSON");
                    let body = json!({"executionId": request["executionId"], "status": "SUCCEEDED"}).to_string();
                    let sent = client.publish(format!("cmd/{THING}/resp"), QoS::AtLeastOnce, false, body).await;
                    sent.expect("the client accepts the report");
                }
                _ => {}
            }
        }
    });
    (subscriptions, requests)
}

/// Measured durations.
#[derive(Default)]
struct Series(Vec<Duration>);

impl Series {
    fn percentile(&mut self, percent: usize) -> Duration {
        self.0.sort();
        self.0[(self.0.len() - 1) * percent / 100]
    }

    fn print(&mut self, name: &str) {
        let [p50, p90, p99, max] = [50, 90, 99, 100].map(|percent| self.percentile(percent));
        println!("{name:<44} {:>5}  {p50:>9.2?} {p90:>9.2?} {p99:>9.2?} {max:>9.2?}", self.0.len());
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let certificates = tempfile::tempdir().expect("a temporary folder can be created");
    let template = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let stack = Stack::start(Config {
        programs: Programs::Given(programs()),
        ports: Ports::any(),
        certificates: certificates.path().to_owned(),
        ..Config::new(template)
    });
    let stack = stack.await.expect("the stack starts");
    let (mut subscriptions, mut requests) = start_device(&stack);
    subscriptions.recv().await.expect("the device subscribes");

    let http = reqwest::Client::new();
    let url = format!("http://{}/commands", stack.addresses.http_api);
    let (mut until_request, mut until_succeeded) = (Series::default(), Series::default());
    for n in 0..=COMMANDS {
        let body = json!({"name": "reboot", "target": {"things": [THING]}, "delivery": "direct"}).to_string();
        let start = Instant::now();
        let response = http
            .post(&url)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .expect("the API responds");
        let created: Value =
            serde_json::from_str(&response.text().await.expect("the response is text")).expect("the response is JSON");
        let request_at = requests.recv().await.expect("the device gets the request");
        let id = created["commandId"].as_str().expect("the response has a command id");
        let execution_url = format!("{url}/{id}/executions/{THING}");
        loop {
            let response = http.get(&execution_url).send().await.expect("the API responds");
            let execution = response.text().await.expect("the response is text");
            if serde_json::from_str::<Value>(&execution).expect("the response is JSON")["status"] == "SUCCEEDED" {
                break;
            }
        }
        // The first command also starts the functions' processes, so it is not measured.
        if n > 0 {
            until_request.0.push(request_at - start);
            until_succeeded.0.push(start.elapsed());
        }
    }

    println!("{:<44} {:>5}  {:>9} {:>9} {:>9} {:>9}", "", "count", "p50", "p90", "p99", "max");
    until_request.print("HTTP request until the device has its request");
    until_succeeded.print("HTTP request until the API shows SUCCEEDED");
    let mut is_good = until_succeeded.percentile(50) <= MAX_MEDIAN_LATENCY;
    for (name, program) in programs() {
        let mut starts = Series::default();
        for _ in 0..STARTS {
            let Some(start) = time_to_first_request(&program).await else { break };
            starts.0.push(start);
        }
        let bytes = std::fs::metadata(&program).map_or(0, |file| file.len());
        if starts.0.is_empty() {
            println!("{name} makes no request within 10 s of its start: check the variables in time_to_first_request");
            is_good = false;
            continue;
        }
        starts.print(&format!("{name}: start until the first GET next"));
        println!("{:<44} {bytes:>12} bytes", format!("{name}: size"));
        is_good &= starts.percentile(50) <= MAX_MEDIAN_START && bytes < MAX_BINARY_BYTES;
    }
    stack.shutdown().await;
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Starts a function with a Runtime API that only waits for its first request; the time until that request.
async fn time_to_first_request(program: &PathBuf) -> Option<Duration> {
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
            ("TICK_QUEUE_URL", "http://localhost/000000000000/ticks"),
            ("TIMEOUT_SECONDS", "60"),
            ("TRIM_KEEP", ""),
            ("TRIM_MESSAGE", "delta"),
        ])
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let (socket, _) = tokio::time::timeout(Duration::from_secs(10), listener.accept()).await.ok()?.ok()?;
    socket.readable().await.ok()?;
    let duration = start.elapsed();
    child.kill().await.ok()?;
    Some(duration)
}
