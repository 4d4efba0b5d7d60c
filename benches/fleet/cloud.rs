//! What stands for AWS: answers every request after 10 ms, and remembers what was put and what was published.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::serve::ListenerExt;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::table::Tables;

const LATENCY: Duration = Duration::from_millis(10);

#[derive(Default)]
struct Seen {
    requests: u64,
    published: HashMap<String, u32>,
    tables: Tables,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Seen>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends when it is dropped.
pub struct Cloud {
    address: SocketAddr,
    seen: Shared,
    server: JoinHandle<()>,
}

impl Cloud {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Shared::default();
        let router = Router::new()
            .route("/", post(dynamodb))
            .route("/topics/{topic}", post(publish))
            .fallback(async || (StatusCode::NOT_FOUND, "{}"))
            .with_state(seen.clone());
        let listener = listener.tap_io(|socket| socket.set_nodelay(true).expect("a socket"));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { address, seen, server }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn requests(&self) -> u64 {
        self.seen.lock().requests
    }

    /// How often something went to this topic.
    pub fn published(&self, topic: &str) -> u32 {
        self.seen.lock().published.get(topic).copied().unwrap_or(0)
    }

    /// How many items a table has.
    pub fn rows(&self, table: &str) -> usize {
        self.seen.lock().tables.rows(table)
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn publish(State(seen): State<Shared>, Path(topic): Path<String>) -> impl IntoResponse {
    {
        let mut seen = seen.lock();
        seen.requests += 1;
        *seen.published.entry(topic).or_default() += 1;
    }
    tokio::time::sleep(LATENCY).await;
    ([(CONTENT_TYPE, "application/json")], r#"{"message":"OK","traceId":"0"}"#)
}

async fn dynamodb(State(seen): State<Shared>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    let answer = match serde_json::from_slice::<Value>(&body) {
        Ok(request) => {
            let mut seen = seen.lock();
            seen.requests += 1;
            seen.tables.answer(operation, request)
        }
        Err(error) => Err(json!({"__type": "SerializationException", "message": error.to_string()})),
    };
    tokio::time::sleep(LATENCY).await;
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(body) => (StatusCode::BAD_REQUEST, body),
    };
    (status, [(CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string())
}
