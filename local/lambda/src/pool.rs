//! Processes of one function: concurrency limit, reuse and start, statistics.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use local_journal::{Event, InvokeOutcome};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::activity::Busy;
use super::logs::Logs;
use super::process::{Host, Process, RunEnd};
use super::{Function, Stats, outcome};

/// Maximum processes of a function without reserved concurrency.
const MAX_UNRESERVED_PROCESSES: usize = 16;
/// Maximum number of start durations that are kept, so that frequent restarts do not exhaust the memory.
const MAX_START_DURATIONS: usize = 1_000;

pub(super) struct Pool {
    pub function: Function,
    pub logs: Arc<Logs>,
    host: Arc<Host>,
    permits: Arc<Semaphore>,
    /// Idle processes, the last used one at the end. It is used next, because its memory is most likely still cached.
    /// There are never more idle processes than permits: a process starts only if none is idle.
    idle: Mutex<Vec<Process>>,
    stats: Mutex<Stats>,
}

/// Permission to run one invoke; dropping it releases the permission.
pub(super) struct Permit {
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub fn new(function: Function, host: Arc<Host>) -> Self {
        let permits = function.concurrency.unwrap_or(MAX_UNRESERVED_PROCESSES).min(Semaphore::MAX_PERMITS);
        Self {
            logs: Arc::new(Logs::new(&function.name)),
            function,
            host,
            permits: Arc::new(Semaphore::new(permits)),
            idle: Mutex::default(),
            stats: Mutex::default(),
        }
    }

    /// A permit; `None` at the concurrency limit.
    pub fn try_permit(&self) -> Option<Permit> {
        let permit = self.permits.clone().try_acquire_owned().ok()?;
        Some(Permit { _permit: permit })
    }

    /// Waits for a permit; `None` after a shutdown.
    pub async fn permit(&self) -> Option<Permit> {
        let permit = self.permits.clone().acquire_owned().await.ok()?;
        Some(Permit { _permit: permit })
    }

    /// Prevents further invokes.
    pub fn close(&self) {
        self.permits.close();
    }

    /// Runs one invoke to its end and records it in the journal.
    pub async fn run(&self, busy: &Busy, id: &str, payload: Bytes, _permit: Permit) -> InvokeOutcome {
        lock(&self.stats).invocations += 1;
        let (journal, function) = (&self.host.journal, || self.function.name.clone());
        journal.record(|| Event::Began { function: function(), invoke: id.into(), payload: payload.clone() });
        let outcome = self.outcome(busy, id, payload).await;
        journal.record(|| Event::Ended { function: function(), invoke: id.into(), outcome: outcome.clone() });
        outcome
    }

    async fn outcome(&self, busy: &Busy, id: &str, payload: Bytes) -> InvokeOutcome {
        loop {
            let warm = lock(&self.idle).pop();
            let (process, cold) = match warm {
                Some(process) => (process, false),
                None => match self.start(busy, id).await {
                    Ok(process) => (process, true),
                    Err(failure) => return failure,
                },
            };
            let now = Duration::from_millis(u64::try_from(self.host.clock.now_ms()).unwrap_or(0));
            match process.run(busy, id, payload.clone(), self.function.timeout, now).await {
                RunEnd::Finished(outcome) => {
                    lock(&self.idle).push(process);
                    return outcome;
                }
                RunEnd::ProcessExited(outcome) => return outcome,
                // A process that exited while idle has not started this invoke, so another process can run it. A new
                // process that exits before its first invoke is an error, because a further one would most likely exit
                // as well.
                RunEnd::NotTaken if cold => return outcome::exited(id, "before it took its first invoke"),
                RunEnd::NotTaken => {}
            }
        }
    }

    async fn start(&self, busy: &Busy, id: &str) -> Result<Process, InvokeOutcome> {
        busy.stage("waits for a process to start");
        lock(&self.stats).cold_starts += 1;
        let (process, init) = Process::start(&self.function, &self.host, self.logs.clone(), id).await?;
        let mut stats = lock(&self.stats);
        if stats.inits.len() >= MAX_START_DURATIONS {
            stats.inits.remove(0);
        }
        stats.inits.push(init);
        drop(stats);
        Ok(process)
    }

    pub fn stats(&self) -> Stats {
        lock(&self.stats).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
