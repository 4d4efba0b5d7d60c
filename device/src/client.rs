//! The reference device: an agent on a link, with a handler for each command.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::{self, JoinHandle, JoinSet};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::Now;
use crate::agent::{Action, Agent, Config, Outcome, topic};
use crate::link::{Endpoint, Event, Link};
use crate::store::{self, StoreError};

/// How often the clock is read for heartbeats. In real time: the injected clock may jump.
const TICK: Duration = Duration::from_millis(200);

/// One command to be carried out.
#[derive(Clone, Debug)]
pub struct Job {
    /// The execution.
    pub execution_id: String,
    /// Which attempt at it, from 1.
    pub attempt: u32,
    /// The command's name.
    pub command: String,
    /// Its payload; null when there is none.
    pub payload: Value,
}

type Handler = Arc<dyn Fn(Job) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;

/// What a device does for each command. Commands without a handler are rejected.
#[derive(Clone, Default)]
pub struct Handlers {
    named: BTreeMap<String, Handler>,
    otherwise: Option<Handler>,
}

impl Handlers {
    /// Adds a handler for one command.
    pub fn on<F, R>(mut self, command: &str, handler: F) -> Self
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        self.named.insert(command.to_owned(), Arc::new(move |job| Box::pin(handler(job))));
        self
    }

    /// Adds a handler for every other command.
    pub fn otherwise<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        self.otherwise = Some(Arc::new(move |job| Box::pin(handler(job))));
        self
    }

    fn get(&self, command: &str) -> Option<&Handler> {
        self.named.get(command).or(self.otherwise.as_ref())
    }
}

/// What a device needs.
pub struct Options {
    /// Where to connect.
    pub endpoint: Endpoint,
    /// The thing that it is; its name is the client id.
    pub thing: String,
    /// What it does.
    pub handlers: Handlers,
    /// Where it reads the time.
    pub now: Now,
    /// A file that keeps its memory over a restart.
    pub memory: Option<PathBuf>,
}

/// A device that runs in the background until it is stopped.
pub struct Client {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Client {
    /// Starts a device. It connects, and reconnects, for ever.
    pub fn start(options: Options) -> Result<Self, StoreError> {
        let Options { endpoint, thing, handlers, now, memory } = options;
        let mut config = Config::new(&thing);
        if handlers.otherwise.is_none() {
            config.commands = Some(handlers.named.keys().cloned().collect());
        }
        let (agent, first) = match &memory {
            Some(path) => store::load(path, config)?,
            None => (Agent::new(config), Vec::new()),
        };
        let link = Link::open(&endpoint, &thing, vec![topic::request(&thing)]);
        let mut driver =
            Driver { agent, link, handlers, now, memory, jobs: JoinSet::new(), running: HashMap::new(), up: false };
        driver.act(first);
        let (stop, stopped) = oneshot::channel();
        Ok(Self { stop, task: tokio::spawn(driver.run(stopped)) })
    }

    /// Disconnects. Handlers that still run are dropped.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

struct Driver {
    agent: Agent,
    link: Link,
    handlers: Handlers,
    now: Now,
    memory: Option<PathBuf>,
    jobs: JoinSet<Outcome>,
    running: HashMap<task::Id, (String, u32)>,
    up: bool,
}

impl Driver {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let mut ticks = ticks();
        loop {
            tokio::select! {
                _ = &mut stopped => break,
                event = self.link.next() => match event {
                    Some(event) => self.on_event(event),
                    None => break,
                },
                Some(ended) = self.jobs.join_next_with_id() => self.on_ended(ended),
                // Without a connection a heartbeat proves nothing, and would only fill the queue.
                _ = ticks.tick(), if self.up && self.agent.running() > 0 => {
                    let actions = self.agent.on_tick((self.now)());
                    self.act(actions);
                }
            }
        }
        self.link.close().await;
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Up { session_lost } => {
                self.up = true;
                tracing::info!(session_lost, "connected");
                if session_lost {
                    let actions = self.agent.on_session_lost();
                    self.act(actions);
                }
            }
            Event::Down { error, retry_in } => {
                self.up = false;
                tracing::warn!(error = &error as &dyn std::error::Error, ?retry_in, "not connected");
            }
            Event::Message { topic, payload, receipt } => {
                tracing::debug!(topic, bytes = payload.len(), "message");
                let ignored: u64 = self.agent.ignored().values().sum();
                let actions = self.agent.on_request(&payload, (self.now)());
                if self.agent.ignored().values().sum::<u64>() > ignored {
                    tracing::warn!(topic, bytes = payload.len(), so_far = ?self.agent.ignored(), "malformed request");
                }
                self.remember();
                // Only now, so that a crash before this lets it come again; and before the answers, as somebody may wait
                // for it. A memory that cannot be written is complained of, and does not make the device deaf.
                self.link.acknowledge(receipt);
                self.act(actions);
            }
            Event::Subscribed => tracing::info!("subscribed"),
            Event::Acknowledged => {}
        }
    }

    fn on_ended(&mut self, ended: Result<(task::Id, Outcome), task::JoinError>) {
        let (id, outcome) = match ended {
            Ok((id, outcome)) => (id, outcome),
            Err(error) => (error.id(), Outcome::failed("HANDLER_PANICKED", error.to_string())),
        };
        if let Some((execution_id, attempt)) = self.running.remove(&id) {
            tracing::info!(execution_id, attempt, status = ?outcome.status(), reason = outcome.reason_code(), "ended");
            let actions = self.agent.on_finished(&execution_id, attempt, outcome);
            self.remember();
            self.act(actions);
        }
    }

    /// Before anything is started or said, so that it cannot be started, or said otherwise, after a crash.
    fn remember(&self) {
        if let Some(path) = &self.memory
            && let Err(error) = store::save(path, &self.agent)
        {
            tracing::error!(error = &error as &dyn std::error::Error, "memory not kept");
        }
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Respond { topic, bytes } => {
                    tracing::info!(topic, answer = %String::from_utf8_lossy(&bytes), "answers");
                    if !self.link.publish(&topic, bytes) {
                        tracing::warn!(topic, "answer dropped: too many wait for the connection");
                    }
                }
                Action::Start { execution_id, attempt, command, payload, .. } => {
                    tracing::info!(execution_id, attempt, command, %payload, "starts");
                    // The agent accepts only commands that have a handler.
                    let Some(handler) = self.handlers.get(&command).cloned() else { continue };
                    let job = Job { execution_id: execution_id.clone(), attempt, command, payload };
                    // The handler is called inside its task, so that a panic in it stays there.
                    let started = self.jobs.spawn(async move { handler(job).await });
                    self.running.insert(started.id(), (execution_id, attempt));
                }
            }
        }
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
