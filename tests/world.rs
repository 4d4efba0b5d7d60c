//! A world of its own for each test: a stack on free ports, an operator's HTTP client, and devices as plain MQTT clients.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local::clock::Clock;
use local::stack::{Config, Ports, Programs, Stack};
use reqwest::Method;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Where every world's clock begins, in seconds since 1970.
pub const START: i64 = 1_800_000_000;

/// How long something that is bound to happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub const EXECUTIONS: &str = "flaghoist-executions";
pub const COMMANDS: &str = "flaghoist-commands";

pub struct World {
    pub stack: Stack,
    http: reqwest::Client,
    _certificates: tempfile::TempDir,
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
        let certificates = tempfile::tempdir().expect("a folder");
        let edited = certificates.path().join("template.yaml");
        std::fs::write(&edited, edit(std::fs::read_to_string(template()).expect("text"))).expect("written");
        let stack = Stack::start(Config {
            programs: Programs::Given(programs()),
            ports: Ports::any(),
            clock: Clock::manual(START * 1000),
            certificates: certificates.path().to_owned(),
            journal: true,
            parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..Config::new(edited)
        });
        Self {
            stack: stack.await.expect("the stack starts"),
            http: reqwest::Client::new(),
            _certificates: certificates,
        }
    }

    /// Moves the clock, and lets everything that follows from it happen.
    pub async fn advance(&self, seconds: u64) {
        self.stack.advance(Duration::from_secs(seconds)).await;
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
        let response = request.body(body).send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("text");
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
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
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.body["commandId"].as_str().expect("an id").to_owned()
    }

    /// The execution of a command at a thing, as the API shows it.
    pub async fn execution(&self, command: &str, thing: &str) -> Value {
        let answer = self.get(&format!("/commands/{command}/executions/{thing}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Everything in a table, as DynamoDB holds it, in the order of its keys.
    pub async fn rows(&self, table: &str) -> Vec<Value> {
        let response = self
            .http
            .post(format!("http://{}/", self.stack.addresses.endpoint))
            .header("x-amz-target", "DynamoDB_20120810.Scan")
            .header("content-type", "application/x-amz-json-1.0")
            .body(json!({"TableName": table, "ConsistentRead": true}).to_string())
            .send()
            .await
            .expect("an answer");
        let body: Value = serde_json::from_str(&response.text().await.expect("text")).expect("JSON");
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
        let address = self.stack.addresses.mqtt;
        let mut options = MqttOptions::new(client_id, address.ip().to_string(), address.port());
        options.set_max_packet_size(256 * 1024, 256 * 1024);
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

    /// Whether nothing has arrived.
    pub fn has_nothing(&mut self) -> bool {
        self.inbox.try_recv().is_err()
    }

    /// Publishes at QoS 1, and waits for the broker's acknowledgement; false when the broker closes the connection instead.
    pub async fn publish(&mut self, topic: &str, payload: impl Into<Vec<u8>>) -> bool {
        self.client.publish(topic, QoS::AtLeastOnce, false, payload.into()).await.expect("asked");
        timeout(PATIENCE, self.acknowledgements.recv()).await.expect("in time").is_some()
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
        ("dispatch-commands", env!("CARGO_BIN_EXE_dispatch-commands")),
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
