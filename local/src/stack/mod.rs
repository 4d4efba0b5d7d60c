//! Puts the parts together.
//!
//! | file | holds |
//! |---|---|
//! | [`config`] | what a stack is started with |
//! | [`programs`] | the functions' binaries, built where need be |
//! | [`ports`] | the listeners |
//! | [`tls`] | who is at the other end of a TLS connection, and what they speak |
//! | [`assembly`] | the parts, each given what it needs |
//! | [`pump`] | from the broker to the shadow service and the rules |
//! | [`state`] | state in a directory |
//! | [`error`] | why a stack did not start |

mod assembly;
mod config;
mod error;
mod ports;
mod programs;
mod pump;
mod state;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::{CancellationToken, DropGuard};

use crate::broker::Broker;
use crate::clock::Clock;
use crate::dynamodb::DynamoDb;
use crate::event_source::EventSources;
use crate::faults::Faults;
use crate::journal::Journal;
use crate::lambda::Lambda;
use crate::pki::Pki;
use crate::registry::Registry;
use crate::rules::Rules;
use crate::scheduler::Scheduler;
use crate::shadows::Shadows;
use crate::sqs::Sqs;
use crate::streams::{Mappings, Streams};
use crate::template::Template;
pub use config::{Config, Ports, Programs};
pub use error::StackError;
pub use ports::Addresses;
use pump::Pump;
use state::StateDir;

/// How often state that changed is saved.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// How long [`Stack::shutdown`] waits for functions to come to an end.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long [`Stack::settle`] gives devices, which are on the other side of a socket, to answer.
const BREATH: Duration = Duration::from_millis(5);

/// The same on the way of [`Stack::advance`], where a device that needs longer answers at the next stop.
const SHORT_BREATH: Duration = Duration::from_millis(1);

/// A running stack. Its listeners and processes end with it; [`Stack::shutdown`] also saves its state.
pub struct Stack {
    /// Where it listens.
    pub addresses: Addresses,
    /// What it runs.
    pub template: Template,
    /// Its time.
    pub clock: Clock,
    /// The message broker.
    pub broker: Broker,
    /// The device shadows.
    pub shadows: Shadows,
    /// The registry.
    pub registry: Registry,
    /// The certificate authority.
    pub pki: Pki,
    /// The rules engine.
    pub rules: Rules,
    /// The functions.
    pub lambda: Lambda,
    /// What failed.
    pub sqs: Sqs,
    /// The tables.
    pub dynamodb: DynamoDb,
    /// The schedules.
    pub scheduler: Scheduler,
    /// What hands messages on queues to functions.
    pub event_sources: EventSources,
    /// The tables' change streams.
    pub streams: Streams,
    /// What hands the records of streams to functions.
    pub mappings: Mappings,
    /// What is to go wrong.
    pub faults: Faults,
    /// What happened, where [`Config::journal`] is on.
    pub journal: Journal,
    pump: Pump,
    keeper: Option<Arc<Keeper>>,
    /// Ends what listens to devices and applications.
    closing: CancellationToken,
    /// Ends everything else too, such as the endpoint that functions need until they are done.
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl Stack {
    /// Starts everything; when this returns, everything listens.
    ///
    /// # Errors
    /// What is wrong with the template, the functions, a port, the certificates or kept state.
    pub async fn start(config: Config) -> Result<Self, StackError> {
        assembly::start(config).await
    }

    /// Returns once nothing moves any more: every message handed on, every function idle, every schedule, queue and stream
    /// up to date.
    ///
    /// Devices that are slower to answer than a few milliseconds are not waited for, and neither are retries that wait
    /// for the clock.
    pub async fn settle(&self) {
        self.settle_with(BREATH).await;
    }

    async fn settle_with(&self, breath: Duration) {
        let mut quiet = 0;
        let mut handled = self.handled().await;
        while quiet < 2 {
            // What a process asked for before it was killed is done nevertheless.
            self.faults.quiet().await;
            tokio::time::sleep(breath).await;
            let now = self.handled().await;
            quiet = if now == handled { quiet + 1 } else { 0 };
            handled = now;
        }
    }

    /// Moves the clock on, and settles. What is due on the way, by a schedule, from a queue or from a stream, comes in its
    /// order and finds the clock at its time, however far the way.
    pub async fn advance(&self, by: Duration) {
        let target_ms = self.clock.now_ms().saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
        let next_ms = || {
            [self.scheduler.next_ms(), self.event_sources.next_ms(), self.mappings.next_ms()]
                .into_iter()
                .flatten()
                .min()
        };
        while let Some(next_ms) = next_ms().filter(|next_ms| *next_ms < target_ms) {
            self.move_to(next_ms);
            // Where no device is connected, none can be answering.
            match self.broker.is_deserted() {
                true => drop(self.handled().await),
                false => self.settle_with(SHORT_BREATH).await,
            }
        }
        self.move_to(target_ms);
        self.settle().await;
    }

    fn move_to(&self, epoch_ms: i64) {
        let left_ms = epoch_ms.saturating_sub(self.clock.now_ms());
        self.clock.advance(Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)));
    }

    /// Returns once all that is due has been handed on, and every function is idle; how much that makes since the start.
    async fn handled(&self) -> (u64, u64) {
        self.scheduler.caught_up().await;
        let batches = self.event_sources.caught_up().await + self.mappings.caught_up().await;
        let messages = self.pump.flush().await;
        self.lambda.idle().await;
        (batches, messages)
    }

    /// Takes nothing more from outside, lets what is on its way come to its end (for a few seconds), ends the functions'
    /// processes and saves the state.
    pub async fn shutdown(self) {
        self.closing.cancel();
        let on_its_way = async {
            self.pump.flush().await;
            self.lambda.idle().await;
        };
        if tokio::time::timeout(PATIENCE, on_its_way).await.is_err() {
            tracing::warn!("functions still ran after {PATIENCE:?}: what they did is lost");
        }
        self.mappings.stop();
        self.stop.cancel();
        self.lambda.shutdown().await;
        self.pump.flush().await;
        if let Some(keeper) = &self.keeper {
            keeper.save().await;
        }
    }
}

