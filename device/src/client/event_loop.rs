//! The loop of a reference device: passes events to the agent, and does what the agent decides.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::jobs::{EndedJob, Jobs};
use crate::agent::Agent;
use crate::agent::action::Action;
use crate::cancellation::Canceler;
use crate::clock::Clock;
use crate::handlers::{Handlers, Job};
use crate::link::connection::Link;
use crate::link::event::Event;
use crate::memory_file;

/// How often the clock is read for heartbeats and delayed broadcasts. In real time, as the injected clock may jump.
const TICK_INTERVAL: Duration = Duration::from_millis(200);

pub(super) struct EventLoop {
    agent: Agent,
    link: Link,
    handlers: Handlers,
    clock: Clock,
    memory_file: Option<PathBuf>,
    jobs: Jobs,
    /// Connections made so far.
    connects: u64,
    is_connected: bool,
}

impl EventLoop {
    pub fn new(agent: Agent, link: Link, handlers: Handlers, clock: Clock, memory_file: Option<PathBuf>) -> Self {
        let jobs = Jobs::default();
        Self { agent, link, handlers, clock, memory_file, jobs, connects: 0, is_connected: false }
    }

    /// Does what the agent returned when it was restored.
    pub fn begin(&mut self, actions: Vec<Action>) {
        // The executions that a restart failed are saved before they are reported: the report must be the same after
        // any number of restarts.
        self.save();
        self.act(actions);
    }

    /// Runs until the device is stopped.
    pub async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        let mut ticks = ticks();
        loop {
            tokio::select! {
                _ = &mut stop => break,
                event = self.link.next() => match event {
                    Some(event) => self.on_event(event),
                    None => break,
                },
                Some(joined) = self.jobs.join_next() => {
                    if let Some(ended) = self.jobs.remove(joined) {
                        self.on_ended(ended);
                    }
                }
                _ = ticks.tick(), if self.needs_ticks() => self.on_tick(),
            }
        }
        self.link.close().await;
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Connected { session_lost } => {
                self.is_connected = true;
                self.connects += 1;
                tracing::info!(session_lost, "connected");
                // Before the first connection, no report was sent that could be lost.
                if session_lost && self.connects > 1 {
                    let actions = self.agent.on_session_lost();
                    self.act(actions);
                }
            }
            Event::Disconnected { error, retry_in } => {
                self.is_connected = false;
                tracing::warn!(error = &error as &dyn Error, ?retry_in, "not connected");
            }
            Event::Message { topic, payload, receipt } => {
                tracing::debug!(topic, bytes = payload.len(), "message received");
                let ignored_before: u64 = self.agent.ignored().values().sum();
                let actions = self.agent.on_message(&topic, &payload, (self.clock)());
                let ignored = self.agent.ignored();
                if ignored.values().sum::<u64>() > ignored_before {
                    tracing::warn!(topic, bytes = payload.len(), ?ignored, "message ignored");
                }
                self.save();
                // Acknowledged after saving: after a crash before that, the broker sends the message again. And before
                // the reports, since the cloud may be waiting for the acknowledgement of a direct message. If saving
                // fails, the message is acknowledged all the same: a device with a bad disk still works.
                self.link.acknowledge(receipt);
                self.act(actions);
            }
            Event::Subscribed => {
                tracing::info!("subscribed");
                let actions = self.agent.on_subscribed();
                self.act(actions);
            }
            Event::PublishAcknowledged => {}
        }
    }

    fn needs_ticks(&self) -> bool {
        self.agent.next_broadcast_ms().is_some() || self.is_connected && self.agent.next_heartbeat_ms().is_some()
    }

    fn on_tick(&mut self) {
        let now_ms = (self.clock)();
        if self.agent.next_broadcast_ms().is_some_and(|at_ms| at_ms <= now_ms) {
            let actions = self.agent.on_broadcast_due(now_ms);
            self.save();
            self.act(actions);
        }
        // Without a connection, heartbeats would only fill the send queue.
        if self.is_connected {
            let actions = self.agent.on_tick(now_ms);
            self.act(actions);
        }
    }

    fn on_ended(&mut self, ended: EndedJob) {
        let EndedJob { execution_id, attempt, outcome } = ended;
        tracing::info!(execution_id, attempt, status = ?outcome.status(), reason = outcome.reason_code(), "ended");
        let actions = self.agent.on_finished(&execution_id, attempt, outcome);
        self.save();
        self.act(actions);
    }

    /// Saves the agent's snapshot. Called before commands are started and reports are sent: after a crash, a command
    /// must not start again, and a report must not change.
    fn save(&self) {
        if let Some(path) = &self.memory_file
            && let Err(error) = memory_file::save(path, &self.agent)
        {
            tracing::error!(error = &error as &dyn Error, "snapshot not saved: a restart would forget this change");
        }
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Report { topic, bytes } => {
                    tracing::info!(topic, report = %String::from_utf8_lossy(&bytes), "report sent");
                    self.publish(&topic, bytes);
                }
                Action::Publish { topic, bytes } => {
                    tracing::debug!(topic, message = %String::from_utf8_lossy(&bytes), "message sent");
                    self.publish(&topic, bytes);
                }
                Action::Stop { execution_id, attempt } => {
                    tracing::info!(execution_id, attempt, "canceled");
                    self.jobs.cancel(&execution_id, attempt);
                }
                Action::Start { execution_id, attempt, command, payload, .. } => {
                    tracing::info!(execution_id, attempt, command, %payload, "started");
                    // Always found: the agent accepts only commands that have a handler.
                    let Some(handler) = self.handlers.get(&command).cloned() else { continue };
                    let (canceler, cancellation) = Canceler::new();
                    let job = Job { execution_id, attempt, command, payload, cancellation };
                    self.jobs.start(handler, job, canceler);
                }
            }
        }
    }

    fn publish(&self, topic: &str, bytes: Vec<u8>) {
        if !self.link.publish(topic, bytes) {
            tracing::warn!(topic, "message dropped: the send queue is full");
        }
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(TICK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
