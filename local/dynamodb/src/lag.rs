//! Lagging global secondary indexes: a replica database applies each write late and serves all index reads.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dynoxide::{Database, DynoxideError};
use local_clock::Clock;
use serde_json::{Value, json};

use super::engine::Engine;
use super::writes::Written;

/// How far indexes lag behind their tables, for inserts, updates and deletes alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lag {
    /// No lag.
    #[default]
    None,
    /// Indexes miss this number of the newest writes, counted over all tables; with `usize::MAX` they never change.
    Writes(usize),
    /// Indexes miss each write for this time of the stack's clock.
    For(Duration),
}

pub(super) struct LaggingIndexes {
    clock: Clock,
    replica: Mutex<Option<Replica>>,
}

struct Replica {
    lag: Lag,
    engine: Arc<Engine>,
    /// Writes that the replica has not applied, oldest first, each with its time in milliseconds since 1970.
    pending: VecDeque<(i64, Written)>,
}

impl LaggingIndexes {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, replica: Mutex::default() }
    }

    pub(super) fn is_on(&self) -> bool {
        self.replica().is_some()
    }

    /// Changes the lag. If indexes did not lag before, `copy` creates a replica of the present tables; else the present
    /// replica and its pending writes are kept.
    pub(super) fn set<E>(&self, lag: Lag, copy: impl FnOnce() -> Result<Engine, E>) -> Result<(), E> {
        let mut replica = self.replica();
        match &mut *replica {
            _ if lag == Lag::None => *replica = None,
            Some(replica) => replica.lag = lag,
            None => *replica = Some(Replica { lag, engine: Arc::new(copy()?), pending: VecDeque::new() }),
        }
        Ok(())
    }

    /// Queues a write for the replica, if indexes lag.
    pub(super) fn record_write(&self, written: impl FnOnce() -> Written) {
        if let Some(replica) = &mut *self.replica() {
            replica.pending.push_back((self.clock.now_ms(), written()));
        }
    }

    /// The engine that serves a read of a lagging index; `None` for all other requests.
    pub(super) fn engine_for(&self, operation: &str, body: &[u8]) -> Option<Arc<Engine>> {
        if !matches!(operation, "Query" | "Scan") {
            return None;
        }
        let mut replica = self.replica();
        let replica = replica.as_mut()?;
        serde_json::from_slice::<Value>(body).ok()?.get("IndexName")?;
        replica.catch_up(self.clock.now_ms());
        Some(replica.engine.clone())
    }

    fn replica(&self) -> MutexGuard<'_, Option<Replica>> {
        self.replica.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Replica {
    fn catch_up(&mut self, now_ms: i64) {
        while let Some((at_ms, _)) = self.pending.front() {
            let is_due = match self.lag {
                Lag::None => true,
                Lag::Writes(newest) => self.pending.len() > newest,
                Lag::For(time) => now_ms.saturating_sub(*at_ms) >= i64::try_from(time.as_millis()).unwrap_or(i64::MAX),
            };
            if !is_due {
                return;
            }
            if let Some((_, written)) = self.pending.pop_front()
                && let Err(error) = apply(self.engine.database(), &written)
            {
                tracing::error!(table = written.table, %error, "cannot apply a write to the lagging indexes");
            }
        }
    }
}

fn apply(replica: &Database, written: &Written) -> Result<(), DynoxideError> {
    let invalid = |error: serde_json::Error| DynoxideError::SerializationException(error.to_string());
    match &written.after {
        Some(item) => {
            let put = json!({"TableName": written.table, "Item": item});
            replica.put_item(serde_json::from_value(put).map_err(invalid)?).map(drop)
        }
        None => {
            let delete = json!({"TableName": written.table, "Key": written.key});
            replica.delete_item(serde_json::from_value(delete).map_err(invalid)?).map(drop)
        }
    }
}

/// Copies all items of a table to another database, which must have the table.
pub(super) fn copy_table(from: &Database, to: &Database, table: &str) -> Result<(), DynoxideError> {
    let invalid = |error: serde_json::Error| DynoxideError::SerializationException(error.to_string());
    let mut start = Value::Null;
    loop {
        let mut scan = json!({"TableName": table});
        if !start.is_null() {
            scan["ExclusiveStartKey"] = start;
        }
        let page = from.scan(serde_json::from_value(scan).map_err(invalid)?)?;
        let mut page = serde_json::to_value(page).map_err(invalid)?;
        for item in page["Items"].as_array_mut().into_iter().flatten() {
            let written = Written { table: table.to_owned(), key: Value::Null, after: Some(item.take()) };
            apply(to, &written)?;
        }
        start = page["LastEvaluatedKey"].take();
        if start.is_null() {
            return Ok(());
        }
    }
}
