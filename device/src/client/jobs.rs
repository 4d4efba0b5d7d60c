//! The handlers that run on a device, each in a task of its own.

use std::collections::HashMap;

use tokio::task::{Id, JoinError, JoinSet};

use crate::agent::outcome::Outcome;
use crate::cancellation::Canceler;
use crate::handlers::{Handler, Job, run};

/// Running jobs. Dropping it drops their handlers.
#[derive(Default)]
pub(super) struct Jobs {
    tasks: JoinSet<Outcome>,
    running: HashMap<Id, RunningJob>,
}

struct RunningJob {
    execution_id: String,
    attempt: u32,
    canceler: Canceler,
}

/// A job whose handler has ended.
pub(super) struct EndedJob {
    pub execution_id: String,
    pub attempt: u32,
    pub outcome: Outcome,
}

impl Jobs {
    pub fn start(&mut self, handler: Handler, job: Job, canceler: Canceler) {
        let (execution_id, attempt) = (job.execution_id.clone(), job.attempt);
        let task = self.tasks.spawn(run(handler, job));
        self.running.insert(task.id(), RunningJob { execution_id, attempt, canceler });
    }

    pub fn cancel(&self, execution_id: &str, attempt: u32) {
        let is_wanted = |job: &&RunningJob| job.execution_id == execution_id && job.attempt == attempt;
        if let Some(job) = self.running.values().find(is_wanted) {
            job.canceler.request();
        }
    }

    /// The next task that ends; `None` when none runs. Cancel-safe.
    pub async fn join_next(&mut self) -> Option<Result<(Id, Outcome), JoinError>> {
        self.tasks.join_next_with_id().await
    }

    /// The job of a task that has ended. A handler that panicked has FAILED.
    pub fn remove(&mut self, joined: Result<(Id, Outcome), JoinError>) -> Option<EndedJob> {
        let (id, outcome) = match joined {
            Ok((id, outcome)) => (id, outcome),
            Err(error) => (error.id(), Outcome::failed("HANDLER_PANICKED", error.to_string())),
        };
        let RunningJob { execution_id, attempt, .. } = self.running.remove(&id)?;
        Some(EndedJob { execution_id, attempt, outcome })
    }
}
