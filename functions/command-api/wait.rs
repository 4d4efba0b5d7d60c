//! Waits for the end of an execution, as `waitSeconds` asks for.

use std::{pin::Pin, time::Duration};

use domain::{Execution, Timestamp};
use runtime::clients::Clients;
use tokio::time::{Sleep, sleep};

use super::problem::Problem;

/// Pause before the first read is one and a half times this. Most devices answer at once.
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// Longest pause between two reads, each of which costs a read unit.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Reads the execution until it has ended or `time_is_up`. `now` is the time of the request: the wait is added to it,
/// so that an execution whose deadline passes meanwhile is shown as timed out.
pub async fn wait_for_end(
    clients: &Clients,
    mut execution: Execution,
    now: Timestamp,
    mut time_is_up: Pin<&mut Sleep>,
) -> Result<Execution, Problem> {
    let mut waited = Duration::ZERO;
    let mut pause = FIRST_PAUSE;
    loop {
        let waited_ms = i64::try_from(waited.as_millis()).unwrap_or(i64::MAX);
        let observed = execution.observe(Timestamp::from_millis(now.as_millis().saturating_add(waited_ms)));
        if observed.is_terminal() || time_is_up.is_elapsed() {
            return Ok(observed);
        }
        pause = (pause * 3 / 2).min(MAX_PAUSE);
        tokio::select! {
            () = &mut time_is_up => {}
            () = sleep(pause) => waited += pause,
        }
        if let Some(row) = clients.executions.get(&execution.key).await? {
            execution = row;
        }
    }
}
