//! What a device does for each command: the handlers, and the run of one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::agent::outcome::Outcome;
use crate::cancellation::Cancellation;

/// Time that a handler has to end after a cancel; then its future is dropped.
const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// One run of a command.
#[derive(Clone, Debug)]
pub struct Job {
    /// The execution's id; for a broadcast, the command's id.
    pub execution_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The command's name.
    pub command: String,
    /// The command's payload; null when the request has none.
    pub payload: Value,
    /// Tells the handler that the command was canceled.
    pub cancellation: Cancellation,
}

pub(crate) type Handler = Arc<dyn Fn(Job) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;

/// A handler for each command of a device. A command without a handler is rejected as UNKNOWN_COMMAND.
#[derive(Clone, Default)]
pub struct Handlers {
    by_command: BTreeMap<String, Handler>,
    fallback: Option<Handler>,
    repeatable: BTreeSet<String>,
}

impl Handlers {
    /// Adds a handler for one command.
    pub fn on<F, R>(mut self, command: &str, handler: F) -> Self
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        self.by_command.insert(command.to_owned(), Arc::new(move |job| Box::pin(handler(job))));
        self
    }

    /// Adds a handler for every command that has none of its own.
    pub fn fallback<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        self.fallback = Some(Arc::new(move |job| Box::pin(handler(job))));
        self
    }

    /// Declares a command safe to run twice: when a restart interrupts it, it is started again and not reported FAILED.
    pub fn safe_to_repeat(mut self, command: &str) -> Self {
        self.repeatable.insert(command.to_owned());
        self
    }

    pub(crate) fn get(&self, command: &str) -> Option<&Handler> {
        self.by_command.get(command).or(self.fallback.as_ref())
    }

    /// The commands that have a handler; `None` means that every command has one.
    pub(crate) fn commands(&self) -> Option<BTreeSet<String>> {
        self.fallback.is_none().then(|| self.by_command.keys().cloned().collect())
    }

    pub(crate) fn repeatable(&self) -> BTreeSet<String> {
        self.repeatable.clone()
    }
}

/// Runs a handler until it ends, or until the grace after a cancel is over.
pub(crate) async fn run(handler: Handler, job: Job) -> Outcome {
    let mut cancellation = job.cancellation.clone();
    let grace_is_over = async move {
        cancellation.requested().await;
        tokio::time::sleep(CANCEL_GRACE).await;
    };
    tokio::select! {
        // Called within this future, so that a panic in the handler ends only its own task.
        outcome = async { handler(job).await } => outcome,
        () = grace_is_over => Outcome::failed("STOPPED", "the command was canceled"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancellation::Canceler;

    fn job(cancellation: Cancellation) -> Job {
        let (execution_id, command) = ("e1".to_owned(), "pump".to_owned());
        Job { execution_id, attempt: 1, command, payload: Value::Null, cancellation }
    }

    async fn run_canceled(handlers: Handlers) -> Outcome {
        let (canceler, cancellation) = Canceler::new();
        let handler = handlers.get("pump").unwrap().clone();
        canceler.request();
        run(handler, job(cancellation)).await
    }

    #[tokio::test(start_paused = true)]
    async fn canceled_handler_may_end_by_itself_and_is_dropped_after_the_grace() {
        let cooperative = Handlers::default().on("pump", |mut job| async move {
            job.cancellation.requested().await;
            assert!(job.cancellation.is_requested());
            Outcome::failed("VALVE_CLOSED", "")
        });
        assert_eq!(run_canceled(cooperative).await.reason_code(), Some("VALVE_CLOSED"));
        let uncooperative = Handlers::default().fallback(|_| std::future::pending());
        assert_eq!(run_canceled(uncooperative).await.reason_code(), Some("STOPPED"));
    }

    #[tokio::test(start_paused = true)]
    async fn dropped_canceler_is_no_cancel() {
        let handlers = Handlers::default().on("pump", |mut job| async move {
            tokio::select! {
                () = job.cancellation.requested() => Outcome::failed("STOPPED", ""),
                () = tokio::time::sleep(Duration::from_secs(60)) => Outcome::succeeded(None),
            }
        });
        let (canceler, cancellation) = Canceler::new();
        drop(canceler);
        let handler = handlers.get("pump").unwrap().clone();
        assert_eq!(run(handler, job(cancellation)).await, Outcome::succeeded(None));
    }
}
