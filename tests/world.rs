//! A world of its own for each test: a stack on free ports, an operator's HTTP client, and devices as plain MQTT clients.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use local::clock::Clock;
use local::stack::{Config, Ports, Programs, Stack};
use reqwest::Method;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::history::{Run, violations};
use crate::witness::history;

/// Where every world's clock begins, in seconds since 1970.
pub const START: i64 = 1_800_000_000;

/// How long something that is bound to happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub const EXECUTIONS: &str = "flaghoist-executions";
pub const COMMANDS: &str = "flaghoist-commands";

/// A test ends each of its worlds with [`World::end`], which judges what happened there.
pub struct World {
    pub stack: Stack,
    http: reqwest::Client,
    /// Thing and command id of what was accepted.
    accepted: Mutex<Vec<(String, String)>>,
    ended: bool,
    _certificates: tempfile::TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        assert!(self.ended || std::thread::panicking(), "a world was left without being judged: call World::end");
    }
}

/// What the HTTP API answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl World {
    pub async fn start() -> Self {
        Self::with_parameters(&[]).await
    }

    pub async fn with_parameters(parameters: &[(&str, &str)]) -> Self {
        Self::with_template(parameters, |template| template).await
    }

    /// A world whose template is not quite the real one.
    pub async fn with_template(parameters: &[(&str, &str)], edit: impl FnOnce(String) -> String) -> Self {
        Self::on_clock(Clock::manual(START * 1000), true, parameters, edit).await
    }

    /// A world with a time of its own; without a journal, which grows with every message, nothing of it is judged.
    pub async fn on_clock(
        clock: Clock,
        journal: bool,
        parameters: &[(&str, &str)],
        edit: impl FnOnce(String) -> String,
    ) -> Self {
        let certificates = tempfile::tempdir().expect("a folder");
        let edited = certificates.path().join("template.yaml");
        std::fs::write(&edited, edit(std::fs::read_to_string(template()).expect("text"))).expect("written");
        let stack = Stack::start(Config {
            programs: Programs::Given(programs()),
            ports: Ports::any(),
            clock,
            certificates: certificates.path().to_owned(),
            journal,
            parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..Config::new(edited)
        });
        Self {
            stack: stack.await.expect("the stack starts"),
            http: reqwest::Client::new(),
            accepted: Mutex::default(),
            ended: false,
            _certificates: certificates,
        }
    }

    /// The end of a test: nothing that happened may contradict what an execution promises.
    pub async fn end(self) {
        self.end_with(Vec::new()).await;
    }

    /// As [`World::end`], where it is known what devices ran.
    pub async fn end_with(self, runs: Vec<Run>) {
        self.end_with_losses(runs, Vec::new()).await;
    }

    /// As [`World::end_with`], where some devices lost their memory.
    pub async fn end_with_losses(mut self, runs: Vec<Run>, forgot: Vec<(i64, String)>) {
        self.stack.settle().await;
        self.ended = true;
        if !self.stack.journal.is_on() {
            return;
        }
        let accepted = std::mem::take(&mut *self.accepted.lock().expect("nobody panicked"));
        let mut history = history(&self.stack.journal.entries(), &accepted, self.stack.clock.now_ms());
        (history.runs, history.memory_losses) = (runs, forgot);
        let violations = violations(&history);
        let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert!(violations.is_empty(), "{} things happened that must not:\n{}", told.len(), told.join("\n"));
    }

    /// Moves the clock, and lets everything that follows from it happen.
    pub async fn advance(&self, seconds: u64) {
        self.stack.advance(Duration::from_secs(seconds)).await;
    }

    /// The clock's time, as events have it.
    pub fn now(&self) -> String {
        jiff::Timestamp::from_millisecond(self.stack.clock.now_ms()).expect("a time").to_string()
    }

    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let url = format!("http://{}{path}", self.stack.addresses.http_api);
        let request =
            headers.iter().fold(self.http.request(method, url), |request, (name, value)| request.header(*name, *value));
        let request = request.body(body).build().expect("a request");
        let response = self.http.execute(request).await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("text");
        let answer = Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) };
        // Of a fleet it is known only later whom it means.
        let thing = answer.body["execution"]["thing"].as_str();
        if let (200 | 202, "/commands", Some(command), Some(thing)) =
            (status, path, answer.body["commandId"].as_str(), thing)
        {
            let thing = thing.to_owned();
            self.accepted.lock().expect("nobody panicked").push((thing, command.to_owned()));
        }
        answer
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path, &[("content-type", "application/json")], body.to_string()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, &[], "").await
    }

    /// Creates a command for one thing; its id.
    pub async fn command(&self, thing: &str, more: Value) -> String {
        let mut body = json!({"name": "reboot", "target": {"things": [thing]}});
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let answer = self.post("/commands", &body).await;
        // 200 where its device was faster than the answer.
        assert!(matches!(answer.status, 200 | 202), "{answer:?}");
        answer.body["commandId"].as_str().expect("an id").to_owned()
    }

    /// The execution of a command at a thing, as the API shows it.
    pub async fn execution(&self, command: &str, thing: &str) -> Value {
        let answer = self.get(&format!("/commands/{command}/executions/{thing}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// A whole shadow, as its service has it; null when there is none.
    pub fn shadow(&self, thing: &str, name: Option<&str>) -> Value {
        self.stack.shadows.get(thing, name).unwrap_or(Value::Null)
    }

    /// Writes to a shadow as someone else does; it is taken.
    pub fn update_shadow(&self, thing: &str, name: Option<&str>, state: &Value) {
        let body = json!({ "state": state }).to_string();
        self.stack.shadows.update(thing, name, body.as_bytes()).expect("a shadow update");
    }

    /// Calls a command off.
    pub async fn cancel(&self, command: &str, force: bool) -> Answer {
        self.post(&format!("/commands/{command}/cancel"), &json!({ "force": force })).await
    }

    /// An execution's status and its reason.
    pub async fn status(&self, command: &str, thing: &str) -> (String, String) {
        let shown = self.execution(command, thing).await;
        let text = |field: &str| shown[field].as_str().unwrap_or_default().to_owned();
        (text("status"), text("reason"))
    }

    /// Asks the database itself.
    pub async fn dynamodb(&self, operation: &str, input: &Value) -> Value {
        let response = self
            .http
            .post(format!("http://{}/", self.stack.addresses.endpoint))
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .body(input.to_string())
            .send()
            .await
            .expect("an answer");
        let status = response.status();
        let text = response.text().await.expect("text");
        assert!(status.is_success(), "{operation}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Everything in a table, as DynamoDB holds it, in the order of its keys.
    pub async fn rows(&self, table: &str) -> Vec<Value> {
        let body = self.dynamodb("Scan", &json!({"TableName": table, "ConsistentRead": true})).await;
        let mut rows = body["Items"].as_array().unwrap_or_else(|| panic!("{body}")).clone();
        rows.sort_by_key(|row| format!("{}{}", row["pk"], row["sk"]));
        rows
    }

    /// Hands an event to a function, as AWS would; its answer, or its error.
    pub async fn invoke(&self, function: &str, event: &str) -> Result<Value, Value> {
        let outcome =
            self.stack.lambda.invoke(&format!("flaghoist-{function}"), event.to_owned().into()).await.expect("invoked");
        let payload = serde_json::from_slice(&outcome.payload).unwrap_or(Value::Null);
        if outcome.error.is_some() { Err(payload) } else { Ok(payload) }
    }

    /// How often a function has counted something.
    pub fn counted(&self, function: &str, metric: &str) -> usize {
        let lines = self.stack.lambda.logs(&format!("flaghoist-{function}"));
        let counts = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        counts.filter_map(|line| line[metric].as_u64()).sum::<u64>() as usize
    }

    /// Connects a client that subscribes to these filters, and waits until it has.
    pub async fn device(&self, client_id: &str, filters: &[&str]) -> Device {
        self.client(client_id, filters, true).await
    }

    /// The same; without a clean session, it goes on with the one that it had.
    pub async fn client(&self, client_id: &str, filters: &[&str], clean_session: bool) -> Device {
        let address = self.stack.addresses.mqtt;
        let mut options = MqttOptions::new(client_id, address.ip().to_string(), address.port());
        options.set_max_packet_size(256 * 1024, 256 * 1024);
        options.set_clean_session(clean_session);
        let (client, mut events) = AsyncClient::new(options, 64);
        let (received, inbox) = mpsc::unbounded_channel();
        let (acknowledged, mut acknowledgements) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::Publish(message))) => {
                        let _ = received.send((message.topic, message.payload.to_vec()));
                    }
                    Ok(Event::Incoming(packet @ (Packet::ConnAck(_) | Packet::SubAck(_) | Packet::PubAck(_)))) => {
                        let _ = acknowledged.send(packet);
                    }
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        });
        for filter in filters {
            client.subscribe(*filter, QoS::AtLeastOnce).await.expect("asked");
        }
        // CONNACK, and a SUBACK for each.
        for _ in 0..=filters.len() {
            timeout(PATIENCE, acknowledgements.recv()).await.expect("in time").expect("connected");
        }
        Device { client, inbox, acknowledgements }
    }

    /// A device that has subscribed to its requests.
    pub async fn thing(&self, thing: &str) -> Device {
        self.device(thing, &[&format!("cmd/{thing}/req")]).await
    }
}

