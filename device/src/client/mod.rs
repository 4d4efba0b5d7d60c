//! The reference device: an agent on an MQTT connection, with a handler for each command.

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

mod event_loop;
mod jobs;
mod options;

use crate::agent::Agent;
use crate::agent::config::Config;
use crate::link::connection::Link;
use crate::memory_file::{self, MemoryFileError};
use event_loop::EventLoop;
pub use options::Options;

/// A device that runs in a background task until it is stopped.
pub struct Client {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Client {
    /// Starts a device. It connects, and reconnects, until it is stopped.
    ///
    /// # Errors
    /// [`MemoryFileError`] when the memory file exists and cannot be read, or does not hold a snapshot.
    ///
    /// # Panics
    /// If the thing's name is empty, or outside of a Tokio runtime.
    pub fn start(options: Options) -> Result<Self, MemoryFileError> {
        let Options {
            endpoint,
            thing,
            handlers,
            clock,
            memory_file,
            shadow,
            desired_state,
            groups,
            broadcast_topics,
            response_topics,
        } = options;
        let (commands, repeatable) = (handlers.commands(), handlers.repeatable());
        let config = Config {
            commands,
            repeatable,
            shadow,
            desired_state,
            groups,
            broadcast_topics,
            response_topics,
            ..Config::new(&thing)
        };
        let (agent, actions) = match &memory_file {
            Some(path) => memory_file::load(path, config, clock())?,
            None => (Agent::new(config), Vec::new()),
        };
        let link = Link::open(&endpoint, &thing, agent.topics());
        let mut event_loop = EventLoop::new(agent, link, handlers, clock, memory_file);
        event_loop.begin(actions);
        let (stop, stopped) = oneshot::channel();
        Ok(Self { stop, task: tokio::spawn(event_loop.run(stopped)) })
    }

    /// Disconnects, and drops the handlers that run.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}
