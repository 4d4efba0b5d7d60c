//! Assembles the services into a stack that listens, settles, advances its clock and shuts down.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration of a stack |
//! | [`programs`] | the functions' binaries: prebuilt, or built with cargo |
//! | [`functions`] | the template's functions as the Lambda host runs them |
//! | [`ports`] | binds the listeners |
//! | [`tls`] | TLS connections: client certificates, and MQTT or HTTPS by ALPN |
//! | [`access`] | authorizers: IoT policies of certificates, signatures of requests |
//! | [`assembly`] | starts every service with what it depends on |
//! | [`diagnosis`] | what a stack waits for, in words |
//! | [`pump`] | passes messages from the broker to the shadow service, Jobs and the rules |
//! | [`rule_actions`] | carries out the actions of rules |
//! | [`keeper`] | saves and restores the state of services |
//! | [`state`] | state files in a directory |
//! | [`error`] | why a stack did not start |

mod access;
mod assembly;
mod config;
mod diagnosis;
mod error;
mod functions;
mod keeper;
mod ports;
mod programs;
mod pump;
mod rule_actions;
mod state;
mod tls;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use local_broker::Broker;
use local_clock::Clock;
use local_dynamodb::DynamoDb;
use local_event_source::{QueueMappings, StreamMappings};
use local_faults::Faults;
use local_jobs::Jobs;
use local_journal::Journal;
use local_lambda::Lambda;
use local_pki::Pki;
use local_registry::Registry;
use local_rules::Rules;
use local_scheduler::Scheduler;
use local_shadows::Shadows;
use local_sqs::Sqs;
use local_streams::Streams;
use local_template::Template;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use config::{Config, Ports, Programs};
pub use diagnosis::Diagnosis;
pub use error::StackError;
use keeper::Keeper;
pub use ports::Addresses;
use pump::Pump;

/// How long [`Stack::shutdown`] waits for running functions.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Real time between two looks of [`Stack::settle`] at devices that are not idle.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// Returns the number of things that a client of the broker has in hand: messages that it handles, publishes that are
/// not acknowledged, timers that are due. At 0 it does nothing until a message arrives or the clock moves.
pub type InHand = Arc<dyn Fn() -> usize + Send + Sync>;

/// The clients of [`Stack::attend`].
type Clients = Arc<Mutex<Vec<InHand>>>;

/// A running stack. Its listeners and processes end with it; [`Stack::shutdown`] also saves its state.
pub struct Stack {
    /// The addresses of its listeners.
    pub addresses: Addresses,
    /// The resources of its template.
    pub template: Template,
    /// The clock of all its services.
    pub clock: Clock,
    /// The message broker.
    pub broker: Broker,
    /// The device shadows.
    pub shadows: Shadows,
    /// AWS IoT Jobs.
    pub jobs: Jobs,
    /// The registry.
    pub registry: Registry,
    /// The certificate authority.
    pub pki: Pki,
    /// The rules engine.
    pub rules: Rules,
    /// The Lambda host.
    pub lambda: Lambda,
    /// The queues.
    pub sqs: Sqs,
    /// The tables of DynamoDB.
    pub dynamodb: DynamoDb,
    /// The schedules of EventBridge Scheduler.
    pub scheduler: Scheduler,
    /// Event source mappings from queues to functions.
    pub event_sources: QueueMappings,
    /// The tables' change streams.
    pub streams: Streams,
    /// Event source mappings from streams to functions.
    pub mappings: StreamMappings,
    /// Planned faults; none at first.
    pub faults: Faults,
    /// The log of the run, if [`Config::journal`] is on.
    pub journal: Journal,
    pump: Pump,
    clients: Clients,
    keeper: Option<Arc<Keeper>>,
    /// Stops the listeners for devices and applications.
    closing: CancellationToken,
    /// Stops everything else too, such as the endpoint, which functions need until they end.
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl Stack {
    /// Starts every service; every listener accepts connections when this returns.
    ///
    /// # Errors
    /// The template, a function's binary, a port, the certificates or saved state cannot be used.
    pub async fn start(config: Config) -> Result<Self, StackError> {
        assembly::start(config).await
    }

    /// Returns once the stack is idle: every message passed on, and acknowledged by each connected client that it went
    /// to; every function idle; every schedule, queue, stream and TTL sweep caught up; and nothing in hand with the
    /// clients of [`Stack::attend`].
    ///
    /// Devices are waited for as long as they need. Other clients are not waited for after they have acknowledged their
    /// messages, nor are retries that wait for the clock.
    ///
    /// One look is not enough. [`Stack::handled`] looks at one service after another, and a service that is found idle
    /// gets work from one that is found busy later: a function has written to a table before it ends, and the reader of
    /// the table's stream is about to invoke the next function. Two looks with the same counts, and idle clients between
    /// them, prove that nothing has happened between the looks.
    pub async fn settle(&self) {
        let mut before = None;
        loop {
            let handled = self.handled().await;
            if !self.are_clients_idle() {
                before = None;
                tokio::time::sleep(POLL_INTERVAL).await;
            } else if before == Some(handled) {
                return;
            } else {
                before = Some(handled);
            }
        }
    }

    /// Makes [`Stack::settle`] wait for a client of the broker until it has nothing in hand, too.
    pub fn attend(&self, client: InHand) {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).push(client);
    }

    /// Acknowledgements come first: what a client has acknowledged, it has in hand by then, or is done with.
    fn are_clients_idle(&self) -> bool {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        self.broker.unacknowledged().is_empty() && clients.iter().all(|in_hand| in_hand() == 0)
    }

    /// Settles, moves the clock forward, and settles again. What a schedule, a queue, a stream, a TTL or a job makes
    /// due on the way is handled in order, with the clock at its time.
    pub async fn advance(&self, by: Duration) {
        // Work that is in progress belongs to the present time, and may make something due on the way.
        self.settle().await;
        let target_ms = self.clock.now_ms().saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
        let next_ms = || {
            let sweep_ms = Some(self.dynamodb.next_ms());
            let sources = [self.event_sources.next_ms(), self.mappings.next_ms()];
            let timers = [self.scheduler.next_ms(), self.jobs.next_ms(), sweep_ms];
            sources.into_iter().chain(timers).flatten().min()
        };
        while let Some(next_ms) = next_ms().filter(|next_ms| *next_ms < target_ms) {
            self.move_to(next_ms);
            self.settle().await;
        }
        self.move_to(target_ms);
        self.settle().await;
    }

    fn move_to(&self, epoch_ms: i64) {
        let left_ms = epoch_ms.saturating_sub(self.clock.now_ms());
        self.clock.advance(Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)));
    }

    /// Returns once everything that is due has been passed on, and every function is idle: the numbers of batches and
    /// messages since the start.
    async fn handled(&self) -> (u64, u64) {
        // A call of a process that was killed meanwhile is still applied.
        self.faults.idle().await;
        self.scheduler.caught_up().await;
        self.dynamodb.caught_up().await;
        self.jobs.catch_up();
        let batches = self.event_sources.caught_up().await + self.mappings.caught_up().await;
        let messages = self.pump.flush().await;
        self.lambda.idle().await;
        (batches, messages)
    }

    /// Closes the listeners, waits a few seconds for running functions, ends the functions' processes and saves the
    /// state.
    pub async fn shutdown(self) {
        self.closing.cancel();
        let in_progress = async {
            self.pump.flush().await;
            self.lambda.idle().await;
        };
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, in_progress).await.is_err() {
            tracing::warn!("functions still ran after {SHUTDOWN_TIMEOUT:?} and are ended: their work is lost");
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

#[cfg(test)]
mod tests;
