//! One function: its processes, how many may run at once, and what it did so far.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::logs::Logs;
use super::process::{End, Host, Process};
use super::{Function, Outcome, Stats};
use crate::journal::Event;

/// Processes of one function at once, where it reserves no concurrency.
const UNRESERVED: usize = 16;
/// The newest of them say how long a start takes; a function that crashes for days must not fill the memory.
const INITS: usize = 1_000;

pub(super) struct Pool {
    pub function: Function,
    pub logs: Arc<Logs>,
    host: Arc<Host>,
    slots: Arc<Semaphore>,
    /// Processes without work, the one that was used last at the end: it is the one to use next, so that the others
    /// stay out of the caches. Never more than slots, since a process starts only when none is idle.
    idle: Mutex<Vec<Process>>,
    stats: Mutex<Stats>,
}

/// The right to run one invoke.
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub fn new(function: Function, host: Arc<Host>) -> Self {
        let slots = function.concurrency.unwrap_or(UNRESERVED).min(Semaphore::MAX_PERMITS);
        Self {
            logs: Arc::new(Logs::new(&function.name)),
            function,
            host,
            slots: Arc::new(Semaphore::new(slots)),
            idle: Mutex::default(),
            stats: Mutex::default(),
        }
    }

    /// None at the concurrency limit.
    pub fn try_slot(&self) -> Option<Slot> {
        let permit = self.slots.clone().try_acquire_owned().ok()?;
        Some(Slot { _permit: permit })
    }

    /// Waits for a slot; none ever comes after a shutdown.
    pub async fn slot(&self) -> Option<Slot> {
        let permit = self.slots.clone().acquire_owned().await.ok()?;
        Some(Slot { _permit: permit })
    }

    /// Lets no further invoke run.
    pub fn close(&self) {
        self.slots.close();
    }

    /// Runs one invoke to its end.
    pub async fn run(&self, id: &str, payload: Bytes, _slot: Slot) -> Outcome {
        locked(&self.stats).invocations += 1;
        let (journal, function) = (&self.host.journal, || self.function.name.clone());
        journal.record(|| Event::Began { function: function(), invoke: id.into(), payload: payload.clone() });
        let outcome = self.outcome(id, payload).await;
        journal.record(|| Event::Ended { function: function(), invoke: id.into(), outcome: outcome.clone() });
        outcome
    }

    async fn outcome(&self, id: &str, payload: Bytes) -> Outcome {
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
                End::NotTaken if cold => return Outcome::exited(id, "before it took its first work"),
                End::NotTaken => {}
            }
        }
    }

    async fn start(&self, id: &str) -> Result<Process, Outcome> {
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
