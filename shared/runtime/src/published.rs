//! `PublishedEvents`: which progress events a process has published, so that it publishes none twice.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::CommandId;

/// The sequence number of the last event of each command. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct PublishedEvents(Arc<Mutex<HashMap<CommandId, u64>>>);

/// Commands that are remembered at most. One that is forgotten may have its last event published again.
const MAX_COMMANDS: usize = 10_000;

impl PublishedEvents {
    /// Whether an event with this number says more than the last one that was published.
    pub fn is_newer(&self, command: &CommandId, sequence: u64) -> bool {
        let published = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        published.get(command).is_none_or(|last| *last < sequence)
    }

    /// Remembers an event that was published.
    pub fn record(&self, command: &CommandId, sequence: u64) {
        let mut published = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if published.len() >= MAX_COMMANDS && !published.contains_key(command) {
            published.clear();
        }
        published.insert(command.clone(), sequence);
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[test]
    fn event_is_newer_than_those_before_it_only() {
        let published = PublishedEvents::default();
        let of = |request: usize| CommandId::from_request(Timestamp::default(), &request.to_string());
        assert!(published.is_newer(&of(0), 1));
        published.clone().record(&of(0), 7);
        for (command, sequence, is_newer) in [(0, 6, false), (0, 7, false), (0, 8, true), (1, 7, true)] {
            assert_eq!(published.is_newer(&of(command), sequence), is_newer, "{command} {sequence}");
        }
        (0..2 * MAX_COMMANDS).for_each(|request| published.record(&of(request), 1));
        assert!(published.0.lock().unwrap().len() <= MAX_COMMANDS);
    }
}
