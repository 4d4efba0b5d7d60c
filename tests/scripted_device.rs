//! Scripted device: the reference agent's decisions, while the test decides when messages arrive and runs finish.

use device::agent::{Action, Agent, Config, Outcome};

use crate::history::Run;
use crate::world::{Device, World};

pub struct ScriptedDevice {
    thing: String,
    agent: Agent,
    device: Device,
    /// Execution id and attempt of each run that was started and has not finished.
    running: Vec<(String, u32)>,
    /// Every run that was started.
    pub runs: Vec<Run>,
}

impl ScriptedDevice {
    /// Connects and subscribes. With `shadow`, the device takes commands from its shadow too.
    pub async fn connect(world: &World, thing: &str, shadow: bool) -> Self {
        let mut agent = Agent::new(Config { shadow, ..Config::new(thing) });
        let topics = agent.topics();
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        let device = world.device(thing, &topics).await;
        let actions = agent.on_subscribed();
        let mut connected = Self { thing: thing.to_owned(), agent, device, running: Vec::new(), runs: Vec::new() };
        connected.perform(world, actions).await;
        connected
    }

    /// Handles received messages until no more arrive.
    pub async fn handle_messages(&mut self, world: &World) {
        loop {
            world.settle().await;
            let Some((topic, payload)) = self.device.try_next() else { return };
            let actions = self.agent.on_message(&topic, &payload, world.stack.clock.now_ms());
            self.perform(world, actions).await;
        }
    }

    /// Discards every message received so far.
    pub async fn discard_messages(&mut self, world: &World) {
        world.settle().await;
        while self.device.try_next().is_some() {}
    }

    /// Finishes every run with the outcome for its attempt, and handles the messages that follow.
    pub async fn finish_runs(&mut self, world: &World, outcome: impl Fn(u32) -> Outcome) {
        self.handle_messages(world).await;
        while let Some((id, attempt)) = self.running.pop() {
            let actions = self.agent.on_finished(&id, attempt, outcome(attempt));
            self.perform(world, actions).await;
            self.handle_messages(world).await;
        }
    }

    async fn perform(&mut self, world: &World, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Start { execution_id, attempt, .. } => {
                    self.runs.push(Run {
                        at_ms: world.stack.clock.now_ms(),
                        thing: self.thing.clone(),
                        execution: execution_id.clone(),
                        attempt: attempt.into(),
                    });
                    self.running.push((execution_id, attempt));
                }
                Action::Stop { execution_id, attempt } => {
                    self.running.retain(|(id, at)| (id, *at) != (&execution_id, attempt));
                    let stopped = self.agent.on_finished(&execution_id, attempt, Outcome::failed("STOPPED", ""));
                    Box::pin(self.perform(world, stopped)).await;
                }
                Action::Report { topic, bytes } | Action::Publish { topic, bytes } => {
                    assert!(self.device.publish(&topic, bytes).await, "{topic}: the broker closed the connection");
                }
            }
        }
    }
}