/// An MQTT client that does only what a test tells it to.
pub struct Device {
    client: AsyncClient,
    inbox: mpsc::UnboundedReceiver<(String, Vec<u8>)>,
    acknowledgements: mpsc::UnboundedReceiver<Packet>,
}

impl Device {
    /// The next message.
    pub async fn next(&mut self) -> (String, Vec<u8>) {
        timeout(PATIENCE, self.inbox.recv()).await.expect("a message in time").expect("connected")
    }

    /// The next message, which is JSON.
    pub async fn next_json(&mut self) -> (String, Value) {
        let (topic, payload) = self.next().await;
        let payload = serde_json::from_slice(&payload).unwrap_or_else(|e| panic!("{topic}: {e}"));
        (topic, payload)
    }

    /// The next message, if one has arrived.
    pub fn try_next(&mut self) -> Option<(String, Vec<u8>)> {
        self.inbox.try_recv().ok()
    }

    /// Whether nothing has arrived.
    pub fn has_nothing(&mut self) -> bool {
        self.inbox.try_recv().is_err()
    }

    /// Publishes at QoS 1, and waits for the broker's acknowledgement; false when the broker closes the connection instead.
    pub async fn publish(&mut self, topic: &str, payload: impl Into<Vec<u8>>) -> bool {
        self.client.publish(topic, QoS::AtLeastOnce, false, payload.into()).await.expect("asked");
        timeout(PATIENCE, self.acknowledgements.recv()).await.expect("in time").is_some()
    }

