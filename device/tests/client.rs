//! The driver against a broker that the test plays itself, packet by packet.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use device::agent::Outcome;
use device::client::{Client, Options};
use device::handlers::Handlers;
use device::link::{Endpoint, Event, Link, Receipt};
use rumqttc::{ConnAck, ConnectReturnCode, Packet, PubAck, Publish, QoS, SubAck, SubscribeReasonCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};

const NOW_MS: i64 = 1_000_000;
const MAX: usize = 1 << 20;

struct Broker(TcpListener);

impl Broker {
    async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn device(&self, handlers: Handlers) -> Client {
        Client::start(self.options(handlers)).unwrap()
    }

    fn options(&self, handlers: Handlers) -> Options {
        let endpoint = Endpoint::plain("127.0.0.1", self.0.local_addr().unwrap().port());
        let thing = "pump-7".to_owned();
        Options {
            endpoint,
            thing,
            handlers,
            now: Arc::new(|| NOW_MS),
            memory: None,
            shadow: false,
            groups: Vec::new(),
            broadcast_topics: Vec::new(),
            answer_topics: Vec::new(),
        }
    }

    /// The next connection, up to its CONNACK.
    async fn accept(&self, session_present: bool) -> Connection {
        let (stream, _) = patient(self.0.accept()).await.unwrap();
        let mut connection = Connection { stream, buffer: BytesMut::new(), packet_id: 0, filters: 0 };
        match connection.read().await {
            Packet::Connect(connect) => {
                assert_eq!((connect.client_id.as_str(), connect.clean_session), ("pump-7", false));
            }
            other => panic!("{other:?}"),
        }
        connection.write(Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, session_present))).await;
        connection
    }

    /// The next connection, which subscribes.
    async fn accept_and_subscribe(&self, session_present: bool) -> Connection {
        let mut connection = self.accept(session_present).await;
        let packet_id = connection.expect_subscribe().await;
        connection.grant(packet_id).await;
        connection
    }
}

struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
    packet_id: u16,
    filters: usize,
}

