//! Tests of the service through its requests, with a clock that the tests move.

mod bad_input;
mod control;
mod device;
mod events;
mod https;
mod notifications;
mod rollout;
mod targets;
mod timers;

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use local_pki::Pki;
use serde_json::json;
use tokio::sync::mpsc;
use tower::ServiceExt;

use super::*;

/// The service with its registry, and what it publishes.
struct Bench {
    jobs: Jobs,
    clock: Clock,
    registry: Registry,
    published: mpsc::UnboundedReceiver<Published>,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// With the group `pumps` of `pump-1`, `pump-2` and `pump-3`, and below it the group `old` of `pump-4`.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, pki) = (Clock::manual(1_700_000_000_500), Pki::load_or_create(folder.path()).unwrap());
        let registry = Registry::new(clock.clone(), pki, "us-east-1", "000000000000", "localhost");
        registry.add_things("pumps", &["pump-1", "pump-2", "pump-3"]).unwrap();
        registry.add_group("old", Some("pumps")).unwrap();
        registry.add_things("old", &["pump-4"]).unwrap();
        let broker = Broker::new(clock.clone(), None);
        let published = broker.tap();
        let jobs = Jobs::new(clock.clone(), broker, registry.clone());
        Self { jobs, clock, registry, published, _folder: folder }
    }

    /// A request of an operator: status, name of the exception or an empty string, body.
    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, String, Value) {
        send(self.jobs.router(), method, path, body).await
    }

    /// A request of an operator that succeeds: its body.
    async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, exception, body) = self.call(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {exception} {body}");
        body
    }

    /// Status and exception of a refused request of an operator.
    async fn refused(&self, method: &str, path: &str, body: Value) -> (u16, String) {
        let (status, exception, body) = self.call(method, path, body).await;
        assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()), "{method} {path}: {body}");
        (status, exception)
    }

    /// Creates a job for targets such as `thing/pump-1`, with more members.
    async fn create(&self, id: &str, targets: &[&str], more: Value) {
        let targets: Vec<String> = targets.iter().map(|target| arn(target)).collect();
        let mut body = json!({ "targets": targets, "document": r#"{"operation":"reboot","at":null}"# });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        self.ok("PUT", &format!("/jobs/{id}"), body).await;
    }

    /// `job` of DescribeJob.
    async fn job(&self, id: &str) -> Value {
        self.ok("GET", &format!("/jobs/{id}"), Value::Null).await["job"].clone()
    }

    /// `execution` of an operator's DescribeJobExecution.
    async fn execution(&self, thing: &str, id: &str) -> Value {
        self.ok("GET", &format!("/things/{thing}/jobs/{id}"), Value::Null).await["execution"].clone()
    }

    async fn status(&self, thing: &str, id: &str) -> String {
        self.execution(thing, id).await["status"].as_str().unwrap_or_default().to_owned()
    }

    /// A request of a thing over MQTT: the payload of its answer. The topic is that of an accepted one if the payload
    /// has no code.
    fn device(&self, thing: &str, request: &str, payload: Value) -> Value {
        self.device_bytes(thing, request, payload.to_string().as_bytes())
    }

    fn device_bytes(&self, thing: &str, request: &str, payload: &[u8]) -> Value {
        let topic = format!("$aws/things/{thing}/jobs/{request}");
        let request = mqtt::parse(&topic).expect("a request");
        let answer = self.jobs.transact(|transaction| mqtt::execute(transaction, &topic, request, payload));
        let body: Value = serde_json::from_slice(&answer.payload).unwrap();
        let suffix = if body["code"].is_null() { "accepted" } else { "rejected" };
        assert_eq!(answer.topic, format!("{topic}/{suffix}"));
        body
    }

    fn update(&self, thing: &str, id: &str, status: &str) -> Value {
        self.device(thing, &format!("{id}/update"), json!({ "status": status }))
    }

    fn advance(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
        self.jobs.catch_up();
    }

    /// Topic and body of what was published since the last call.
    fn published(&mut self) -> Vec<(String, Value)> {
        let all = std::iter::from_fn(|| self.published.try_recv().ok()).map(|published| published.message);
        all.map(|message| (message.topic, serde_json::from_slice(&message.payload).unwrap())).collect()
    }

    fn topics(&mut self) -> Vec<String> {
        self.published().into_iter().map(|(topic, _)| topic).collect()
    }

    async fn registry_call(&self, method: &str, path: &str, body: Value) {
        let (status, ..) = send(self.registry.router(), method, path, body).await;
        assert_eq!(status, 200, "{method} {path}");
    }
}

/// The ARN of `thing/pump-1` or `thinggroup/pumps`.
fn arn(resource: &str) -> String {
    format!("arn:aws:iot:us-east-1:000000000000:{resource}")
}

async fn send(router: Router, method: &str, path: &str, body: Value) -> (u16, String, Value) {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let request = Request::builder().method(method).uri(path).body(body).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let exception = response.headers().get("x-amzn-errortype").map(|name| name.to_str().unwrap().to_owned());
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, exception.unwrap_or_default(), serde_json::from_slice(&body).unwrap_or_default())
}
