//! Fixture for the tests of the registry through its HTTP API.

mod authorization;
mod certificates;
mod fleet;
mod groups;
mod policies;
mod search;
mod things;
mod wire;

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use local_clock::Clock;
use local_pki::Pki;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{AccessRequest, ConnectAttributes, Registry};

/// A registry on a manual clock that serves HTTP, and an HTTP client for it.
struct Bench {
    registry: Registry,
    clock: Clock,
    client: reqwest::Client,
    base: String,
    _directory: tempfile::TempDir,
}

/// Status code, exception name (empty on success), body.
type Answer = (u16, String, Value);

impl Bench {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (clock, pki) = (Clock::manual(1_700_000_000_500), Pki::load_or_create(directory.path()).unwrap());
        let registry = Registry::new(clock.clone(), pki, "us-east-1", "000000000000", "localhost");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        // Routes of the data plane share path prefixes with the registry.
        let data_plane = Router::new()
            .route("/things/{thing}/shadow", get(async || "shadow"))
            .route("/api/things/shadow/ListNamedShadowsForThing/{thing}", get(async || "named"))
            .route("/topics/{*topic}", get(async || "topic"))
            .route("/retainedMessage", get(async || "retained"))
            .route("/retainedMessage/{*topic}", get(async || "retained"))
            .route("/connections/{clientId}", get(async || "connection"));
        let router =
            registry.router().merge(registry.index_router(std::sync::Arc::new(search::connectivity))).merge(data_plane);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { registry, clock, client: reqwest::Client::new(), base, _directory: directory }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{path}", self.base))
    }

    async fn send(request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let name = response.headers().get("x-amzn-errortype").map_or("", |name| name.to_str().unwrap()).to_owned();
        let status = response.status().as_u16();
        let body = response.text().await.unwrap();
        (status, name, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self.request(method, path);
        Self::send(if body.is_null() { request } else { request.body(body.to_string()) }).await
    }

    /// The response body of a request that must succeed.
    async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, name, body) = self.call(method, path, body).await;
        assert_eq!((status, name.as_str()), (200, ""), "{method} {path}: {body}");
        body
    }

    async fn get(&self, path: &str) -> Value {
        self.ok("GET", path, Value::Null).await
    }

    /// Asserts that a request fails with this status and exception and with a message.
    async fn fails(&self, method: &str, path: &str, body: Value, (status, exception): (u16, &str)) {
        let (found, name, answer) = self.call(method, path, body).await;
        assert_eq!((found, name.as_str()), (status, exception), "{method} {path}: {answer}");
        assert!(answer["message"].as_str().is_some_and(|message| !message.is_empty()), "{method} {path}: {answer}");
    }

    async fn principal(&self, method: &str, path: &str, arn: &str) -> Answer {
        Self::send(self.request(method, path).header("x-amzn-principal", arn)).await
    }

    /// Creates an active certificate; returns its ARN and id.
    async fn certificate(&self) -> (String, String) {
        let made = self.ok("POST", "/keys-and-certificate?setAsActive=true", Value::Null).await;
        (text(&made["certificateArn"]), text(&made["certificateId"]))
    }

    async fn attach(&self, thing: &str, certificate_arn: &str) {
        let (status, _, body) = self.principal("PUT", &format!("/things/{thing}/principals"), certificate_arn).await;
        assert_eq!(status, 200, "{body}");
    }

    async fn thing(&self, name: &str) {
        self.ok("POST", &format!("/things/{name}"), json!({})).await;
    }

    /// Whether a connected client may do this.
    fn allows(&self, certificate_id: &str, client_id: &str, action: &str, resource: &str) -> bool {
        let connect = ConnectAttributes::default();
        self.registry.allows(certificate_id, &AccessRequest { client_id, action, resource, connect })
    }

    async fn group(&self, name: &str, parent: Option<&str>) {
        self.ok("POST", &format!("/thing-groups/{name}"), json!({ "parentGroupName": parent })).await;
    }

    async fn join(&self, thing: &str, group: &str) {
        let body = json!({ "thingName": thing, "thingGroupName": group });
        self.ok("PUT", "/thing-groups/addThingToThingGroup", body).await;
    }

    async fn policy(&self, name: &str, document: &Value) {
        self.ok("POST", &format!("/policies/{name}"), json!({ "policyDocument": document.to_string() })).await;
    }

    async fn attach_policy(&self, name: &str, target: &str) {
        self.ok("PUT", &format!("/target-policies/{name}"), json!({ "target": target })).await;
    }

    fn minutes(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
    }

    /// Reads all pages of a list; returns the number of items of each page, and all items.
    async fn pages(&self, path: &str, list: &str) -> (Vec<usize>, Vec<Value>) {
        let (mut sizes, mut all, mut token) = (Vec::new(), Vec::new(), String::new());
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{mark}nextToken={}", token.replace('=', "%3D"))).await;
            let items = page[list].as_array().unwrap();
            sizes.push(items.len());
            all.extend(items.iter().cloned());
            match page["nextToken"].as_str().or(page["nextMarker"].as_str()) {
                Some(next) => token = next.to_owned(),
                None => return (sizes, all),
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn names(values: &Value, member: &str) -> Vec<String> {
    values.as_array().unwrap().iter().map(|value| text(&value[member])).collect()
}

const INVALID: (u16, &str) = (400, "InvalidRequestException");
const NOT_FOUND: (u16, &str) = (404, "ResourceNotFoundException");
const EXISTS: (u16, &str) = (409, "ResourceAlreadyExistsException");
const VERSION: (u16, &str) = (409, "VersionConflictException");
const DELETE_CONFLICT: (u16, &str) = (409, "DeleteConflictException");
const LIMIT: (u16, &str) = (410, "LimitExceededException");
