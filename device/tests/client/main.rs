//! Tests of the reference device against a broker that the test plays, packet by packet.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use device::agent::Outcome;
use device::handlers::Handlers;
use serde_json::json;
use tokio::sync::mpsc;

mod broadcasts;
mod broker;
mod executions;
mod links;
mod restarts;
mod sessions;
mod shadow;

const NOW_MS: i64 = 1_000_000;

/// Longest wait for one packet or event, in real time.
const TEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Waits for a future, and fails the test at this place when it takes too long.
#[track_caller]
fn within_timeout<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let caller = std::panic::Location::caller();
    async move {
        let result = tokio::time::timeout(TEST_TIMEOUT, future).await;
        result.unwrap_or_else(|_| panic!("nothing happened for {TEST_TIMEOUT:?} at {caller}"))
    }
}

fn request(id: &str, command: &str) -> Vec<u8> {
    json!({"executionId": id, "attempt": 1, "command": command, "ttl": 10, "expiresAt": NOW_MS / 1000 + 10})
        .to_string()
        .into_bytes()
}

/// A handler for `reboot` that succeeds at once and counts its runs.
fn counting_handler(runs: &Arc<AtomicUsize>) -> Handlers {
    let runs = runs.clone();
    Handlers::default().on("reboot", move |_| {
        let runs = runs.clone();
        async move {
            runs.fetch_add(1, Ordering::SeqCst);
            Outcome::succeeded(None)
        }
    })
}

/// A handler for `pump` that runs until it is canceled, then sends the execution's id.
fn endless_handler(canceled: mpsc::UnboundedSender<String>) -> Handlers {
    Handlers::default().on("pump", move |mut job| {
        let canceled = canceled.clone();
        async move {
            job.cancellation.requested().await;
            canceled.send(job.execution_id).unwrap();
            Outcome::failed("STOPPED", "the command was canceled")
        }
    })
}
