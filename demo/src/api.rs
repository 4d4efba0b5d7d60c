//! The command API and the shadow API, as an operator's program calls them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// Requests to the shadow API in flight at the same time.
const MAX_SHADOW_REQUESTS: usize = 8;
/// Attempts of a request before its error is returned.
const MAX_ATTEMPTS: u32 = 5;
/// Wait before the second attempt; it doubles with each one.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Every status of an execution, in the order of a table.
pub(super) const STATUSES: [&str; 7] =
    ["CREATED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "CANCELED"];

/// State and counts of a fleet command, as the API and the command's events show them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct CommandView {
    pub state: String,
    pub counts: Counts,
}

/// Number of executions by status.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Counts {
    pub total: u64,
    /// Things without an execution yet.
    pub waiting: u64,
    /// One member for each status, beside members that the demo does not read.
    #[serde(flatten)]
    members: BTreeMap<String, Value>,
}

impl Counts {
    /// Executions in a status.
    pub fn of(&self, status: &str) -> u64 {
        self.members.get(status).and_then(Value::as_u64).unwrap_or(0)
    }

    /// Executions in a terminal status.
    pub fn ended(&self) -> u64 {
        STATUSES.iter().skip(2).map(|status| self.of(status)).sum()
    }

    /// `waiting 12, SUCCEEDED 120, FAILED 14`, in the order of [`STATUSES`].
    pub fn summary(&self) -> String {
        let waiting = ("waiting", self.waiting);
        let parts = std::iter::once(waiting).chain(STATUSES.iter().map(|status| (*status, self.of(status))));
        parts.filter(|(_, n)| *n > 0).map(|(what, n)| format!("{what} {n}")).collect::<Vec<_>>().join(", ")
    }
}

/// A command for a thing group.
#[derive(Clone, Debug)]
pub(super) struct NewCommand<'a> {
    pub group: &'a str,
    pub ttl_seconds: u32,
    pub heartbeat_seconds: u32,
    /// Number of things that receive it first.
    pub canary: u32,
    /// Things per minute after the canary.
    pub per_minute: u32,
}

/// The members of an execution that the demo reads.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Execution {
    #[serde(default)]
    pub thing: String,
    pub status: String,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub late: bool,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("{what}: no answer from the API")]
    Unreachable { what: String, source: reqwest::Error },
    #[error("{what}: {status} {body}")]
    Refused { what: String, status: StatusCode, body: String },
    #[error("{what}: cannot read the answer")]
    Unreadable { what: String, source: serde_json::Error },
}

pub(super) struct Api {
    http: Client,
    api: String,
    gateway: String,
    shadow_requests: Semaphore,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    command_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    executions: Vec<Execution>,
    next_token: Option<String>,
}

impl Api {
    /// Base addresses without a slash at the end.
    pub fn new(api: String, gateway: String) -> Self {
        Self { http: Client::new(), api, gateway, shadow_requests: Semaphore::new(MAX_SHADOW_REQUESTS) }
    }

    /// Creates a command; returns its id, and the time of the first attempt to create it.
    pub async fn create(&self, command: &NewCommand<'_>) -> Result<(String, Instant), ApiError> {
        let &NewCommand { group, ttl_seconds, heartbeat_seconds, canary, per_minute } = command;
        let body = json!({
            "name": "set-speed",
            "payload": {"rpm": 1200},
            "target": {"groups": [group]},
            "delivery": "topic",
            "ttl": ttl_seconds,
            "heartbeat": heartbeat_seconds,
            // The scripts decide how many things of the canary succeed: half of them is enough to continue.
            "rollout": {"canary": {"things": canary, "successPercentage": 50}, "maximumPerMinute": per_minute},
        });
        // A repeated request with the same key creates no second command, so a lost answer can be retried.
        let key = uuid::Uuid::new_v4().to_string();
        let request = self.http.post(format!("{}/commands", self.api)).header("idempotency-key", key).json(&body);
        let created_at = Instant::now();
        let created: Created = call("POST /commands".to_owned(), request).await?;
        Ok((created.command_id, created_at))
    }

    /// State and counts of a command.
    pub async fn command(&self, command_id: &str) -> Result<CommandView, ApiError> {
        self.get(format!("/commands/{command_id}")).await
    }

    /// Resumes a paused command.
    pub async fn resume(&self, command_id: &str) -> Result<(), ApiError> {
        let path = format!("/commands/{command_id}/resume");
        let request = self.http.post(format!("{}{path}", self.api));
        call::<Value>(format!("POST {path}"), request).await.map(drop)
    }

    /// All executions of a command, page by page.
    pub async fn executions(&self, command_id: &str) -> Result<Vec<Execution>, ApiError> {
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let after = token.map(|token| format!("?nextToken={token}")).unwrap_or_default();
            let page: Page = self.get(format!("/commands/{command_id}/executions{after}")).await?;
            all.extend(page.executions);
            token = page.next_token;
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    async fn get<T: for<'de> Deserialize<'de>>(&self, path: String) -> Result<T, ApiError> {
        call(format!("GET {path}"), self.http.get(format!("{}{path}", self.api))).await
    }

    /// Sets the desired state of a thing's classic shadow.
    pub async fn set_desired(&self, thing: &str, desired: Value) -> Result<(), ApiError> {
        let path = format!("/things/{thing}/shadow");
        let body = json!({"state": {"desired": desired}});
        let request = self.http.post(format!("{}{path}", self.gateway)).json(&body);
        let _permit = self.shadow_requests.acquire().await;
        call::<Value>(format!("POST {path}"), request).await.map(drop)
    }
}

async fn call<T: for<'de> Deserialize<'de>>(what: String, request: RequestBuilder) -> Result<T, ApiError> {
    let mut wait = FIRST_WAIT;
    for _ in 1..MAX_ATTEMPTS {
        // Only a streamed body has no clone, and none of the bodies is streamed.
        let Some(copy) = request.try_clone() else { break };
        match attempt(&what, copy).await {
            Err(error) if error.is_retryable() => tokio::time::sleep(wait).await,
            result => return result,
        }
        wait *= 2;
    }
    attempt(&what, request).await
}

async fn attempt<T: for<'de> Deserialize<'de>>(what: &str, request: RequestBuilder) -> Result<T, ApiError> {
    let unreachable = |source| ApiError::Unreachable { what: what.to_owned(), source };
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let bytes = response.bytes().await.map_err(unreachable)?;
    if !status.is_success() {
        let body = String::from_utf8_lossy(&bytes).into_owned();
        return Err(ApiError::Refused { what: what.to_owned(), status, body });
    }
    serde_json::from_slice(&bytes).map_err(|source| ApiError::Unreadable { what: what.to_owned(), source })
}

impl ApiError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Unreadable { .. } => false,
        }
    }
}
