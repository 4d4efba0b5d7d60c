//! EventBridge Scheduler: invokes the functions of the template's schedules, on the stack's clock.
//!
//! | module | holds |
//! |---|---|
//! | [`input`] | the event of an invoke: the schedule's `Input`, or Scheduler's own |

mod input;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use local_clock::Clock;
use local_lambda::Lambda;
use local_resources::{Place, Schedule};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A handle on the schedules; clones share them. They stop with its last clone.
#[derive(Clone)]
pub struct Scheduler(Arc<Inner>);

struct Inner {
    clock: Clock,
    /// Time of the next invoke; every earlier one has been passed to Lambda.
    next_ms: watch::Receiver<i64>,
    _stop: DropGuard,
}

/// A schedule, and the time of its next invoke.
struct Timer {
    schedule: Schedule,
    due_ms: i64,
}

impl Scheduler {
    /// Starts every schedule: the first invoke is one period from now. There is exactly one invoke for each period, in
    /// order, even if the clock jumps over several periods.
    pub fn start(clock: Clock, lambda: Lambda, schedules: Vec<Schedule>, place: Place) -> Self {
        let now_ms = clock.now_ms();
        let mut timers: Vec<_> = schedules
            .into_iter()
            .map(|schedule| Timer { due_ms: now_ms.saturating_add(period_ms(&schedule)), schedule })
            .collect();
        let (next, next_ms) = watch::channel(earliest(&mut timers).map_or(i64::MAX, |timer| timer.due_ms));
        let stop = CancellationToken::new();
        let _stop = stop.clone().drop_guard();
        let inner = Inner { clock: clock.clone(), next_ms, _stop };
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = run(clock, lambda, timers, place, next) => {}
            }
        });
        Self(Arc::new(inner))
    }

    /// Time of the next invoke, in milliseconds since 1970; `None` without a schedule.
    pub fn next_ms(&self) -> Option<i64> {
        Some(*self.0.next_ms.borrow()).filter(|next_ms| *next_ms < i64::MAX)
    }

    /// What [`Scheduler::caught_up`] waits for now, in one line; `None` when it would return at once.
    pub fn pending(&self) -> Option<String> {
        let (next_ms, now_ms) = (*self.0.next_ms.borrow(), self.0.clock.now_ms());
        (next_ms <= now_ms).then(|| format!("a schedule is due since {next_ms} ms, and has not invoked its function"))
    }

    /// Returns once every invoke that is due by the clock's present time has been passed to Lambda.
    pub async fn caught_up(&self) {
        // The sender is dropped only without schedules: there is nothing to wait for then.
        let _ = self.0.next_ms.clone().wait_for(|next_ms| *next_ms > self.0.clock.now_ms()).await;
    }
}

async fn run(clock: Clock, lambda: Lambda, mut timers: Vec<Timer>, place: Place, next: watch::Sender<i64>) {
    while let Some(timer) = earliest(&mut timers) {
        clock.sleep_until(timer.due_ms).await;
        invoke(&lambda, timer, &place);
        timer.due_ms = timer.due_ms.saturating_add(period_ms(&timer.schedule));
        next.send_replace(earliest(&mut timers).map_or(i64::MAX, |timer| timer.due_ms));
    }
}

fn invoke(lambda: &Lambda, timer: &Timer, place: &Place) {
    let Timer { schedule, due_ms } = timer;
    let event = input::event(schedule, *due_ms, place);
    if let Err(error) = lambda.invoke_event(&schedule.function_arn, event.into()) {
        tracing::error!(schedule = schedule.name, "Lambda did not accept the event: {error}");
    }
}

fn earliest(timers: &mut [Timer]) -> Option<&mut Timer> {
    timers.iter_mut().min_by_key(|timer| timer.due_ms)
}

/// At least a second: a period of 0 would invoke without end.
fn period_ms(schedule: &Schedule) -> i64 {
    i64::try_from(schedule.every_s.max(1)).unwrap_or(i64::MAX).saturating_mul(1000)
}
