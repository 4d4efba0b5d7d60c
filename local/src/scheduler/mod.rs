//! EventBridge Scheduler: fires the schedules of the template, on the stack's clock.

mod input;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::clock::Clock;
use crate::lambda::Lambda;
use crate::template::{Place, Schedule};

/// A handle on the schedules; clones share them. They stop with its last clone.
#[derive(Clone)]
pub struct Scheduler(Arc<Inner>);

struct Inner {
    clock: Clock,
    /// When the next firing is due; every earlier one has been handed over.
    next_ms: watch::Receiver<i64>,
    _stop: DropGuard,
}

/// A schedule and when it fires next.
struct Timer {
    schedule: Schedule,
    due_ms: i64,
}

impl Scheduler {
    /// Starts every schedule: the first firing is one interval from now, and there is exactly one for each interval,
    /// in order, however far the clock jumps.
    pub fn start(clock: Clock, lambda: Lambda, schedules: Vec<Schedule>, place: Place) -> Self {
        let now_ms = clock.now_ms();
        let mut timers: Vec<_> = schedules
            .into_iter()
            .map(|schedule| Timer { due_ms: now_ms.saturating_add(interval_ms(&schedule)), schedule })
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

    /// When the next firing is due.
    pub fn next_ms(&self) -> Option<i64> {
        Some(*self.0.next_ms.borrow()).filter(|next_ms| *next_ms < i64::MAX)
    }

    /// Returns once every firing that is due at the clock's present time has been handed to Lambda.
    pub async fn caught_up(&self) {
        // The sender goes only when there is nothing to fire, and then there is nothing to wait for.
        let _ = self.0.next_ms.clone().wait_for(|next_ms| *next_ms > self.0.clock.now_ms()).await;
    }
}

async fn run(clock: Clock, lambda: Lambda, mut timers: Vec<Timer>, place: Place, next: watch::Sender<i64>) {
    while let Some(timer) = earliest(&mut timers) {
        clock.sleep_until(timer.due_ms).await;
        fire(&lambda, timer, &place);
        timer.due_ms = timer.due_ms.saturating_add(interval_ms(&timer.schedule));
        next.send_replace(earliest(&mut timers).map_or(i64::MAX, |timer| timer.due_ms));
    }
}

fn fire(lambda: &Lambda, timer: &Timer, place: &Place) {
    let Timer { schedule, due_ms } = timer;
    let event = input::event(schedule, *due_ms, place);
    if let Err(error) = lambda.invoke_event(&schedule.function_arn, event.into()) {
        tracing::error!(schedule = schedule.name, "a firing is lost: {error}");
    }
}

fn earliest(timers: &mut [Timer]) -> Option<&mut Timer> {
    timers.iter_mut().min_by_key(|timer| timer.due_ms)
}

/// At least a second, so that a schedule cannot fire for ever at one moment.
fn interval_ms(schedule: &Schedule) -> i64 {
    i64::try_from(schedule.every_s.max(1)).unwrap_or(i64::MAX).saturating_mul(1000)
}
