//! What a device remembers of its executions, least recently used first.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{self, Outcome, Status};
use super::id::Id;

/// One execution, as far as this device knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub id: Id,
    /// The attempt that `state` is about.
    pub attempt: u32,
    /// The newest attempt that was asked for, whether or not it was begun: older ones are not run any more.
    #[serde(default)]
    pub newest: u32,
    pub topic: String,
    /// When the last of its requests expires, so that it may be forgotten. The far future while that is not known: a
    /// cancel does not tell.
    pub expires_at_ms: i64,
    pub state: State,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    Running {
        seq: u32,
        heartbeat_ms: Option<i64>,
        next_beat_ms: i64,
        /// What it takes to start it again after a restart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again: Option<Again>,
    },
    Ended(Outcome),
    /// No attempt at it runs any more. With the verdict that was given before, which stands.
    Canceled(Option<Outcome>),
}

/// A command that is safe to repeat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Again {
    pub command: String,
    pub payload: Value,
    /// Until when this attempt may start.
    pub expires_at_ms: i64,
}

impl Entry {
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// Takes note that this attempt is asked for, and tells whether it is to be begun.
    pub fn admits(&mut self, attempt: u32, expires_at_ms: i64) -> bool {
        let older = attempt <= self.attempt || attempt < self.newest;
        self.newest = self.newest.max(attempt);
        let known = Some(self.expires_at_ms).filter(|at| *at != i64::MAX);
        self.expires_at_ms = known.map_or(expires_at_ms, |at| at.max(expires_at_ms));
        !older && matches!(&self.state, State::Ended(outcome) if outcome.status() != Status::Succeeded)
    }

    /// It never runs again. What ran is to be stopped: whether that is so is returned.
    pub fn cancel(&mut self) -> bool {
        let ran = self.is_running();
        let verdict = match &self.state {
            State::Running { .. } => None,
            State::Ended(outcome) => Some(outcome.clone()),
            State::Canceled(verdict) => verdict.clone(),
        };
        self.state = State::Canceled(verdict);
        ran
    }

    /// How it stands now, as an answer; none when it was canceled before there was anything to tell.
    pub fn answer(&self) -> Option<Vec<u8>> {
        match &self.state {
            State::Running { seq, .. } => Some(answer::running(&self.id, self.attempt, *seq)),
            State::Ended(outcome) | State::Canceled(Some(outcome)) => {
                Some(answer::ended(&self.id, self.attempt, outcome))
            }
            State::Canceled(None) => None,
        }
    }
}

/// Bounded: what runs is never forgotten, what ended is forgotten in the order in which forgetting is safe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache {
    /// Least recently used first. A few dozen entries: a search is cheaper than an index.
    entries: Vec<Entry>,
}

impl Cache {
    pub fn new(entries: Vec<Entry>) -> Self {
        Self { entries }
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut()
    }

    pub fn running(&self) -> usize {
        self.entries.iter().filter(|e| e.is_running()).count()
    }

    /// Finds an execution, and makes it the most recently used.
    pub fn touch(&mut self, id: &str) -> Option<&mut Entry> {
        let at = self.entries.iter().position(|e| e.id.as_str() == id)?;
        let entry = self.entries.remove(at);
        self.entries.push(entry);
        self.entries.last_mut()
    }

    /// Adds or replaces an execution, and forgets others until `limit` is kept; first those that could not be started
    /// again even if their request came once more, as they may start no later than `startable_ms`.
    pub fn put(&mut self, entry: Entry, limit: usize, startable_ms: i64) {
        self.entries.retain(|e| e.id.as_str() != entry.id.as_str());
        while self.entries.len() >= limit.max(1) {
            let ended = |e: &Entry| !e.is_running();
            let expired = self.entries.iter().position(|e| ended(e) && e.expires_at_ms <= startable_ms);
            match expired.or_else(|| self.entries.iter().position(ended)) {
                Some(at) => drop(self.entries.remove(at)),
                None => break,
            }
        }
        self.entries.push(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, running: bool, expires_at_ms: i64) -> Entry {
        let state = if running {
            State::Running { seq: 0, heartbeat_ms: None, next_beat_ms: 0, again: None }
        } else {
            State::Ended(Outcome::succeeded(None))
        };
        Entry { id: Id::ExecutionId(id.to_owned()), attempt: 1, newest: 1, topic: String::new(), expires_at_ms, state }
    }

    fn ids(cache: &Cache) -> Vec<&str> {
        cache.entries().iter().map(|e| e.id.as_str()).collect()
    }

    #[test]
    fn the_least_recently_used_goes_first_and_what_runs_stays() {
        let mut cache = Cache::default();
        for e in [entry("runs", true, 100), entry("old", false, 100), entry("used", false, 100)] {
            cache.put(e, 3, 0);
        }
        cache.touch("old");
        cache.put(entry("new", false, 100), 3, 0);
        assert_eq!(ids(&cache), ["runs", "old", "new"]);
    }

    #[test]
    fn the_expired_go_before_the_least_recently_used() {
        let mut cache = Cache::default();
        for e in [entry("oldest", false, 100), entry("expired", false, 10)] {
            cache.put(e, 2, 0);
        }
        cache.put(entry("new", false, 100), 2, 10);
        assert_eq!(ids(&cache), ["oldest", "new"]);
    }

    #[test]
    fn a_second_attempt_replaces_the_first() {
        let mut cache = Cache::default();
        cache.put(entry("a", false, 100), 2, 0);
        cache.put(entry("a", true, 100), 2, 0);
        assert_eq!((ids(&cache), cache.running()), (vec!["a"], 1));
    }
}
