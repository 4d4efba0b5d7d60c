//! What the demo's MQTT connection has received: requests and final reports of each thing, and events of the command.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::api::CommandView;

/// When the broker carried the messages of one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MessageTimes {
    /// The first request for the thing.
    pub request: Option<Instant>,
    /// The first report of the thing that is not `IN_PROGRESS`.
    pub final_report: Option<Instant>,
}

pub(super) struct Observed(Mutex<State>);

struct State {
    things: BTreeMap<String, MessageTimes>,
    command: CommandView,
    /// When any of it last changed.
    changed: Instant,
}

impl Observed {
    pub fn new(things: &[String]) -> Self {
        let things = things.iter().map(|thing| (thing.clone(), MessageTimes::default())).collect();
        Self(Mutex::new(State { things, command: CommandView::default(), changed: Instant::now() }))
    }

    /// Notes a request for a thing.
    pub fn note_request(&self, thing: &str) {
        self.update(thing, |times, now| {
            times.request.get_or_insert(now);
        });
    }

    /// Notes a report of a thing that is not `IN_PROGRESS`.
    pub fn note_final_report(&self, thing: &str) {
        self.update(thing, |times, now| {
            times.final_report.get_or_insert(now);
        });
    }

    fn update(&self, thing: &str, update: impl FnOnce(&mut MessageTimes, Instant)) {
        let (mut state, now) = (self.locked(), Instant::now());
        if let Some(times) = state.things.get_mut(thing) {
            update(times, now);
            state.changed = now;
        }
    }

    /// Notes the state and the counts of the command. Events can overtake each other: one with fewer ended executions
    /// than are known is ignored.
    pub fn note_command(&self, command: CommandView) {
        let mut state = self.locked();
        if command.counts.ended() >= state.command.counts.ended() && command != state.command {
            (state.command, state.changed) = (command, Instant::now());
        }
    }

    /// The newest state and counts of the command.
    pub fn command(&self) -> CommandView {
        self.locked().command.clone()
    }

    /// The times of a thing's messages; empty for an unknown thing.
    pub fn times(&self, thing: &str) -> MessageTimes {
        self.locked().things.get(thing).copied().unwrap_or_default()
    }

    /// Time since anything changed.
    pub fn unchanged_for(&self) -> Duration {
        self.locked().changed.elapsed()
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(ended: u64) -> CommandView {
        serde_json::from_value(serde_json::json!({
            "state": "IN_PROGRESS",
            "counts": {"total": 9, "waiting": 0, "SUCCEEDED": ended, "byReason": {}},
        }))
        .expect("a command")
    }

    #[test]
    fn overtaken_event_changes_nothing() {
        let observed = Observed::new(&["a".to_owned()]);
        observed.note_command(command(5));
        observed.note_command(command(3));
        assert_eq!(observed.command(), command(5));
        observed.note_command(command(6));
        assert_eq!(observed.command().counts.summary(), "SUCCEEDED 6");
    }

    #[test]
    fn first_request_and_first_final_report_are_kept() {
        let observed = Observed::new(&["a".to_owned()]);
        observed.note_request("a");
        let first = observed.times("a");
        observed.note_request("a");
        observed.note_final_report("a");
        observed.note_final_report("stranger");
        assert_eq!(observed.times("a").request, first.request);
        assert!(observed.times("a").final_report >= first.request);
        assert_eq!(observed.times("stranger"), MessageTimes::default());
    }
}
