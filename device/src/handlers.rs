//! What a device does for each command, and how a command that runs learns that it is no longer wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::agent::Outcome;

/// How long a handler may take to end after it was told to stop; then it is dropped.
const GRACE: Duration = Duration::from_secs(5);

/// One command to be carried out.
#[derive(Clone, Debug)]
pub struct Job {
    /// The execution; of a broadcast, the command's id.
    pub execution_id: String,
    /// Which attempt at it, from 1.
    pub attempt: u32,
    /// The command's name.
    pub command: String,
    /// Its payload; null when there is none.
    pub payload: Value,
    /// Tells when it is canceled.
    pub stop: Stop,
}

/// Tells a handler that its command was canceled. How it ends then is reported to nobody, but it should end soon: after
/// five seconds its future is dropped.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Whether the command was canceled, for a handler that works in steps.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the command is canceled, for `select!`.
    pub async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending().await
        }
    }
}

/// The other end of [`Stop`].
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<bool>);

impl Stopper {
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

pub(crate) type Handler = Arc<dyn Fn(Job) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;

/// What a device does for each command. Commands without a handler are rejected.
#[derive(Clone, Default)]
pub struct Handlers {
    named: BTreeMap<String, Handler>,
    otherwise: Option<Handler>,
    repeatable: BTreeSet<String>,
}

impl Handlers {
    /// Adds a handler for one command.
    pub fn on<F, R>(mut self, command: &str, handler: F) -> Self
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        self.named.insert(command.to_owned(), Arc::new(move |job| Box::pin(handler(job))));
        self
    }

    /// Adds a handler for every other command.
    pub fn otherwise<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        self.otherwise = Some(Arc::new(move |job| Box::pin(handler(job))));
        self
    }

    /// Declares a command safe to repeat: one that a restart cut short is started again, and not reported as failed.
    pub fn safe_to_repeat(mut self, command: &str) -> Self {
        self.repeatable.insert(command.to_owned());
        self
    }

    pub(crate) fn get(&self, command: &str) -> Option<&Handler> {
        self.named.get(command).or(self.otherwise.as_ref())
    }

    /// The commands that have a handler; `None`: all have.
    pub(crate) fn known(&self) -> Option<BTreeSet<String>> {
        self.otherwise.is_none().then(|| self.named.keys().cloned().collect())
    }

    pub(crate) fn repeatable(&self) -> BTreeSet<String> {
        self.repeatable.clone()
    }
}

/// Carries out a command, until it has ended or was stopped.
pub(crate) async fn run(handler: Handler, job: Job) -> Outcome {
    let mut stop = job.stop.clone();
    let dropped = async move {
        stop.asked().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        // Called inside its task, so that a panic in it stays there.
        outcome = async { handler(job).await } => outcome,
        () = dropped => Outcome::failed("STOPPED", "canceled"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn stopped(handlers: Handlers) -> Outcome {
        let (stopper, stop) = Stopper::new();
        let (execution_id, command) = ("e1".to_owned(), "pump".to_owned());
        let handler = handlers.get(&command).unwrap().clone();
        stopper.stop();
        run(handler, Job { execution_id, attempt: 1, command, payload: Value::Null, stop }).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_handler_may_end_by_itself_and_is_dropped_if_it_does_not() {
        let polite = Handlers::default().on("pump", |mut job| async move {
            job.stop.asked().await;
            assert!(job.stop.is_asked());
            Outcome::failed("VALVE_CLOSED", "")
        });
        assert_eq!(stopped(polite).await.reason_code(), Some("VALVE_CLOSED"));
        let deaf = Handlers::default().otherwise(|_| std::future::pending());
        assert_eq!(stopped(deaf).await.reason_code(), Some("STOPPED"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_whose_device_is_gone_was_not_canceled() {
        let patient = Handlers::default().on("pump", |mut job| async move {
            tokio::select! {
                () = job.stop.asked() => Outcome::failed("STOPPED", ""),
                () = tokio::time::sleep(Duration::from_secs(60)) => Outcome::succeeded(None),
            }
        });
        let (stopper, stop) = Stopper::new();
        drop(stopper);
        let job =
            Job { execution_id: "e1".to_owned(), attempt: 1, command: "pump".to_owned(), payload: Value::Null, stop };
        let handler = patient.get("pump").unwrap().clone();
        assert_eq!(run(handler, job).await, Outcome::succeeded(None));
    }
}
