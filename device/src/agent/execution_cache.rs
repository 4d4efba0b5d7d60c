//! The executions that a device remembers: a bounded cache that never forgets a running one.

use serde::{Deserialize, Serialize};

use super::execution::Execution;

/// Executions, least recently used first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct ExecutionCache {
    /// At most a few dozen: a linear search is cheaper than an index.
    executions: Vec<Execution>,
}

impl ExecutionCache {
    pub fn iter(&self) -> impl Iterator<Item = &Execution> {
        self.executions.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Execution> {
        self.executions.iter_mut()
    }

    pub fn running_count(&self) -> usize {
        self.executions.iter().filter(|e| e.is_running()).count()
    }

    /// Finds an execution, and makes it the most recently used.
    pub fn touch(&mut self, id: &str) -> Option<&mut Execution> {
        let at = self.executions.iter().position(|e| e.id.as_str() == id)?;
        let execution = self.executions.remove(at);
        self.executions.push(execution);
        self.executions.last_mut()
    }

    /// Adds or replaces an execution, and forgets executions until `capacity` is kept. The first to be forgotten are
    /// those whose expiry is at or before `startable_ms`, since a repeated request cannot start them; then the least
    /// recently used. Running executions stay, even above the capacity.
    pub fn insert(&mut self, execution: Execution, capacity: usize, startable_ms: i64) {
        self.executions.retain(|e| e.id.as_str() != execution.id.as_str());
        while self.executions.len() >= capacity.max(1) {
            let is_idle = |e: &Execution| !e.is_running();
            let expired = self.executions.iter().position(|e| is_idle(e) && e.expires_at_ms <= startable_ms);
            match expired.or_else(|| self.executions.iter().position(is_idle)) {
                Some(at) => drop(self.executions.remove(at)),
                None => break,
            }
        }
        self.executions.push(execution);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::execution::ExecutionState;
    use crate::agent::id::Id;
    use crate::agent::outcome::Outcome;

    fn execution(id: &str, is_running: bool, expires_at_ms: i64) -> Execution {
        let state = if is_running {
            ExecutionState::Running { seq: 0, heartbeat_ms: None, next_heartbeat_ms: 0, rerun: None }
        } else {
            ExecutionState::Ended(Outcome::succeeded(None))
        };
        let id = Id::ExecutionId(id.to_owned());
        Execution { id, attempt: 1, newest_attempt: 1, response_topic: String::new(), expires_at_ms, state }
    }

    fn ids(cache: &ExecutionCache) -> Vec<&str> {
        cache.iter().map(|e| e.id.as_str()).collect()
    }

    #[test]
    fn least_recently_used_is_forgotten_and_running_stays() {
        let mut cache = ExecutionCache::default();
        for e in [execution("running", true, 100), execution("old", false, 100), execution("used", false, 100)] {
            cache.insert(e, 3, 0);
        }
        cache.touch("old");
        cache.insert(execution("new", false, 100), 3, 0);
        assert_eq!(ids(&cache), ["running", "old", "new"]);
    }

    #[test]
    fn expired_is_forgotten_before_least_recently_used() {
        let mut cache = ExecutionCache::default();
        for e in [execution("oldest", false, 100), execution("expired", false, 10)] {
            cache.insert(e, 2, 0);
        }
        cache.insert(execution("new", false, 100), 2, 10);
        assert_eq!(ids(&cache), ["oldest", "new"]);
    }

    #[test]
    fn second_attempt_replaces_the_first() {
        let mut cache = ExecutionCache::default();
        cache.insert(execution("a", false, 100), 2, 0);
        cache.insert(execution("a", true, 100), 2, 0);
        assert_eq!((ids(&cache), cache.running_count()), (vec!["a"], 1));
    }
}
