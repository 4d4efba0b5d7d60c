//! Amazon DynamoDB: a front that adds capacity, streams, TTL and lagging indexes to the database engine dynoxide.
//!
//! | module | holds |
//! |---|---|
//! | [`front`] | the HTTP API: checks a request and forwards it to the engine |
//! | [`engine`] | the database engine and its server thread |
//! | [`tables`] | creates the tables of the template |
//! | [`capacity`] | capacity units consumed by requests |
//! | [`writes`] | records writes for streams, the journal and lagging indexes |
//! | [`lag`] | global secondary indexes that lag behind their tables |
//! | [`ttl`] | deletes expired items |

mod capacity;
mod engine;
mod front;
mod lag;
mod tables;
mod ttl;
mod writes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use dynoxide::{Database, DynoxideError};
use local_clock::Clock;
use local_journal::Journal;
use local_resources::Table;
use local_streams::Streams;
use tokio::sync::watch;

pub use capacity::{ConsumedCapacity, TableOperation};
pub use lag::Lag;

/// Handle of the database; clones share it.
#[derive(Clone)]
pub struct DynamoDb(Arc<Inner>);

struct Inner {
    engine: engine::Engine,
    ledger: capacity::Ledger,
    journal: Journal,
    keys: writes::KeySchemas,
    streams: Streams,
    /// Held during a write that is recorded, so that writes are recorded in commit order.
    write_lock: Arc<tokio::sync::Mutex<()>>,
    lag: lag::LaggingIndexes,
    declared: Vec<Table>,
    clock: Clock,
    /// Time of the next TTL sweep; every earlier one has ended.
    next_sweep_ms: watch::Receiver<i64>,
    sweeper: tokio::task::AbortHandle,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.sweeper.abort();
    }
}

