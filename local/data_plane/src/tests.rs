//! Tests of the API over HTTP, with a broker and a shadow service.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use local_broker::{Broker, Message, Peer, Published};
use local_clock::Clock;
use local_shadows::Shadows;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, Publish};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::router;

/// A listening data plane, and the messages that its broker publishes.
struct Api {
    broker: Broker,
    http: reqwest::Client,
    base: String,
    published_messages: mpsc::UnboundedReceiver<Published>,
}

struct Answer {
    status: StatusCode,
    exception: Option<String>,
    body: Value,
}

impl Api {
    async fn start() -> Self {
        let clock = Clock::manual(1_700_000_000_000);
        let broker = Broker::new(clock.clone(), None);
        let shadows = Shadows::new(clock.clone(), broker.clone());
        let (mut tap, published_messages) = (broker.tap(), broker.tap());
        tokio::spawn({
            let shadows = shadows.clone();
            async move {
                while let Some(published) = tap.recv().await {
                    shadows.on_published(&published);
                }
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = router(clock, broker.clone(), shadows);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { broker, http: reqwest::Client::builder().no_proxy().build().unwrap(), base, published_messages }
    }

    async fn call(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.send(self.http.request(method, format!("{}{path}", self.base)).body(body)).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, "").await
    }

    async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.call(Method::POST, path, body).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let exception = response.headers().get("x-amzn-errortype").map(|kind| kind.to_str().unwrap().to_owned());
        Answer { status: response.status(), exception, body: response.json().await.unwrap_or_default() }
    }

    /// Waits for the next message on a topic.
    async fn published(&mut self, topic: &str) -> Message {
        loop {
            let published = self.published_messages.recv().await.expect("the broker is running");
            if published.message.topic == topic {
                return published.message;
            }
        }
    }

    /// Connects an MQTT 5 client.
    async fn connect(&self, client_id: &str) -> Device {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let broker = self.broker.clone();
        tokio::spawn(async move {
            let (stream, address) = listener.accept().await.unwrap();
            broker.serve(stream, Peer { address: Some(address), principal: None }).await;
        });
        let mut options = MqttOptions::new(client_id, "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(60));
        let (client, events) = AsyncClient::new(options, 10);
        let mut device = Device { client, events };
        device.receive_until(|packet| matches!(packet, Packet::ConnAck(_))).await;
        device
    }
}

struct Device {
    client: AsyncClient,
    events: EventLoop,
}

impl Device {
    async fn receive_until(&mut self, is_expected: impl Fn(&Packet) -> bool) -> Packet {
        loop {
            match self.events.poll().await.unwrap() {
                Event::Incoming(packet) if is_expected(&packet) => return packet,
                _ => {}
            }
        }
    }

    async fn subscribe(&mut self, filter: &str) {
        self.client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        self.receive_until(|packet| matches!(packet, Packet::SubAck(_))).await;
    }

    async fn message(&mut self) -> Publish {
        match self.receive_until(|packet| matches!(packet, Packet::Publish(_))).await {
            Packet::Publish(publish) => publish,
            other => unreachable!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn shadows_are_written_read_listed_and_deleted() {
    let api = Api::start().await;
    let missing = api.get("/things/a%3Ab/shadow").await;
    assert_eq!(
        (missing.status, missing.exception.as_deref()),
        (StatusCode::NOT_FOUND, Some("ResourceNotFoundException"))
    );
    assert_eq!(missing.body["message"], "No shadow exists with name: 'a:b'");
    assert!(missing.body["traceId"].is_string());

    let update = json!({"state": {"desired": {"on": true}}, "clientToken": "t"}).to_string();
    let updated = api.post("/things/a%3Ab/shadow", update).await;
    assert_eq!(
        (updated.status, updated.body),
        (
            StatusCode::OK,
            json!({
                "state": {"desired": {"on": true}}, "metadata": {"desired": {"on": {"timestamp": 1_700_000_000}}},
                "version": 1, "timestamp": 1_700_000_000, "clientToken": "t",
            })
        )
    );
    assert_eq!(api.get("/things/a%3Ab/shadow").await.body["state"]["delta"], json!({"on": true}));

    for name in ["s3", "s1", "s2"] {
        let answer = api.post(&format!("/things/a%3Ab/shadow?name={name}"), r#"{"state":{}}"#).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let list = "/api/things/shadow/ListNamedShadowsForThing/a%3Ab";
    let first = api.get(&format!("{list}?pageSize=2")).await.body;
    assert_eq!(first["results"], json!(["s1", "s2"]));
    let token = first["nextToken"].as_str().unwrap();
    let last = api.get(&format!("{list}?pageSize=2&nextToken={token}")).await.body;
    assert_eq!(last, json!({"results": ["s3"], "timestamp": 1_700_000_000}));
    assert_eq!(api.get("/api/things/shadow/ListNamedShadowsForThing/unknown").await.body["results"], json!([]));

    let deleted = api.call(Method::DELETE, "/things/a%3Ab/shadow", "").await;
    assert_eq!((deleted.status, deleted.body), (StatusCode::OK, json!({"version": 1, "timestamp": 1_700_000_000})));
    assert_eq!(api.get("/things/a%3Ab/shadow").await.status, StatusCode::NOT_FOUND);
    assert_eq!(api.get("/things/a%3Ab/shadow?name=s1").await.status, StatusCode::OK);
}

#[tokio::test]
async fn invalid_requests_are_refused_with_their_exceptions() {
    let api = Api::start().await;
    api.post("/things/t/shadow", r#"{"state":{}}"#).await;
    let large = json!({"state": {"desired": {"a": "x".repeat(8200)}}}).to_string();
    for (path, body, status, exception) in [
        ("/things/t/shadow", &br#"{"state":{},"version":7}"#[..], 409, "ConflictException"),
        ("/things/t/shadow", b"{", 400, "InvalidRequestException"),
        ("/things/t/shadow", b"\xff", 415, "UnsupportedDocumentEncodingException"),
        ("/things/t/shadow", large.as_bytes(), 413, "RequestEntityTooLargeException"),
        ("/things/a%20b/shadow", br#"{"state":{}}"#, 400, "InvalidRequestException"),
        ("/things/t/shadow?name=a%2Fb", br#"{"state":{}}"#, 400, "InvalidRequestException"),
        ("/topics/a%2F%2B", b"", 400, "InvalidRequestException"),
        ("/topics/1/2/3/4/5/6/7/8/9", b"", 400, "InvalidRequestException"),
        ("/topics/%24aws/things/t/shadow/update/accepted", b"{}", 400, "InvalidRequestException"),
        ("/connections/c/messages?topic=a%2F%23", b"", 400, "InvalidRequestException"),
        ("/topics/a?qos=2", b"", 400, "InvalidRequestException"),
        ("/topics/a?responseTopic=%23", b"", 400, "InvalidRequestException"),
        ("/topics/a%FF", b"", 400, "InvalidRequestException"),
        ("/topics/%24aws%2Fthings%2Ft%2Fshadow%2Fget?retain=true", b"", 400, "InvalidRequestException"),
        ("/topics/a", &[0; 128 * 1024 + 1], 413, "RequestEntityTooLargeException"),
        ("/retainedMessage/a", b"", 405, "MethodNotAllowedException"),
        ("/connections/c/messages?topic=a", b"", 404, "ResourceNotFoundException"),
        ("/connections/c/messages", b"", 400, "InvalidRequestException"),
        ("/connections/%24c/messages?topic=a", b"", 400, "InvalidRequestException"),
        ("/connections/c/messages?topic=a&confirmation=true&timeout=16", b"", 400, "InvalidRequestException"),
    ] {
        let answer = api.post(path, body.to_vec()).await;
        assert_eq!((answer.status.as_u16(), answer.exception.as_deref()), (status, Some(exception)), "{path}");
        assert!(answer.body["message"].is_string(), "{path}");
    }
    for path in ["/connections/c", "/connections/c/subscriptions", "/retainedMessage/a"] {
        assert_eq!(api.get(path).await.exception.as_deref(), Some("ResourceNotFoundException"), "{path}");
    }
    for path in ["/retainedMessage?maxResults=0", "/retainedMessage?nextToken=%21"] {
        assert_eq!(api.get(path).await.exception.as_deref(), Some("InvalidRequestException"), "{path}");
    }
    assert_eq!(api.call(Method::DELETE, "/connections/c", "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn publish_keeps_topic_payload_and_properties() {
    let mut api = Api::start().await;
    let path = "/topics/%24aws%2Frules%2Fr%2Fa%20b%2Fx%2Fy\
                ?qos=1&contentType=text%2Fplain&responseTopic=re%2Fply&messageExpiry=60";
    let user = data_encoding::BASE64.encode(br#"[{"k":"v"},{"k":"w"}]"#);
    let request = api
        .http
        .post(format!("{}{path}", api.base))
        .header("x-amz-mqtt5-user-properties", user)
        .header("x-amz-mqtt5-payload-format-indicator", "UTF8_DATA")
        .header("x-amz-mqtt5-correlation-data", "AAH/")
        .body(&b"\x00\xff"[..]);
    let answer = api.send(request).await;
    assert_eq!((answer.status, &answer.body["message"]), (StatusCode::OK, &json!("OK")));
    let message = api.published("$aws/rules/r/a b/x/y").await;
    assert_eq!((&message.payload[..], message.qos, message.retain), (&b"\x00\xff"[..], 1, false));
    let properties = message.properties;
    assert_eq!(properties.content_type.as_deref(), Some("text/plain"));
    assert_eq!(properties.response_topic.as_deref(), Some("re/ply"));
    assert_eq!(properties.correlation_data.as_deref(), Some(&b"\x00\x01\xff"[..]));
    assert_eq!(properties.message_expiry_s, Some(60));
    assert!(properties.utf8);
    assert_eq!(properties.user, [("k", "v"), ("k", "w")].map(|(k, v)| (k.to_owned(), v.to_owned())));
}

#[tokio::test]
async fn published_shadow_request_is_answered_in_order() {
    let mut api = Api::start().await;
    let mut device = api.connect("d").await;
    device.subscribe("$aws/things/t/shadow/update/+").await;
    let update = r#"{"state":{"desired":{"a":1}},"clientToken":"x"}"#;
    let answer = api.post("/topics/%24aws%2Fthings%2Ft%2Fshadow%2Fupdate", update).await;
    assert_eq!(answer.status, StatusCode::OK);
    for answer in ["accepted", "delta", "documents"] {
        let message = device.message().await;
        assert_eq!(message.topic, format!("$aws/things/t/shadow/update/{answer}"));
        let body: Value = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!(body["clientToken"], "x");
    }
    // An accepted REST update is published to subscribers; a rejected one is answered to the caller only.
    api.post("/things/t/shadow", "not json").await;
    api.post("/things/t/shadow", r#"{"state":{}}"#).await;
    assert_eq!(device.message().await.topic, "$aws/things/t/shadow/update/accepted");
    api.call(Method::DELETE, "/things/t/shadow", "").await;
    api.published("$aws/things/t/shadow/delete/accepted").await;
}

#[tokio::test]
async fn last_will_is_not_a_shadow_request() {
    let api = Api::start().await;
    let shadows = Shadows::new(Clock::manual(0), api.broker.clone());
    let message = Message::new("$aws/things/t/shadow/update", r#"{"state":{}}"#);
    let mut published = Published { message, publisher: Default::default(), at_ms: 0, last_will: true };
    shadows.on_published(&published);
    assert!(shadows.get("t", None).is_err());
    published.last_will = false;
    shadows.on_published(&published);
    assert!(shadows.get("t", None).is_ok());

    let restored = Shadows::new(Clock::manual(0), api.broker.clone());
    restored.restore(&shadows.snapshot()).expect("readable");
    assert_eq!(restored.get("t", None), shadows.get("t", None));
    assert!(restored.restore(&json!({"shadows": 7})).is_err());
    assert!(restored.get("t", None).is_ok());
}

#[tokio::test]
async fn retained_messages_are_kept_listed_and_removed() {
    let api = Api::start().await;
    for topic in ["r%2F2", "r%2F1", "r%2F3"] {
        let user = data_encoding::BASE64.encode(br#"[{"k":"v"}]"#);
        let url = format!("{}/topics/{topic}?retain=true&qos=1", api.base);
        let request = api.http.post(url).header("x-amz-mqtt5-user-properties", user).body("hello");
        assert_eq!(api.send(request).await.status, StatusCode::OK);
    }
    assert_eq!(
        api.get("/retainedMessage/r%2F1").await.body,
        json!({
            "topic": "r/1", "payload": "aGVsbG8=", "qos": 1, "lastModifiedTime": 1_700_000_000_000_i64,
            "userProperties": "W3siayI6InYifV0=",
        })
    );
    let first = api.get("/retainedMessage?maxResults=2").await.body;
    let summary = json!({"topic": "r/1", "payloadSize": 5, "qos": 1, "lastModifiedTime": 1_700_000_000_000_i64});
    assert_eq!((first["retainedTopics"].as_array().unwrap().len(), &first["retainedTopics"][0]), (2, &summary));
    let token = first["nextToken"].as_str().unwrap();
    let last = api.get(&format!("/retainedMessage?nextToken={token}")).await.body;
    assert_eq!((&last["retainedTopics"][0]["topic"], last.get("nextToken")), (&json!("r/3"), None));

    api.post("/topics/r%2F1?retain=true", "").await;
    assert_eq!(api.get("/retainedMessage/r%2F1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn direct_message_reaches_a_client_without_a_subscription() {
    let api = Api::start().await;
    let mut device = api.connect("dev/1").await;
    let path = "/connections/dev%2F1/messages?topic=cmd%2Ft%2Freq&confirmation=true&responseTopic=cmd%2Ft%2Fresp";
    let (answer, message) = tokio::join!(api.post(path, "do it"), async {
        let message = device.message().await;
        // rumqttc sends the PUBACK that the call waits for at its next poll.
        device.client.subscribe("then", QoS::AtMostOnce).await.unwrap();
        device.receive_until(|packet| matches!(packet, Packet::SubAck(_))).await;
        message
    });
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!((&message.topic[..], &message.payload[..]), (&b"cmd/t/req"[..], &b"do it"[..]));
    assert_eq!(message.qos, QoS::AtLeastOnce);
    assert_eq!(message.properties.unwrap().response_topic.as_deref(), Some("cmd/t/resp"));
}

#[tokio::test]
async fn connections_and_subscriptions_are_shown_and_closed() {
    let api = Api::start().await;
    let mut device = api.connect("dev/1").await;
    for filter in ["b/+", "a"] {
        device.subscribe(filter).await;
    }
    let connection = api.get("/connections/dev%2F1?includeSocketInformation=true").await.body;
    assert_eq!((&connection["clientId"], &connection["connected"]), (&json!("dev/1"), &json!(true)));
    assert_eq!(connection["connectedSince"], 1_700_000_000_000_i64);
    assert_eq!((&connection["keepAliveDuration"], &connection["sourceIp"]), (&json!(60), &json!("127.0.0.1")));
    assert_eq!(api.get("/connections/dev%2F1").await.body.get("sourceIp"), None);

    let first = api.get("/connections/dev%2F1/subscriptions?maxResults=1").await.body;
    assert_eq!(first["subscriptions"], json!([{"topicFilter": "a", "qos": 1}]));
    let token = first["nextToken"].as_str().unwrap();
    let last = api.get(&format!("/connections/dev%2F1/subscriptions?nextToken={token}")).await.body;
    assert_eq!(last, json!({"subscriptions": [{"topicFilter": "b/+", "qos": 1}]}));

    let closed = api.call(Method::DELETE, "/connections/dev%2F1?cleanSession=true", "").await;
    assert_eq!(closed.status, StatusCode::OK);
    let disconnected = async {
        loop {
            match device.events.poll().await {
                Ok(Event::Incoming(Packet::Disconnect(_))) | Err(_) => break,
                Ok(_) => {}
            }
        }
    };
    disconnected.await;
}
