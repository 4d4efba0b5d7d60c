//! The command API and the shadow API, as an operator's program calls them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// Wishes under way at the same time.
const AT_ONCE: usize = 8;
/// Tries of a request that got no usable answer.
const TRIES: u32 = 5;

/// The statuses that an execution can have, in the order in which people expect them.
pub(super) const STATUSES: [&str; 7] =
    ["CREATED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "CANCELED"];

/// How a fleet command stands, as the API and its events show it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Standing {
    pub state: String,
    pub counts: Counts,
}

/// How many executions are where.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Counts {
    pub total: u64,
    /// Things that have no execution yet.
    pub waiting: u64,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

impl Counts {
    /// How many have a status.
    pub fn of(&self, status: &str) -> u64 {
        self.others.get(status).and_then(Value::as_u64).unwrap_or(0)
    }

    /// How many have ended.
    pub fn ended(&self) -> u64 {
        STATUSES.iter().skip(2).map(|status| self.of(status)).sum()
    }

    /// `waiting 12, SUCCEEDED 120, FAILED 14`, in the usual order.
    pub fn summary(&self) -> String {
        let waiting = ("waiting", self.waiting);
        let parts = std::iter::once(waiting).chain(STATUSES.iter().map(|status| (*status, self.of(status))));
        parts.filter(|(_, n)| *n > 0).map(|(what, n)| format!("{what} {n}")).collect::<Vec<_>>().join(", ")
    }
}

/// One command for a thing group.
#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    pub group: &'a str,
    pub ttl: u32,
    pub heartbeat: u32,
    /// How many are asked first.
    pub canary: u32,
    /// How many things a minute after those.
    pub per_minute: u32,
}

/// An execution as the API shows it, as far as the demo looks.
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
    wishes: Semaphore,
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
        Self { http: Client::new(), api, gateway, wishes: Semaphore::new(AT_ONCE) }
    }

    /// Asks a group to do something; returns the command's id, and when it was asked for.
    pub async fn create(&self, asked: &Asked<'_>) -> Result<(String, Instant), ApiError> {
        let &Asked { group, ttl, heartbeat, canary, per_minute } = asked;
        let body = json!({
            "name": "set-speed",
            "payload": {"rpm": 1200},
            "target": {"groups": [group]},
            "delivery": "topic",
            "ttl": ttl,
            "heartbeat": heartbeat,
            // Scripts decide how many of them succeed: it goes on with half of them.
            "rollout": {"canary": {"things": canary, "successPercentage": 50}, "maximumPerMinute": per_minute},
        });
        // With a token a repeated request is the same command, so it can be repeated when its answer was lost.
        let token = uuid::Uuid::new_v4().to_string();
        let request = self.http.post(format!("{}/commands", self.api)).header("idempotency-key", token).json(&body);
        let asked_at = Instant::now();
        let created: Created = call("POST /commands".to_owned(), request).await?;
        Ok((created.command_id, asked_at))
    }

    /// How a command stands.
    pub async fn standing(&self, command_id: &str) -> Result<Standing, ApiError> {
        self.get(format!("/commands/{command_id}")).await
    }

    /// Lets a command go on that has paused itself.
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

    /// What a thing is wished to be.
    pub async fn set_desired(&self, thing: &str, desired: Value) -> Result<(), ApiError> {
        let path = format!("/things/{thing}/shadow");
        let body = json!({"state": {"desired": desired}});
        let request = self.http.post(format!("{}{path}", self.gateway)).json(&body);
        let _permit = self.wishes.acquire().await;
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
