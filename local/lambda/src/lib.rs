//! AWS Lambda: host of function processes (Runtime API), asynchronous events, retries and destinations.
//!
//! | file | holds |
//! |---|---|
//! | `pool` | processes of one function, their concurrency limit, statistics |
//! | `process` | one process: start, invokes, end |
//! | `work_slot` | transfer of an invoke to a process and of its reply |
//! | `runtime_api` | the Runtime API that a process polls for invokes |
//! | `outcome` | outcomes of invokes, with the error texts of Lambda |
//! | `events` | asynchronous events: queue, retries, age |
//! | `destination` | the record of a discarded event |
//! | `activity` | counts running and ready invokes |
//! | `logs` | output of functions |
//! | `api` | the HTTP API of Lambda |
//! | [`testing`] | scripted function for tests |

mod activity;
mod api;
mod destination;
mod events;
mod logs;
mod outcome;
mod pool;
mod process;
mod runtime_api;
mod work_slot;

pub mod testing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use local_clock::Clock;
use local_faults::{AsyncEvent, Delivery, Faults};
use local_journal::{Event as JournalEvent, Journal};
use local_sqs::Sqs;
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;

use activity::Activity;
use events::{Event, Events};
use pool::Pool;
use process::Host;

pub use local_journal::InvokeOutcome;

/// Maximum bytes of the payload of a synchronous invoke and of a response (Lambda quotas).
pub const SYNC_LIMIT: usize = 6 * 1024 * 1024;
/// Maximum bytes of the payload of an asynchronous invoke (Lambda quotas).
pub const ASYNC_LIMIT: usize = 1024 * 1024;

/// Configuration of a function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Function name, unique within the host.
    pub name: String,
    /// ARN without a version.
    pub arn: String,
    /// Path of the executable, which must use the Runtime API.
    pub program: PathBuf,
    /// Memory in MB that the function finds in its environment; it is not enforced.
    pub memory_mb: u32,
    /// Maximum duration of an invoke; the process is killed at its end.
    pub timeout: Duration,
    /// Environment variables of the function configuration.
    pub environment: BTreeMap<String, String>,
    /// Further environment variables, such as credentials, which the Lambda API does not show.
    pub added_environment: BTreeMap<String, String>,
    /// Reserved concurrency, beyond which invokes are throttled; 0 throttles every invoke. With `None`, invokes wait
    /// for one of 16 processes: AWS allows 1,000 concurrent invokes, more than a local machine can run.
    pub concurrency: Option<usize>,
    /// Retries of an asynchronous invoke, 0 to 2.
    pub retries: u8,
    /// Maximum age of an asynchronous event; an older one is sent to `on_failure` instead of being retried.
    pub event_age: Duration,
    /// ARN of the queue for discarded asynchronous events.
    pub on_failure: Option<String>,
}

/// Reason for rejecting an invoke.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// No function has this name or ARN.
    #[error("function not found: {0}")]
    NotFound(String),
    /// The function runs as many invokes as its reserved concurrency allows.
    #[error("rate exceeded: {0} is at its concurrency limit")]
    Throttled(String),
    /// The payload is larger than [`SYNC_LIMIT`] or [`ASYNC_LIMIT`].
    #[error("the payload has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// Size of the payload in bytes.
        bytes: usize,
        /// Maximum size in bytes.
        limit: usize,
    },
}

/// Statistics of a function since the start of the host.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Number of invokes that were run, retries included.
    pub invocations: u64,
    /// Number of processes that were started.
    pub cold_starts: u64,
    /// Time from the start of a process to its first `GET next`, for the last 1,000 processes that reached it.
    pub inits: Vec<Duration>,
}

/// Handle of the host; clones share it. Dropping the last clone ends the processes.
#[derive(Clone)]
pub struct Lambda(Arc<Inner>);

struct Inner {
    clock: Clock,
    host: Arc<Host>,
    activity: Activity,
    functions: HashMap<String, Entry>,
    _stop: DropGuard,
}

struct Entry {
    pool: Arc<Pool>,
    events: mpsc::UnboundedSender<Event>,
}

impl Lambda {
    /// Starts a host for these functions without faults and journal. Processes start on demand.
    ///
    /// # Errors
    /// None at present.
    pub async fn start(clock: Clock, functions: Vec<Function>, sqs: Sqs) -> std::io::Result<Self> {
        Self::start_with(clock, functions, sqs, Faults::default(), Journal::default()).await
    }

    /// As [`Lambda::start`], with injected faults and a journal that records every invoke.
    ///
    /// # Errors
    /// None at present.
    pub async fn start_with(
        clock: Clock,
        functions: Vec<Function>,
        sqs: Sqs,
        faults: Faults,
        journal: Journal,
    ) -> std::io::Result<Self> {
        let host = Arc::new(Host::new(clock.clone(), faults, journal));
        let mut entries = HashMap::new();
        for function in functions {
            let name = function.name.clone();
            let pool = Arc::new(Pool::new(function, host.clone()));
            let events = Events::start(clock.clone(), pool.clone(), sqs.clone(), host.stop.clone());
            entries.insert(name, Entry { pool, events });
        }
        let _stop = host.stop.clone().drop_guard();
        let activity = Activity::new(clock.clone());
        Ok(Self(Arc::new(Inner { clock, host, activity, functions: entries, _stop })))
    }