impl Connection {
    async fn read(&mut self) -> Packet {
        loop {
            match Packet::read(&mut self.buffer, MAX) {
                Ok(packet) => return packet,
                Err(rumqttc::mqttbytes::Error::InsufficientBytes(_)) => {
                    assert_ne!(patient(self.stream.read_buf(&mut self.buffer)).await.unwrap(), 0, "hung up");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn write(&mut self, packet: Packet) {
        let mut bytes = BytesMut::new();
        packet.write(&mut bytes, MAX).unwrap();
        self.stream.write_all(&bytes).await.unwrap();
    }

    async fn expect_subscribe(&mut self) -> u16 {
        match self.read().await {
            Packet::Subscribe(subscribe) => {
                let paths: Vec<_> = subscribe.filters.iter().map(|filter| filter.path.as_str()).collect();
                assert!(paths.len() <= 8, "more than AWS IoT takes: {paths:?}");
                if self.filters == 0 {
                    assert_eq!(paths[0], "cmd/pump-7/req");
                    assert!(paths.len() == 1 || paths[1] == "cmd/pump-7/cancel");
                }
                self.filters = paths.len();
                subscribe.pkid
            }
            other => panic!("{other:?}"),
        }
    }

    async fn grant(&mut self, packet_id: u16) {
        let granted = vec![SubscribeReasonCode::Success(QoS::AtLeastOnce); self.filters];
        self.write(Packet::SubAck(SubAck::new(packet_id, granted))).await;
    }

    /// Sends a request; the device acknowledges it.
    async fn send(&mut self, payload: impl Into<Vec<u8>>) {
        self.send_only(payload).await;
        self.acknowledged().await;
    }

    async fn send_only(&mut self, payload: impl Into<Vec<u8>>) {
        self.send_to("cmd/pump-7/req", payload).await;
    }

    async fn send_to(&mut self, topic: &str, payload: impl Into<Vec<u8>>) {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload);
        self.packet_id += 1;
        publish.pkid = self.packet_id;
        self.write(Packet::Publish(publish)).await;
    }

    async fn acknowledged(&mut self) {
        match self.read().await {
            Packet::PubAck(ack) => assert_eq!(ack.pkid, self.packet_id),
            other => panic!("{other:?}"),
        }
    }

    /// What the device publishes next, acknowledged.
    async fn published(&mut self) -> (String, Value) {
        match self.read().await {
            Packet::Publish(publish) => {
                self.write(Packet::PubAck(PubAck::new(publish.pkid))).await;
                (publish.topic.clone(), serde_json::from_slice(&publish.payload).unwrap())
            }
            other => panic!("{other:?}"),
        }
    }

    /// The next answer, acknowledged: its status, and its reason if it has one.
    async fn answer(&mut self) -> String {
        match self.read().await {
            Packet::Publish(publish) => {
                assert_eq!((publish.topic.as_str(), publish.qos), ("cmd/pump-7/resp", QoS::AtLeastOnce));
                self.write(Packet::PubAck(PubAck::new(publish.pkid))).await;
                let answer: Value = serde_json::from_slice(&publish.payload).unwrap();
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                format!("{} {}", text(&answer["status"]), text(&answer["statusReason"]["reasonCode"])).trim().to_owned()
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A test that hangs says where.
async fn patient<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("nothing happened for 20 s")
}

fn request(id: &str, command: &str) -> Vec<u8> {
    json!({"executionId": id, "attempt": 1, "command": command, "ttl": 10, "expiresAt": NOW_MS / 1000 + 10})
        .to_string()
        .into_bytes()
}

fn counted(runs: &Arc<AtomicUsize>) -> Handlers {
    let runs = runs.clone();
    Handlers::default().on("reboot", move |_| {
        let runs = runs.clone();
        async move {
            runs.fetch_add(1, Ordering::SeqCst);
            Outcome::succeeded(None)
        }
    })
}

#[tokio::test]
async fn a_command_runs_once_however_often_it_is_delivered() {
    let (broker, runs) = (Broker::start().await, Arc::new(AtomicUsize::new(0)));
    let device = broker.device(counted(&runs));
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send(request("e1", "reboot")).await;
    assert_eq!([connection.answer().await, connection.answer().await], ["IN_PROGRESS", "SUCCEEDED"]);
    connection.send(request("e1", "reboot")).await;
    assert_eq!(connection.answer().await, "SUCCEEDED");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    device.stop().await;
    assert!(matches!(connection.read().await, Packet::Disconnect));
}

#[tokio::test]
async fn bad_messages_and_bad_handlers_do_not_stop_it() {
    let broker = Broker::start().await;
    let handlers = Handlers::default().on("explode", |_| async { panic!("as asked") });
    let device = broker.device(handlers);
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send(&b"\xff\x00"[..]).await;
    connection.send(request("e1", "dance")).await;
    assert_eq!(connection.answer().await, "REJECTED UNKNOWN_COMMAND");
    connection.send(json!({"executionId": "e2"}).to_string()).await;
    assert_eq!(connection.answer().await, "REJECTED MALFORMED_REQUEST");
    connection.send(request("e3", "explode")).await;
    assert_eq!([connection.answer().await, connection.answer().await], ["IN_PROGRESS", "FAILED HANDLER_PANICKED"]);
    device.stop().await;
}

#[tokio::test]
async fn a_lost_session_is_subscribed_again_and_told_again() {
    let (broker, runs) = (Broker::start().await, Arc::new(AtomicUsize::new(0)));
    let device = broker.device(counted(&runs));
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send(request("e1", "reboot")).await;
    assert_eq!([connection.answer().await, connection.answer().await], ["IN_PROGRESS", "SUCCEEDED"]);
    drop(connection);

    let mut connection = broker.accept(true).await;
    connection.send(request("e2", "reboot")).await;
    assert_eq!(connection.answer().await, "IN_PROGRESS", "a session that was kept is not subscribed again");
    assert_eq!(connection.answer().await, "SUCCEEDED");
    drop(connection);

    let mut connection = broker.accept_and_subscribe(false).await;
    assert_eq!([connection.answer().await, connection.answer().await], ["SUCCEEDED", "SUCCEEDED"]);
    device.stop().await;
}

#[tokio::test]
async fn a_subscription_that_was_not_confirmed_is_made_again() {
    let broker = Broker::start().await;
    let device = broker.device(Handlers::default());
    let mut connection = broker.accept(false).await;
    connection.expect_subscribe().await;
    drop(connection);
    broker.accept_and_subscribe(true).await;
    device.stop().await;
}

#[tokio::test]
async fn a_message_is_acknowledged_when_it_is_taken_care_of() {
    let broker = Broker::start().await;
    let endpoint = Endpoint::plain("127.0.0.1", broker.0.local_addr().unwrap().port());
    let mut link = Link::open(&endpoint, "pump-7", vec!["cmd/pump-7/req".to_owned()]);
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send_only(request("e1", "reboot")).await;
    let receipt = receipt(&mut link).await;
    assert!(link.publish("cmd/pump-7/resp", br#"{"status":"FIRST"}"#.to_vec()));
    assert_eq!(connection.answer().await, "FIRST");
    link.acknowledge(receipt);
    connection.acknowledged().await;
}

/// A handler that works until it is told to stop, and tells that it was.
fn endless(told: mpsc::UnboundedSender<String>) -> Handlers {
    Handlers::default().on("pump", move |mut job| {
        let told = told.clone();
        async move {
            job.stop.asked().await;
            told.send(job.execution_id).unwrap();
            Outcome::succeeded(None)
        }
    })
}

#[tokio::test]
async fn a_canceled_command_is_stopped_and_not_spoken_of_again() {
    let broker = Broker::start().await;
    let (told, mut stopped) = mpsc::unbounded_channel();
    let device = broker.device(endless(told));
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send(request("e1", "pump")).await;
    assert_eq!(connection.answer().await, "IN_PROGRESS");
    connection.send_to("cmd/pump-7/cancel", r#"{"executionId":"e1","attempt":1}"#).await;
    connection.acknowledged().await;
    assert_eq!(patient(stopped.recv()).await.unwrap(), "e1");
    connection.send(request("e1", "pump")).await;
    connection.send(request("e2", "dance")).await;
    assert_eq!(connection.answer().await, "REJECTED UNKNOWN_COMMAND", "the first that is told after the cancel");
    device.stop().await;
}

#[tokio::test]
async fn a_restart_tells_what_became_of_everything_and_runs_nothing_again() {
    let broker = Broker::start().await;
    let folder = tempfile::tempdir().unwrap();
    let memory = Some(folder.path().join("memory.json"));
    let (told, _stopped) = mpsc::unbounded_channel();
    let options = || Options { memory: memory.clone(), ..broker.options(endless(told.clone())) };
    let device = Client::start(options()).unwrap();
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send(request("e1", "pump")).await;
    assert_eq!(connection.answer().await, "IN_PROGRESS");
    connection.send_to("cmd/pump-7/cancel", r#"{"executionId":"e2","attempt":1}"#).await;
    connection.acknowledged().await;
    device.stop().await;
    drop(connection);
    for _ in 0..2 {
        let device = Client::start(options()).unwrap();
        let mut connection = broker.accept(true).await;
        assert_eq!(connection.answer().await, "FAILED DEVICE_RESTARTED");
        let packet_id = connection.expect_subscribe().await;
        connection.grant(packet_id).await;
        connection.send(request("e2", "pump")).await;
        connection.send(request("e1", "pump")).await;
        assert_eq!(connection.answer().await, "FAILED DEVICE_RESTARTED", "nothing before it of what was canceled");
        device.stop().await;
    }
}

#[tokio::test]
async fn what_is_safe_to_repeat_is_started_again_after_a_restart() {
    let broker = Broker::start().await;
    let folder = tempfile::tempdir().unwrap();
    let memory = Some(folder.path().join("memory.json"));
    let (told, _stopped) = mpsc::unbounded_channel();
    let first = endless(told).safe_to_repeat("pump");
    let device = Client::start(Options { memory: memory.clone(), ..broker.options(first) }).unwrap();
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send(request("e1", "pump")).await;
    assert_eq!(connection.answer().await, "IN_PROGRESS");
    device.stop().await;
    let done = Arc::new(Notify::new());
    let second = Handlers::default().safe_to_repeat("pump").on("pump", {
        let done = done.clone();
        move |_| {
            let done = done.clone();
            async move {
                done.notified().await;
                Outcome::succeeded(None)
            }
        }
    });
    let device = Client::start(Options { memory, ..broker.options(second) }).unwrap();
    let mut connection = broker.accept(false).await;
    assert_eq!(connection.answer().await, "IN_PROGRESS");
    let packet_id = connection.expect_subscribe().await;
    connection.grant(packet_id).await;
    done.notify_one();
    assert_eq!(connection.answer().await, "SUCCEEDED");
    device.stop().await;
}

#[tokio::test]
async fn commands_are_taken_from_the_shadow_once_whichever_way_else_they_come() {
    let (broker, runs) = (Broker::start().await, Arc::new(AtomicUsize::new(0)));
    let device = Client::start(Options { shadow: true, ..broker.options(counted(&runs)) }).unwrap();
    let topic = |name: &str| format!("$aws/things/pump-7/shadow/name/cmd/{name}");
    let entry: Value = serde_json::from_slice(&request("", "reboot")).unwrap();
    let mut connection = broker.accept_and_subscribe(false).await;
    assert_eq!(connection.published().await, (topic("get"), json!({})));
    connection.send_to(&topic("get/rejected"), r#"{"code":404,"message":"No shadow exists with name: 'cmd'"}"#).await;
    connection.acknowledged().await;
    assert_eq!(connection.published().await, (topic("update"), json!({"state": {"reported": {"dialect": "map"}}})));
    let delta = json!({"state": {"c": {"e1": entry}}, "version": 2}).to_string();
    connection.send_to(&topic("update/delta"), delta.clone()).await;
    connection.acknowledged().await;
    assert_eq!([connection.answer().await, connection.answer().await], ["IN_PROGRESS", "SUCCEEDED"]);
    connection.send_to(&topic("update/delta"), delta).await;
    connection.acknowledged().await;
    connection.send(request("e1", "reboot")).await;
    assert_eq!(connection.answer().await, "SUCCEEDED");
    drop(connection);

    // A session that was kept: nothing is subscribed, and the shadow is asked for all the same.
    let mut connection = broker.accept(true).await;
    assert_eq!(connection.published().await, (topic("get"), json!({})));
    let known = json!({"desired": {"c": {"e1": entry, "e2": entry}}, "reported": {"dialect": "map"}});
    connection.send_to(&topic("get/accepted"), json!({"state": known, "version": 3}).to_string()).await;
    connection.acknowledged().await;
    let answers = [connection.answer().await, connection.answer().await, connection.answer().await];
    assert_eq!(answers, ["SUCCEEDED", "IN_PROGRESS", "SUCCEEDED"]);
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    device.stop().await;
}

#[tokio::test]
async fn a_broadcast_is_answered_by_the_commands_id_where_it_asks_for_it() {
    let (broker, runs) = (Broker::start().await, Arc::new(AtomicUsize::new(0)));
    let mut options = broker.options(counted(&runs));
    options.groups = vec!["pumps".to_owned()];
    options.broadcast_topics = vec!["device_status/request".to_owned()];
    options.answer_topics = vec!["device_status/response".to_owned()];
    let device = Client::start(options).unwrap();
    let mut connection = broker.accept_and_subscribe(false).await;
    assert_eq!(connection.filters, 4);
    let mut broadcast = json!({"commandId": "c1", "attempt": 1, "command": "reboot", "expiresAt": NOW_MS / 1000 + 10,
                               "responseTopic": "device_status/response"});
    connection.send_to("device_status/request", broadcast.to_string()).await;
    connection.acknowledged().await;
    let answer = |id: &str, status: &str| json!({"commandId": id, "attempt": 1, "status": status});
    let (topic, accepted) = connection.published().await;
    assert_eq!((topic.as_str(), &accepted["commandId"]), ("device_status/response", &json!("c1")));
    let succeeded = answer("c1", "SUCCEEDED");
    assert_eq!(connection.published().await, ("device_status/response".to_owned(), succeeded.clone()));
    connection.send_to("cmd/group/pumps/req", broadcast.to_string()).await;
    connection.acknowledged().await;
    assert_eq!(connection.published().await, ("device_status/response".to_owned(), succeeded));
    broadcast["commandId"] = json!("c2");
    broadcast["responseTopic"] = json!("cmd/pump-8/resp");
    broadcast["command"] = json!("dance");
    connection.send_to("cmd/group/pumps/req", broadcast.to_string()).await;
    connection.acknowledged().await;
    assert_eq!(connection.answer().await, "REJECTED UNKNOWN_COMMAND", "on its own topic");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    device.stop().await;
}

#[tokio::test]
async fn a_broadcast_that_waits_survives_a_restart_and_is_begun_without_a_connection() {
    let broker = Broker::start().await;
    let folder = tempfile::tempdir().unwrap();
    let memory = Some(folder.path().join("memory.json"));
    let (clock, runs) = (Arc::new(AtomicI64::new(NOW_MS)), Arc::new(AtomicUsize::new(0)));
    let options = || {
        let clock = clock.clone();
        let mut options = broker.options(counted(&runs));
        options.now = Arc::new(move || clock.load(Ordering::SeqCst));
        options.groups = vec!["pumps".to_owned()];
        Options { memory: memory.clone(), ..options }
    };
    let device = Client::start(options()).unwrap();
    let mut connection = broker.accept_and_subscribe(false).await;
    let broadcast = json!({"commandId": "c1", "command": "reboot", "expiresAt": NOW_MS / 1000 + 100, "spread": 50});
    connection.send_to("cmd/group/pumps/req", broadcast.to_string()).await;
    connection.acknowledged().await;
    connection.send(request("e1", "dance")).await;
    assert_eq!(connection.answer().await, "REJECTED UNKNOWN_COMMAND", "nothing before it of the broadcast");
    device.stop().await;
    drop(connection);

    let device = Client::start(options()).unwrap();
    let (stream, _) = patient(broker.0.accept()).await.unwrap();
    clock.fetch_add(50_000, Ordering::SeqCst);
    patient(async {
        while runs.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    drop(stream);
    let mut connection = broker.accept(true).await;
    let said = [connection.answer().await, connection.answer().await, connection.answer().await];
    assert_eq!(said, ["REJECTED UNKNOWN_COMMAND", "IN_PROGRESS", "SUCCEEDED"]);
    device.stop().await;
}

#[tokio::test]
async fn many_subscriptions_are_made_a_few_at_a_time_and_hold_when_the_last_one_does() {
    let broker = Broker::start().await;
    let mut options = broker.options(Handlers::default());
    options.shadow = true;
    options.groups = (0..8).map(|n| format!("group-{n}")).collect();
    let device = Client::start(options).unwrap();
    let mut connection = broker.accept(false).await;
    let first = connection.expect_subscribe().await;
    connection.grant(first).await;
    connection.expect_subscribe().await;
    drop(connection);

    let mut connection = broker.accept(true).await;
    let again = [connection.expect_subscribe().await, connection.expect_subscribe().await];
    connection.filters = 8;
    connection.grant(again[0]).await;
    connection.send(request("e1", "dance")).await;
    assert_eq!(connection.answer().await, "REJECTED UNKNOWN_COMMAND", "the shadow is not asked for yet");
    connection.filters = 5;
    connection.grant(again[1]).await;
    assert!(connection.published().await.0.ends_with("/shadow/name/cmd/get"));
    device.stop().await;
}

#[tokio::test]
async fn a_receipt_of_a_connection_that_is_gone_acknowledges_nothing() {
    let broker = Broker::start().await;
    let endpoint = Endpoint::plain("127.0.0.1", broker.0.local_addr().unwrap().port());
    let mut link = Link::open(&endpoint, "pump-7", vec!["cmd/pump-7/req".to_owned()]);
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send_only(request("e1", "reboot")).await;
    let old = receipt(&mut link).await;
    drop(connection);
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.packet_id = 6;
    connection.send_only(request("e2", "reboot")).await;
    let new = receipt(&mut link).await;
    link.acknowledge(old);
    link.acknowledge(new);
    connection.acknowledged().await;
}

async fn receipt(link: &mut Link) -> Receipt {
    loop {
        if let Event::Message { receipt, .. } = patient(link.next()).await.unwrap() {
            return receipt;
        }
    }
}
