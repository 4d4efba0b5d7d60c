//! Lambda: the Runtime API host, its processes, asynchronous invokes, retries and destinations.
//!
//! | file | holds |
//! |---|---|
//! | `pool` | one function: its processes, how many may run, what it did so far |
//! | `process` | one process, from its start to its end |
//! | `work_slot` | hands one piece of work to a process, and its reply back |
//! | `runtime_api` | the HTTP API that a process takes its work from |
//! | `outcome` | how an invoke ended, in Lambda's own words |
//! | `events` | asynchronous events: queue, retries, age |
//! | `destination` | the record of an event that failed for good |
//! | `activity` | what runs and what is ready to run |
//! | `logs` | what functions print |
//! | `api` | the calls of the Lambda API |
//! | [`testing`] | a scripted function for the tests of this crate and of those that invoke functions |

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

/// Largest payload of a synchronous invoke, and of an answer.
pub const SYNC_LIMIT: usize = 6 * 1024 * 1024;
/// Largest payload of an asynchronous invoke.
pub const ASYNC_LIMIT: usize = 1024 * 1024;

/// A function as the host runs it.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name, unique among the functions.
    pub name: String,
    /// Its ARN, without a version.
    pub arn: String,
    /// The binary, which speaks the Runtime API.
    pub program: PathBuf,
    /// What the function is told about its memory; nothing enforces it.
    pub memory_mb: u32,
    /// A process is killed when one invoke takes longer than this.
    pub timeout: Duration,
    /// Its own environment variables.
    pub environment: BTreeMap<String, String>,
    /// What else the process finds in its environment, besides what Lambda itself sets: credentials are among it, so the
    /// Lambda API does not tell it.
    pub added_environment: BTreeMap<String, String>,
    /// Reserved concurrency: beyond it, invokes are throttled; 0 throttles every one. `None`: an invoke waits for one of
    /// a few processes instead, as AWS has a thousand of them and this machine has not.
    pub concurrency: Option<usize>,
    /// Retries of an asynchronous invoke, 0 to 2.
    pub retries: u8,
    /// An asynchronous event older than this goes to `on_failure` instead of another try.
    pub event_age: Duration,
    /// ARN of the queue for asynchronous events that failed for good.
    pub on_failure: Option<String>,
}

/// Why an invoke was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// No function of that name or ARN.
    #[error("function not found: {0}")]
    NotFound(String),
    /// As many invokes as the function may have are running.
    #[error("rate exceeded: {0} is at its concurrency limit")]
    Throttled(String),
    /// More than [`SYNC_LIMIT`] or [`ASYNC_LIMIT`].
    #[error("payload of {bytes} bytes is larger than {limit}")]
    TooLarge {
        /// Bytes that were sent.
        bytes: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
}

/// What a function did since the start.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Invokes that a process was asked for, retries included.
    pub invocations: u64,
    /// Processes that were started.
    pub cold_starts: u64,
    /// From a process's start to its first `GET next`, for the newest 1,000 that got there.
    pub inits: Vec<Duration>,
}

/// A handle on the host; clones share it. The processes end with its last clone.
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
    /// Makes the functions ready to be invoked; their processes start on demand.
    pub async fn start(clock: Clock, functions: Vec<Function>, sqs: Sqs) -> std::io::Result<Self> {
        Self::start_with(clock, functions, sqs, Faults::default(), Journal::default()).await
    }

    /// As [`Lambda::start`]; what goes wrong is in `faults`, and the journal hears of every invoke.
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

    /// Invokes synchronously, by name or ARN. Once it runs, the invoke goes on when its caller does not wait for it.
    pub async fn invoke(&self, function: &str, payload: Bytes) -> Result<InvokeOutcome, InvokeError> {
        let pool = self.find(function)?.pool.clone();
        check_size(&payload, SYNC_LIMIT)?;
        let busy = self.0.activity.enter();
        let permit = match pool.function.concurrency {
            Some(_) => pool.try_permit(),
            None => pool.permit().await,
        };
        let permit = permit.ok_or_else(|| InvokeError::Throttled(pool.function.name.clone()))?;
        let invoke = tokio::spawn(async move {
            let id = uuid::Uuid::new_v4().to_string();
            let outcome = pool.run(&id, payload, permit).await;
            drop(busy);
            outcome
        });
        Ok(invoke.await.unwrap_or_else(|error| outcome::failed("Runtime.Unknown", &error.to_string())))
    }

    /// Accepts an asynchronous event (invocation type `Event`), by name or ARN.
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
        let event = move || Event::new(id.clone(), payload.clone(), now_ms, activity.enter());
        // Nobody takes events after a shutdown, and then nobody waits for them either.
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

    /// Returns once nothing is running or ready to run (retries that wait for the clock do not count).
    pub async fn idle(&self) {
        self.0.activity.idle().await;
    }

    /// The newest lines that a function has printed, oldest first; empty for an unknown function.
    pub fn logs(&self, function: &str) -> Vec<String> {
        self.find(function).map(|entry| entry.pool.logs.lines()).unwrap_or_default()
    }

    /// What a function did since the start; zero for an unknown function.
    pub fn stats(&self, function: &str) -> Stats {
        self.find(function).map(|entry| entry.pool.stats()).unwrap_or_default()
    }

    /// `POST /2015-03-31/functions/{name}/invocations` and the read calls of the Lambda API.
    pub fn router(&self) -> axum::Router {
        api::router(self.clone())
    }

    /// Ends every process, and returns when they are gone. What was running ends in an error.
    pub async fn shutdown(&self) {
        self.0.functions.values().for_each(|entry| entry.pool.close());
        self.0.host.shutdown().await;
    }

    /// Finds `name`, `account:function:name` or an ARN, each with or without a version.
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