    /// Invokes a function synchronously, by name or ARN. A running invoke continues if the caller drops the future.
    ///
    /// # Errors
    /// The function is unknown or throttled, or the payload is too large.
    pub async fn invoke(&self, function: &str, payload: Bytes) -> Result<InvokeOutcome, InvokeError> {
        let pool = self.find(function)?.pool.clone();
        check_size(&payload, SYNC_LIMIT)?;
        let busy = self.0.activity.enter(&pool.function.name);
        let permit = match pool.function.concurrency {
            Some(_) => pool.try_permit(),
            None => pool.permit().await,
        };
        let permit = permit.ok_or_else(|| InvokeError::Throttled(pool.function.name.clone()))?;
        let invoke = tokio::spawn(async move {
            let id = uuid::Uuid::new_v4().to_string();
            let outcome = pool.run(&busy, &id, payload, permit).await;
            drop(busy);
            outcome
        });
        Ok(invoke.await.unwrap_or_else(|error| outcome::failed("Runtime.Unknown", &error.to_string())))
    }

    /// Queues an asynchronous event (invocation type `Event`) for a function, by name or ARN.
    ///
    /// # Errors
    /// The function is unknown, or the payload is too large.
    pub fn invoke_event(&self, function: &str, payload: Bytes) -> Result<(), InvokeError> {
        let entry = self.find(function)?;
        check_size(&payload, ASYNC_LIMIT)?;
        let host = &self.0.host;
        let function = &entry.pool.function.name;
        let delivery = host.faults.delivery(&AsyncEvent { function, payload: &payload });
        if delivery != Delivery::Once {
            let (function, payload) = (function.clone(), payload.clone());
            host.journal.record(|| JournalEvent::Misdelivered { function, payload, delivery });
        }
        let (id, now_ms) = (uuid::Uuid::new_v4().to_string(), self.0.clock.now_ms());
        let (events, activity) = (entry.events.clone(), self.0.activity.clone());
        let name = function.clone();
        let event = move || Event::new(id.clone(), payload.clone(), now_ms, activity.enter(&name));
        // After a shutdown the queue has no receiver, and events are dropped.
        let deliver = move |event| drop(events.send(event));
        match delivery {
            Delivery::Once => deliver(event()),
            Delivery::Twice => {
                deliver(event());
                deliver(event());
            }
            Delivery::Never => {}
            Delivery::Held => host.faults.hold(move || deliver(event())),
            Delivery::After(wait) => {
                let (mut event, stop) = (event(), host.stop.clone());
                let due_ms = now_ms.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
                tokio::spawn(stop.run_until_cancelled_owned(async move {
                    event.sleep_until(due_ms).await;
                    deliver(event);
                }));
            }
        }
        Ok(())
    }

    /// Returns once no invoke runs or is ready to run. Retries that wait for the clock do not count.
    pub async fn idle(&self) {
        self.0.activity.idle().await;
    }

    /// The invokes that [`Lambda::idle`] waits for, one line each; empty if it returns immediately.
    pub fn pending(&self) -> Vec<String> {
        self.0.activity.pending()
    }

    /// The last 10,000 lines that a function printed, oldest first; empty for an unknown function.
    pub fn logs(&self, function: &str) -> Vec<String> {
        self.find(function).map(|entry| entry.pool.logs.lines()).unwrap_or_default()
    }

    /// Statistics of a function; all zero for an unknown function.
    pub fn stats(&self, function: &str) -> Stats {
        self.find(function).map(|entry| entry.pool.stats()).unwrap_or_default()
    }

    /// The HTTP API: `POST /2015-03-31/functions/{name}/invocations` and the read operations of the Lambda API.
    pub fn router(&self) -> axum::Router {
        api::router(self.clone())
    }

    /// Ends all processes and waits until they have exited. Running invokes fail.
    pub async fn shutdown(&self) {
        self.0.functions.values().for_each(|entry| entry.pool.close());
        self.0.host.shutdown().await;
    }

    /// Finds a function by `name`, `account:function:name` or ARN, each with or without a version.
    fn find(&self, function: &str) -> Result<&Entry, InvokeError> {
        let name = match function.rsplit_once("function:") {
            Some((_, name)) => name,
            None => function,
        };
        let name = name.split_once(':').map_or(name, |(name, _version)| name);
        self.0.functions.get(name).ok_or_else(|| InvokeError::NotFound(function.to_owned()))
    }
}

fn check_size(payload: &Bytes, limit: usize) -> Result<(), InvokeError> {
    match payload.len() {
        bytes if bytes > limit => Err(InvokeError::TooLarge { bytes, limit }),
        _ => Ok(()),
    }
}
