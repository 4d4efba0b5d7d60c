//! The command API and the shadow API, as an operator's program calls them.

use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// Requests that write, and requests that read, under way at the same time. Apart, so that looking does not wait for asking.
const AT_ONCE: usize = 8;
/// Tries of a request that got no usable answer.
const TRIES: u32 = 5;

/// How a command gets to its thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Delivery {
    Direct,
    Topic,
}

impl Delivery {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Topic => "topic",
        }
    }
}

/// An execution as the API shows it, as far as the demo looks.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Execution {
    pub status: String,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub late: bool,
}

impl Execution {
    pub fn is_terminal(&self) -> bool {
        !matches!(self.status.as_str(), "CREATED" | "IN_PROGRESS")
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("{what}: no answer")]
    Unreachable { what: String, source: reqwest::Error },
    #[error("{what}: {status} {body}")]
    Refused { what: String, status: StatusCode, body: String },
    #[error("{what}: an answer that is not understood")]
    Unclear { what: String, source: serde_json::Error },
}

pub(super) struct Api {
    http: Client,
    api: String,
    gateway: String,
    writes: Semaphore,
    reads: Semaphore,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    command_id: String,
}

impl Api {
    /// Base addresses without a slash at the end.
    pub fn new(api: String, gateway: String) -> Self {
        Self { http: Client::new(), api, gateway, writes: Semaphore::new(AT_ONCE), reads: Semaphore::new(AT_ONCE) }
    }

    /// Asks one thing to do something; returns the command's id, and when it was asked for. Waiting for one's turn is
    /// not part of that.
    pub async fn create(
        &self,
        thing: &str,
        delivery: Delivery,
        ttl: u32,
        heartbeat: Option<u32>,
    ) -> Result<(String, Instant), ApiError> {
        // Never closed, so a permit always comes.
        let _permit = self.writes.acquire().await;
        let asked_at = Instant::now();
        let what = format!("POST /commands for {thing}");
        let mut body = json!({"name": "set-speed", "payload": {"rpm": 1200}, "target": {"things": [thing]},
                              "delivery": delivery.as_str(), "ttl": ttl});
        if let Some(heartbeat) = heartbeat {
            body["heartbeat"] = heartbeat.into();
        }
        // With a token a repeated request is the same command, so it can be repeated when its answer was lost.
        let token = uuid::Uuid::new_v4().to_string();
        let request = self.http.post(format!("{}/commands", self.api)).header("idempotency-key", token).json(&body);
        let created: Created = call(what, request).await?;
        Ok((created.command_id, asked_at))
    }

    /// How an execution stands.
    pub async fn execution(&self, command_id: &str, thing: &str) -> Result<Execution, ApiError> {
        let path = format!("/commands/{command_id}/executions/{thing}");
        let request = self.http.get(format!("{}{path}", self.api));
        let _permit = self.reads.acquire().await;
        call(format!("GET {path}"), request).await
    }

    /// What a thing is wished to be.
    pub async fn set_desired(&self, thing: &str, desired: Value) -> Result<(), ApiError> {
        let path = format!("/things/{thing}/shadow");
        let body = json!({"state": {"desired": desired}});
        let request = self.http.post(format!("{}{path}", self.gateway)).json(&body);
        let _permit = self.writes.acquire().await;
        call::<Value>(format!("POST {path}"), request).await.map(drop)
    }
}

async fn call<T: for<'de> Deserialize<'de>>(what: String, request: RequestBuilder) -> Result<T, ApiError> {
    let mut wait = Duration::from_millis(100);
    for _ in 1..TRIES {
        // The bodies are bytes, so there is always a clone.
        let Some(copy) = request.try_clone() else { break };
        match once(&what, copy).await {
            Err(error) if error.may_pass() => tokio::time::sleep(wait).await,
            other => return other,
        }
        wait *= 2;
    }
    once(&what, request).await
}

async fn once<T: for<'de> Deserialize<'de>>(what: &str, request: RequestBuilder) -> Result<T, ApiError> {
    let unreachable = |source| ApiError::Unreachable { what: what.to_owned(), source };
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let bytes = response.bytes().await.map_err(unreachable)?;
    if !status.is_success() {
        let body = String::from_utf8_lossy(&bytes).into_owned();
        return Err(ApiError::Refused { what: what.to_owned(), status, body });
    }
    serde_json::from_slice(&bytes).map_err(|source| ApiError::Unclear { what: what.to_owned(), source })
}

impl ApiError {
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Unclear { .. } => false,
        }
    }
}
