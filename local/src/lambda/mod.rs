//! Lambda: the Runtime API host, its processes, asynchronous invokes, retries and destinations.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Clock;
use crate::sqs::Sqs;

/// A function as the host runs it.
#[derive(Clone, Debug)]
pub struct Function {
    pub name: String,
    pub arn: String,
    pub program: PathBuf,
    pub memory_mb: u32,
    pub timeout: Duration,
    pub environment: BTreeMap<String, String>,
    /// At most this many processes at once.
    pub concurrency: usize,
    /// Retries of an asynchronous invoke, 0 to 2.
    pub retries: u8,
    /// An asynchronous event older than this goes to `on_failure` instead of another try.
    pub event_age: Duration,
    /// ARN of the queue for asynchronous events that failed for good.
    pub on_failure: Option<String>,
}

/// How a synchronous invoke ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub payload: Bytes,
    /// `Unhandled` where the function failed; the payload then is `{"errorType","errorMessage"}`.
    pub error: Option<String>,
}

/// Why an invoke was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    #[error("function not found: {0}")]
    NotFound(String),
    #[error("rate exceeded: {0} is at its concurrency limit")]
    Throttled(String),
    #[error("payload of {bytes} bytes is larger than {limit}")]
    TooLarge { bytes: usize, limit: usize },
}

/// A handle on the host; clones share it.
#[derive(Clone)]
pub struct Lambda {}

#[allow(unused_variables)]
impl Lambda {
    /// Binds the Runtime API on a loopback port of its own; processes start on demand.
    pub async fn start(clock: Clock, functions: Vec<Function>, sqs: Sqs) -> std::io::Result<Self> {
        unimplemented!()
    }
    /// Invokes synchronously, by name or ARN.
    pub async fn invoke(&self, function: &str, payload: Bytes) -> Result<Outcome, InvokeError> {
        unimplemented!()
    }
    /// Accepts an asynchronous event (invocation type `Event`), by name or ARN.
    pub fn invoke_event(&self, function: &str, payload: Bytes) -> Result<(), InvokeError> {
        unimplemented!()
    }
    /// Returns once nothing is running or ready to run (retries that wait for the clock do not count).
    pub async fn idle(&self) {
        unimplemented!()
    }
    /// `POST /2015-03-31/functions/{name}/invocations` and the read calls of the Lambda API.
    pub fn router(&self) -> axum::Router {
        unimplemented!()
    }
    /// Ends every process.
    pub async fn shutdown(&self) {
        unimplemented!()
    }
}
