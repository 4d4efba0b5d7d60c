//! One function: its processes, how many may run at once, and what it did so far.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use local_journal::{Event, InvokeOutcome};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::logs::Logs;
use super::process::{End, Host, Process};
use super::{Function, Stats, outcome};

/// Processes of one function at once, where it reserves no concurrency.
const UNRESERVED: usize = 16;
/// The newest of them say how long a start takes; a function that crashes for days must not fill the memory.
const INITS: usize = 1_000;

pub(super) struct Pool {
    pub function: Function,
    pub logs: Arc<Logs>,
    host: Arc<Host>,
    permits: Arc<Semaphore>,
    /// Processes without work, the one that was used last at the end: it is the one to use next, so that the others
    /// stay out of the caches. Never more than permits, since a process starts only when none is idle.
    idle: Mutex<Vec<Process>>,
    stats: Mutex<Stats>,
}

/// The right to run one invoke.
pub(super) struct Permit {
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub fn new(function: Function, host: Arc<Host>) -> Self {
        let permits = function.concurrency.unwrap_or(UNRESERVED).min(Semaphore::MAX_PERMITS);
        Self {
            logs: Arc::new(Logs::new(&function.name)),
            function,
            host,
            permits: Arc::new(Semaphore::new(permits)),
            idle: Mutex::default(),
            stats: Mutex::default(),
        }
    }

    /// None at the concurrency limit.
    pub fn try_permit(&self) -> Option<Permit> {
        let permit = self.permits.clone().try_acquire_owned().ok()?;
        Some(Permit { _permit: permit })
    }

    /// Waits for a permit; none ever comes after a shutdown.
    pub async fn permit(&self) -> Option<Permit> {
        let permit = self.permits.clone().acquire_owned().await.ok()?;
        Some(Permit { _permit: permit })
    }

    /// Lets no further invoke run.
    pub fn close(&self) {
        self.permits.close();
    }

    /// Runs one invoke to its end.
    pub async fn run(&self, id: &str, payload: Bytes, _permit: Permit) -> InvokeOutcome {
        locked(&self.stats).invocations += 1;
        let (journal, function) = (&self.host.journal, || self.function.name.clone());
        journal.record(|| Event::Began { function: function(), invoke: id.into(), payload: payload.clone() });
        let outcome = self.outcome(id, payload).await;
        journal.record(|| Event::Ended { function: function(), invoke: id.into(), outcome: outcome.clone() });
        outcome
    }

    async fn outcome(&self, id: &str, payload: Bytes) -> InvokeOutcome {
        loop {
            let warm = locked(&self.idle).pop();
            let (process, cold) = match warm {
                Some(process) => (process, false),
                None => match self.start(id).await {
                    Ok(process) => (process, true),
                    Err(failure) => return failure,
                },
            };
            let now = Duration::from_millis(u64::try_from(self.host.clock.now_ms()).unwrap_or(0));
            match process.run(id, payload.clone(), self.function.timeout, now).await {
                End::Over(outcome) => {
                    locked(&self.idle).push(process);
                    return outcome;
                }
                End::Lost(outcome) => return outcome,
                // A process that died while it was idle has done nothing of this yet. A new one that will not take work
                // would be followed by another such.
                End::NotTaken if cold => return outcome::exited(id, "before it took its first work"),
                End::NotTaken => {}
            }
        }
    }

    async fn start(&self, id: &str) -> Result<Process, InvokeOutcome> {
        locked(&self.stats).cold_starts += 1;
        let (process, init) = Process::start(&self.function, &self.host, self.logs.clone(), id).await?;
        let mut stats = locked(&self.stats);
        if stats.inits.len() >= INITS {
            stats.inits.remove(0);
        }
        stats.inits.push(init);
        drop(stats);
        Ok(process)
    }

    pub fn stats(&self) -> Stats {
        locked(&self.stats).clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