/// Keeps what is not in the database.
struct Keeper {
    directory: StateDir,
    broker: Broker,
    shadows: Shadows,
    registry: Registry,
    sqs: Sqs,
    streams: Streams,
    /// Held while it is saved, for a save to be overtaken by none that began later.
    saving: Arc<tokio::sync::Mutex<()>>,
}

impl Keeper {
    fn restore(&self) -> Result<(), StackError> {
        if let Some(state) = self.directory.load("registry")? {
            self.registry.restore(&state).map_err(|why| self.directory.strange("registry", &why))?;
        }
        if let Some(state) = self.directory.load("shadows")? {
            self.shadows.restore(&state).map_err(|why| self.directory.strange("shadows", &why))?;
        }
        if let Some(state) = self.directory.load("broker")? {
            self.broker.restore(&state);
        }
        if let Some(state) = self.directory.load("sqs")? {
            self.sqs.restore(&state).map_err(|why| self.directory.strange("sqs", &why))?;
        }
        if let Some(state) = self.directory.load("streams")? {
            self.streams.restore(&state).map_err(|why| self.directory.strange("streams", &why))?;
        }
        Ok(())
    }

    /// Saves what changed. What fails is logged and tried again with the next save.
    async fn save(self: &Arc<Self>) {
        let (keeper, saving) = (self.clone(), self.saving.clone().lock_owned().await);
        let saved = tokio::task::spawn_blocking(move || {
            let _saving = saving;
            keeper.directory.save("streams", &keeper.streams.snapshot())?;
            keeper.directory.save("sqs", &keeper.sqs.snapshot())?;
            keeper.directory.save("registry", &keeper.registry.snapshot())?;
            keeper.directory.save("shadows", &keeper.shadows.snapshot())?;
            keeper.directory.save("broker", &keeper.broker.snapshot())
        });
        match saved.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "state is not saved"),
            Err(error) => tracing::error!(%error, "state is not saved"),
        }
    }

    async fn run(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(SAVE_INTERVAL)).await.is_some() {
            self.save().await;
        }
    }
}

#[cfg(test)]
mod tests;