    /// Disconnects, and waits until the broker knows.
    pub async fn leave(mut self) {
        self.client.disconnect().await.expect("asked");
        let gone = async { while self.inbox.recv().await.is_some() {} };
        timeout(PATIENCE, gone).await.expect("in time");
    }

    /// Answers a request.
    pub async fn report(&mut self, thing: &str, body: Value) {
        assert!(self.publish(&format!("cmd/{thing}/resp"), body.to_string()).await);
    }
}

/// The binaries that cargo has just built.
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

pub fn template() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")
}

#[tokio::test(flavor = "multi_thread")]
#[should_panic(expected = "World::end")]
async fn no_test_forgets_to_have_its_world_judged() {
    World::start().await;
}

#[tokio::test(flavor = "multi_thread")]
#[should_panic(expected = "no report of its device says so")]
async fn a_world_with_a_made_up_answer_is_found_out() {
    let world = World::start().await;
    world.command("pump-7", json!({})).await;
    let mut row = world.rows(EXECUTIONS).await.remove(0);
    for (name, value) in [
        ("status", json!({"S": "SUCCEEDED"})),
        ("progress", json!({"N": "68719411200"})),
        ("finished_at", json!({"N": (START * 1000).to_string()})),
    ] {
        row[name] = value;
    }
    world.dynamodb("PutItem", &json!({"TableName": EXECUTIONS, "Item": row})).await;
    world.end().await;
}
