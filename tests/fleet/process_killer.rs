//! Kills a process of a random function every second.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use local::faults::Faults;
use tokio::task::JoinHandle;

/// The functions that take part in a fleet command.
pub const FUNCTIONS: [&str; 5] =
    ["fan-out-command", "dispatch-commands", "tally-command", "track-command", "reconcile-commands"];

/// Kills processes until it is dropped.
pub struct ProcessKiller {
    task: JoinHandle<()>,
    killed: Arc<AtomicUsize>,
}

impl ProcessKiller {
    pub fn start(faults: Faults) -> Self {
        let killed = Arc::<AtomicUsize>::default();
        let count = killed.clone();
        let task = tokio::spawn(async move {
            let mut random = fastrand::Rng::with_seed(7);
            let mut interval = tokio::time::interval(Duration::from_secs(1));
            loop {
                interval.tick().await;
                let first = random.usize(..FUNCTIONS.len());
                // If no process of the first function runs, the next function is tried.
                let functions = FUNCTIONS.iter().cycle().skip(first).take(FUNCTIONS.len());
                let pick = random.usize(..);
                let is_killed =
                    functions.map(|name| format!("flaghoist-{name}")).any(|name| faults.kill_one(&name, pick));
                count.fetch_add(usize::from(is_killed), Ordering::Relaxed);
            }
        });
        Self { task, killed }
    }

    /// Number of killed processes.
    pub fn killed(&self) -> usize {
        self.killed.load(Ordering::Relaxed)
    }
}

impl Drop for ProcessKiller {
    fn drop(&mut self) {
        self.task.abort();
    }
}