/// The database failed to start or to accept items.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// The file is not a database, or cannot be read or written.
    #[error("cannot open the DynamoDB file {}: {source}", path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// Error of the engine.
        source: Box<DynoxideError>,
    },
    /// The thread or the socket of the engine cannot be created.
    #[error("cannot start the DynamoDB server: {0}")]
    Start(#[source] std::io::Error),
    /// The engine cannot create a database in memory.
    #[error("cannot start the DynamoDB engine: {0}")]
    Engine(#[source] Box<DynoxideError>),
    /// A table definition or an item is not valid input of the DynamoDB API.
    #[error("table {table}: {source}")]
    Definition {
        /// The table's name.
        table: String,
        /// Position and reason.
        source: serde_json::Error,
    },
    /// The engine rejects a table or its items.
    #[error("table {table}: {source}")]
    Table {
        /// The table's name.
        table: String,
        /// Error of the engine.
        source: Box<DynoxideError>,
    },
}

impl DynamoDb {
    /// Opens the database in `file`, or in memory, and creates the missing tables. Writes are not recorded in a
    /// journal.
    ///
    /// # Errors
    /// The file is not a database, the engine does not start, or it rejects a table.
    pub async fn start(clock: Clock, declared: &[Table], file: Option<&Path>) -> Result<Self, DynamoDbError> {
        Self::start_with(clock, declared, file, Journal::default()).await
    }

    /// As [`DynamoDb::start`], with a journal that records every write.
    ///
    /// # Errors
    /// As [`DynamoDb::start`].
    pub async fn start_with(
        clock: Clock,
        declared: &[Table],
        file: Option<&Path>,
        journal: Journal,
    ) -> Result<Self, DynamoDbError> {
        let database = engine::open(&clock, file)?;
        tables::create(&database, declared)?;
        let streams = Streams::new(clock.clone(), declared);
        let engine = engine::Engine::start(database).map_err(DynamoDbError::Start)?;
        let (next, next_sweep_ms) = watch::channel(clock.now_ms().saturating_add(ttl::SWEEP_INTERVAL_MS));
        Ok(Self(Arc::new_cyclic(|inner| Inner {
            sweeper: tokio::spawn(sweep(clock.clone(), inner.clone(), next)).abort_handle(),
            next_sweep_ms,
            engine,
            ledger: capacity::Ledger::default(),
            journal,
            keys: writes::KeySchemas::new(declared),
            streams,
            write_lock: Arc::default(),
            lag: lag::LaggingIndexes::new(clock.clone()),
            declared: declared.to_vec(),
            clock,
        })))
    }

    /// Makes global secondary indexes lag behind their tables from now on; reads of tables do not lag.
    ///
    /// Without a journal, no write may be in progress during this call. Lagging indexes keep items that the TTL sweep
    /// deletes.
    ///
    /// # Errors
    /// The tables cannot be copied; the indexes do not lag.
    pub async fn lag_indexes(&self, lag: Lag) -> Result<(), DynamoDbError> {
        let _lock = self.0.write_lock.lock().await;
        self.0.lag.set(lag, || {
            let copy = engine::open(&self.0.clock, None)?;
            tables::create(&copy, &self.0.declared)?;
            for table in &self.0.declared {
                lag::copy_table(self.database(), &copy, &table.name)
                    .map_err(|source| DynamoDbError::Table { table: table.name.clone(), source: Box::new(source) })?;
            }
            engine::Engine::start(copy).map_err(DynamoDbError::Start)
        })
    }

    /// Time of the next TTL sweep, in milliseconds since 1970.
    pub fn next_ms(&self) -> i64 {
        *self.0.next_sweep_ms.borrow()
    }

    /// Returns once every TTL sweep that is due at the clock's present time has ended.
    pub async fn caught_up(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.0.next_sweep_ms.clone().wait_for(|next_ms| *next_ms > self.0.clock.now_ms()).await;
    }

    /// One line that describes the work that [`DynamoDb::caught_up`] waits for; `None` if there is none.
    pub fn pending(&self) -> Option<String> {
        let next_ms = self.next_ms();
        (next_ms <= self.0.clock.now_ms())
            .then(|| format!("the TTL sweep that is due since {next_ms} ms has not ended"))
    }

    /// The HTTP API: the DynamoDB JSON protocol on `POST /`.
    pub fn router(&self) -> axum::Router {
        front::router(self.clone())
    }

    /// The change streams of the tables.
    pub fn streams(&self) -> &Streams {
        &self.0.streams
    }

    /// Capacity consumed since the start or the last [`DynamoDb::reset_capacity`].
    pub fn capacity(&self) -> BTreeMap<TableOperation, ConsumedCapacity> {
        self.0.ledger.read()
    }

    /// Sets all counters of consumed capacity to zero.
    pub fn reset_capacity(&self) {
        self.0.ledger.clear();
    }

    /// Inserts items (DynamoDB JSON) into a table in bulk. They consume no capacity and are recorded neither in the
    /// journal nor in change streams nor in lagging indexes.
    ///
    /// # Errors
    /// A value is not an item of this table; no item is inserted.
    pub fn import_items(&self, table: &str, items: Vec<serde_json::Value>) -> Result<(), DynamoDbError> {
        let definition = |source| DynamoDbError::Definition { table: table.to_owned(), source };
        let items = items.into_iter().map(serde_json::from_value).collect::<Result<_, _>>().map_err(definition)?;
        let imported = self.database().import_items(table, items, dynoxide::ImportOptions::default());
        imported
            .map(|_| ())
            .map_err(|source| DynamoDbError::Table { table: table.to_owned(), source: Box::new(source) })
    }

    /// The database engine, for operations without an HTTP API.
    pub fn database(&self) -> &Database {
        self.0.engine.database()
    }
}

/// Deletes expired items every [`ttl::SWEEP_INTERVAL_MS`] until the database is dropped.
async fn sweep(clock: Clock, inner: Weak<Inner>, next: watch::Sender<i64>) {
    loop {
        let due_ms = *next.borrow();
        clock.sleep_until(due_ms).await;
        let Some(inner) = inner.upgrade() else { return };
        match tokio::task::spawn_blocking(move || DynamoDb(inner).sweep()).await {
            Ok(Ok(0)) => {}
            Ok(Ok(deleted)) => tracing::debug!(deleted, "deleted expired items"),
            Ok(Err(error)) => tracing::warn!(%error, "the TTL sweep failed; the next sweep retries"),
            Err(error) => tracing::warn!(%error, "the TTL sweep panicked; the next sweep retries"),
        }
        // One sweep suffices after a clock jump over several sweeps: it deletes every expired item.
        next.send_replace(clock.now_ms().saturating_add(ttl::SWEEP_INTERVAL_MS));
    }
}

#[cfg(test)]
mod tests;
