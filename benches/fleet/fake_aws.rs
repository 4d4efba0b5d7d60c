//! A fake AWS for the benchmark: answers every request after 10 ms, and keeps the items and counts the messages.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{self, Path};
use axum::http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::serve::ListenerExt;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::tables::Tables;

/// How long each request takes.
const LATENCY: Duration = Duration::from_millis(10);

#[derive(Default)]
struct State {
    /// Number of requests.
    requests: u64,
    /// Number of messages by topic.
    published: HashMap<String, u32>,
    tables: Tables,
}

#[derive(Clone, Default)]
struct SharedState(Arc<Mutex<State>>);

impl SharedState {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server stops when this is dropped.
pub struct FakeAws {
    address: SocketAddr,
    state: SharedState,
    server: JoinHandle<()>,
}

impl FakeAws {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("the listener has an address");
        let state = SharedState::default();
        let router = Router::new()
            .route("/", post(dynamodb))
            .route("/topics/{topic}", post(publish))
            .fallback(async || (StatusCode::NOT_FOUND, "{}"))
            .with_state(state.clone());
        let listener = listener.tap_io(|socket| socket.set_nodelay(true).expect("the socket accepts TCP_NODELAY"));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("the server runs") });
        Self { address, state, server }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn requests(&self) -> u64 {
        self.state.lock().requests
    }

    /// Number of messages on a topic.
    pub fn published(&self, topic: &str) -> u32 {
        self.state.lock().published.get(topic).copied().unwrap_or(0)
    }

    /// Number of items in a table.
    pub fn rows(&self, table: &str) -> usize {
        self.state.lock().tables.rows(table)
    }
}

impl Drop for FakeAws {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn publish(extract::State(state): extract::State<SharedState>, Path(topic): Path<String>) -> impl IntoResponse {
    {
        let mut state = state.lock();
        state.requests += 1;
        *state.published.entry(topic).or_default() += 1;
    }
    tokio::time::sleep(LATENCY).await;
    ([(CONTENT_TYPE, "application/json")], r#"{"message":"OK","traceId":"0"}"#)
}

async fn dynamodb(
    extract::State(state): extract::State<SharedState>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    let answer = match serde_json::from_slice::<Value>(&body) {
        Ok(request) => {
            let mut state = state.lock();
            state.requests += 1;
            state.tables.answer(operation, request)
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
