//! Amazon DynamoDB: the database engine dynoxide behind a front that adds capacity, streams, TTL and lagging indexes.
//!
//! | module | holds |
//! |---|---|
//! | [`front`] | the HTTP API: checks a request, passes it to the engine |
//! | [`engine`] | the database, and its server on a thread of its own |
//! | [`tables`] | creates the tables of the template |
//! | [`capacity`] | capacity units that requests consume |
//! | [`writes`] | the items of a write before and after it, for streams, the journal and lagging indexes |
//! | [`lag`] | global secondary indexes that lag behind their tables |
//! | [`ttl`] | deletes items past their TTL |

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

pub use capacity::{Consumer, Units};
pub use lag::Lag;

/// A handle on the database; clones share it.
#[derive(Clone)]
pub struct DynamoDb(Arc<Inner>);

struct Inner {
    engine: engine::Engine,
    ledger: capacity::Ledger,
    journal: Journal,
    keys: writes::Keys,
    streams: Streams,
    /// Held by a write that somebody wants to know of.
    turn: Arc<tokio::sync::Mutex<()>>,
    lag: lag::Lagging,
    declared: Vec<Table>,
    clock: Clock,
    sweeper: tokio::task::AbortHandle,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.sweeper.abort();
    }
}

/// Why the database did not start.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// The file is no database, or cannot be read or written.
    #[error("cannot open the database {}: {source}", path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// What the engine said.
        source: Box<DynoxideError>,
    },
    /// The engine did not start.
    #[error("cannot start the database: {0}")]
    Start(#[source] std::io::Error),
    /// The engine did not start, for a reason of its own.
    #[error("cannot start the database: {0}")]
    Engine(#[source] Box<DynoxideError>),
    /// The template's definition is not CreateTable's input.
    #[error("table {table}: {source}")]
    Definition {
        /// The table's name.
        table: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The engine refuses the table.
    #[error("table {table}: {source}")]
    Table {
        /// The table's name.
        table: String,
        /// What the engine said.
        source: Box<DynoxideError>,
    },
}

impl DynamoDb {
    /// Opens the database, in memory or in `file`, and creates the tables that it does not have yet.
    pub async fn start(clock: Clock, declared: &[Table], file: Option<&Path>) -> Result<Self, DynamoDbError> {
        Self::start_with(clock, declared, file, Journal::default()).await
    }

    /// As [`DynamoDb::start`]; the journal hears of every write.
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
        Ok(Self(Arc::new_cyclic(|inner| Inner {
            sweeper: tokio::spawn(sweep(clock.clone(), inner.clone())).abort_handle(),
            engine,
            ledger: capacity::Ledger::default(),
            journal,
            keys: writes::Keys::new(declared),
            streams,
            turn: Arc::default(),
            lag: lag::Lagging::new(clock.clone()),
            declared: declared.to_vec(),
            clock,
        })))
    }

    /// Lets global secondary indexes lag behind their tables, from now on. Reads of tables are as ever. Without a journal
    /// nothing may be being written while this is called. What the TTL sweep deletes stays in lagging indexes.
    ///
    /// # Errors
    /// The indexes cannot be copied; they do not lag.
    pub async fn lag_indexes(&self, lag: Lag) -> Result<(), DynamoDbError> {
        let _turn = self.0.turn.lock().await;
        self.0.lag.set(lag, || {
            let replica = engine::open(&self.0.clock, None)?;
            tables::create(&replica, &self.0.declared)?;
            for table in &self.0.declared {
                lag::copy(self.database(), &replica, &table.name)
                    .map_err(|source| DynamoDbError::Table { table: table.name.clone(), source: Box::new(source) })?;
            }
            engine::Engine::start(replica).map_err(DynamoDbError::Start)
        })
    }

    /// The DynamoDB JSON protocol, `POST /`.
    pub fn router(&self) -> axum::Router {
        front::router(self.clone())
    }

    /// The change streams of its tables.
    pub fn streams(&self) -> &Streams {
        &self.0.streams
    }

    /// What was consumed so far, by table and operation.
    pub fn capacity(&self) -> BTreeMap<Consumer, Units> {
        self.0.ledger.read()
    }

    /// Starts counting from nothing.
    pub fn forget_capacity(&self) {
        self.0.ledger.clear();
    }

    /// Puts many items, in DynamoDB's JSON, into a table at once: nobody counts them, and neither the journal, change streams
    /// nor indexes that lag hear of them.
    ///
    /// # Errors
    /// What is no item, or does not fit the table; then none of them is there.
    pub fn fill(&self, table: &str, items: Vec<serde_json::Value>) -> Result<(), DynamoDbError> {
        let definition = |source| DynamoDbError::Definition { table: table.to_owned(), source };
        let items = items.into_iter().map(serde_json::from_value).collect::<Result<_, _>>().map_err(definition)?;
        let filled = self.database().import_items(table, items, dynoxide::ImportOptions::default());
        filled.map(|_| ()).map_err(|source| DynamoDbError::Table { table: table.to_owned(), source: Box::new(source) })
    }

    /// The database itself, for what has no wire protocol.
    pub fn database(&self) -> &Database {
        self.0.engine.database()
    }
}

/// Deletes items past their TTL, for ever.
async fn sweep(clock: Clock, inner: Weak<Inner>) {
    loop {
        clock.sleep(ttl::INTERVAL).await;
        let Some(inner) = inner.upgrade() else { return };
        match tokio::task::spawn_blocking(move || DynamoDb(inner).sweep()).await {
            Ok(Ok(0)) => {}
            Ok(Ok(deleted)) => tracing::debug!(deleted, "items past their TTL are gone"),
            Ok(Err(error)) => tracing::warn!(%error, "the TTL sweep failed; the next one tries again"),
            Err(error) => tracing::warn!(%error, "the TTL sweep panicked; the next one tries again"),
        }
    }
}

#[cfg(test)]
mod tests;
