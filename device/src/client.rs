//! The reference device: an agent on a link, with a handler for each command.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{self, JoinHandle, JoinSet};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::Now;
use crate::agent::{Action, Agent, Config, Outcome};
use crate::handlers::{Handlers, Job, Stopper, run};
use crate::link::{Endpoint, Event, Link};
use crate::store::{self, StoreError};

/// How often the clock is read for heartbeats and for broadcasts that wait. In real time: the injected clock may jump.
const TICK: Duration = Duration::from_millis(200);

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
    /// Take commands from the named shadow `cmd` as well, and say so there.
    pub shadow: bool,
    /// The groups whose broadcasts it takes. This and the next two are those of [`Config`].
    pub groups: Vec<String>,
    /// Further topics that broadcasts arrive on.
    pub broadcast_topics: Vec<String>,
    /// Topics besides its own that it may answer on.
    pub answer_topics: Vec<String>,
}

/// A device that runs in the background until it is stopped.
pub struct Client {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Client {
    /// Starts a device. It connects, and reconnects, for ever.
    pub fn start(options: Options) -> Result<Self, StoreError> {
        let Options { endpoint, thing, handlers, now, memory, shadow, groups, broadcast_topics, answer_topics } =
            options;
        let (commands, repeatable) = (handlers.known(), handlers.repeatable());
        let config =
            Config { commands, repeatable, shadow, groups, broadcast_topics, answer_topics, ..Config::new(&thing) };
        let (agent, first) = match &memory {
            Some(path) => store::load(path, config, now())?,
            None => (Agent::new(config), Vec::new()),
        };
        let link = Link::open(&endpoint, &thing, agent.topics());
        let (jobs, running) = (JoinSet::new(), HashMap::new());
        let mut driver = Driver { agent, link, handlers, now, memory, jobs, running, connected: 0, up: false };
        // That what ran has failed must not depend on how often the device is restarted before it is told.
        driver.remember();
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
    running: HashMap<task::Id, Running>,
    /// How many connections were made.
    connected: u64,
    up: bool,
}

struct Running {
    execution_id: String,
    attempt: u32,
    stopper: Stopper,
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
                _ = ticks.tick(), if self.is_waiting() => self.on_tick(),
            }
        }
        self.link.close().await;
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Up { session_lost } => {
                self.up = true;
                self.connected += 1;
                tracing::info!(session_lost, "connected");
                // Before the first connection nothing was said that could be lost.
                if session_lost && self.connected > 1 {
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
                let actions = self.agent.on_message(&topic, &payload, (self.now)());
                if self.agent.ignored().values().sum::<u64>() > ignored {
                    tracing::warn!(topic, bytes = payload.len(), so_far = ?self.agent.ignored(), "message ignored");
                }
                self.remember();
                // Only now, so that a crash before this lets it come again; and before the answers, as somebody may wait
                // for it. A memory that cannot be written is complained of, and does not make the device deaf.
                self.link.acknowledge(receipt);
                self.act(actions);
            }
            Event::Subscribed => {
                tracing::info!("subscribed");
                let actions = self.agent.on_subscribed();
                self.act(actions);
            }
            Event::Acknowledged => {}
        }
    }

    /// For a time.
    fn is_waiting(&self) -> bool {
        self.agent.next_held_ms().is_some() || self.up && self.agent.next_beat_ms().is_some()
    }

    fn on_tick(&mut self) {
        let now_ms = (self.now)();
        if self.agent.next_held_ms().is_some_and(|at| at <= now_ms) {
            let actions = self.agent.on_held(now_ms);
            self.remember();
            self.act(actions);
        }
        // Without a connection a heartbeat proves nothing, and would only fill the queue.
        if self.up {
            let actions = self.agent.on_tick(now_ms);
            self.act(actions);
        }
    }

    fn on_ended(&mut self, ended: Result<(task::Id, Outcome), task::JoinError>) {
        let (id, outcome) = match ended {
            Ok((id, outcome)) => (id, outcome),
            Err(error) => (error.id(), Outcome::failed("HANDLER_PANICKED", error.to_string())),
        };
        if let Some(Running { execution_id, attempt, .. }) = self.running.remove(&id) {
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
                    self.publish(&topic, bytes);
                }
                Action::Publish { topic, bytes } => {
                    tracing::debug!(topic, text = %String::from_utf8_lossy(&bytes), "publishes");
                    self.publish(&topic, bytes);
                }
                Action::Stop { execution_id, attempt } => {
                    tracing::info!(execution_id, attempt, "stops");
                    let is_it = |job: &&Running| job.execution_id == execution_id && job.attempt == attempt;
                    self.running.values().find(is_it).inspect(|job| job.stopper.stop());
                }
                Action::Start { execution_id, attempt, command, payload, .. } => {
                    tracing::info!(execution_id, attempt, command, %payload, "starts");
                    // The agent accepts only commands that have a handler.
                    let Some(handler) = self.handlers.get(&command).cloned() else { continue };
                    let (stopper, stop) = Stopper::new();
                    let job = Job { execution_id: execution_id.clone(), attempt, command, payload, stop };
                    let started = self.jobs.spawn(run(handler, job));
                    self.running.insert(started.id(), Running { execution_id, attempt, stopper });
                }
            }
        }
    }

    fn publish(&self, topic: &str, bytes: Vec<u8>) {
        if !self.link.publish(topic, bytes) {
            tracing::warn!(topic, "dropped: too much waits for the connection");
        }
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
