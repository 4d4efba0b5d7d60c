//! Global secondary indexes that lag: a second database gets every write late, and answers for the indexes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dynoxide::{Database, DynoxideError};
use local_clock::Clock;
use serde_json::{Value, json};

use super::engine::Engine;
use super::writes::Written;

/// How far indexes are behind their tables. Entries appear late, and vanish late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lag {
    /// Not at all.
    #[default]
    None,
    /// By so many writes, the newest over all tables; `usize::MAX` makes them stand still.
    Writes(usize),
    /// By so long on the stack's clock.
    For(Duration),
}

pub(super) struct Lagging {
    clock: Clock,
    behind: Mutex<Option<Behind>>,
}

struct Behind {
    lag: Lag,
    replica: Arc<Engine>,
    /// What the replica does not know yet, oldest first, and when it was written.
    late: VecDeque<(i64, Written)>,
}

impl Lagging {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, behind: Mutex::default() }
    }

    pub(super) fn is_on(&self) -> bool {
        self.behind().is_some()
    }

    /// Goes on from where the indexes are; `copy` makes a replica of the tables as they are, where there is none yet.
    pub(super) fn set<E>(&self, lag: Lag, copy: impl FnOnce() -> Result<Engine, E>) -> Result<(), E> {
        let mut behind = self.behind();
        match &mut *behind {
            _ if lag == Lag::None => *behind = None,
            Some(behind) => behind.lag = lag,
            None => *behind = Some(Behind { lag, replica: Arc::new(copy()?), late: VecDeque::new() }),
        }
        Ok(())
    }

    /// Hears of a write.
    pub(super) fn written(&self, written: impl FnOnce() -> Written) {
        if let Some(behind) = &mut *self.behind() {
            behind.late.push_back((self.clock.now_ms(), written()));
        }
    }

    /// Who answers a request, where it reads an index that lags.
    pub(super) fn answers(&self, operation: &str, body: &[u8]) -> Option<Arc<Engine>> {
        if !matches!(operation, "Query" | "Scan") {
            return None;
        }
        let mut behind = self.behind();
        let behind = behind.as_mut()?;
        serde_json::from_slice::<Value>(body).ok()?.get("IndexName")?;
        behind.catch_up(self.clock.now_ms());
        Some(behind.replica.clone())
    }

    fn behind(&self) -> MutexGuard<'_, Option<Behind>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Behind {
    fn catch_up(&mut self, now_ms: i64) {
        while let Some((at_ms, _)) = self.late.front() {
            let known = match self.lag {
                Lag::None => true,
                Lag::Writes(newest) => self.late.len() > newest,
                Lag::For(time) => now_ms.saturating_sub(*at_ms) >= i64::try_from(time.as_millis()).unwrap_or(i64::MAX),
            };
            if !known {
                return;
            }
            if let Some((_, written)) = self.late.pop_front()
                && let Err(error) = apply(self.replica.database(), &written)
            {
                tracing::error!(table = written.table, %error, "a write is missing in a lagging index");
            }
        }
    }
}

fn apply(replica: &Database, written: &Written) -> Result<(), DynoxideError> {
    let unreadable = |error: serde_json::Error| DynoxideError::SerializationException(error.to_string());
    match &written.after {
        Some(item) => {
            let put = json!({"TableName": written.table, "Item": item});
            replica.put_item(serde_json::from_value(put).map_err(unreadable)?).map(drop)
        }
        None => {
            let delete = json!({"TableName": written.table, "Key": written.key});
            replica.delete_item(serde_json::from_value(delete).map_err(unreadable)?).map(drop)
        }
    }
}

/// Puts every item of a table into another database, which has the table already.
pub(super) fn copy(from: &Database, to: &Database, table: &str) -> Result<(), DynoxideError> {
    let unreadable = |error: serde_json::Error| DynoxideError::SerializationException(error.to_string());
    let mut start = Value::Null;
    loop {
        let mut scan = json!({"TableName": table});
        if !start.is_null() {
            scan["ExclusiveStartKey"] = start;
        }
        let page = from.scan(serde_json::from_value(scan).map_err(unreadable)?)?;
        let mut page = serde_json::to_value(page).map_err(unreadable)?;
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
