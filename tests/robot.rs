//! A device that a test leads by the hand: the reference agent's decisions, over a connection of the test's own.

use device::agent::{Action, Agent, Config, Outcome};

use crate::history::Run;
use crate::world::{Device, World};

pub struct Robot {
    thing: String,
    agent: Agent,
    device: Device,
    /// What it has begun and not ended.
    running: Vec<(String, u32)>,
    /// Whatever it has begun.
    pub runs: Vec<Run>,
}

impl Robot {
    /// Connects, and subscribes; with `shadow`, it takes commands from its shadow too.
    pub async fn connect(world: &World, thing: &str, shadow: bool) -> Self {
        let mut agent = Agent::new(Config { shadow, ..Config::new(thing) });
        let topics = agent.topics();
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        let device = world.device(thing, &topics).await;
        let actions = agent.on_subscribed();
        let mut robot = Self { thing: thing.to_owned(), agent, device, running: Vec::new(), runs: Vec::new() };
        robot.act(world, actions).await;
        robot
    }

    /// Takes what was sent to it, until nothing more comes.
    pub async fn listen(&mut self, world: &World) {
        loop {
            world.stack.settle().await;
            let Some((topic, payload)) = self.device.try_next() else { return };
            let actions = self.agent.on_message(&topic, &payload, world.stack.clock.now_ms());
            self.act(world, actions).await;
        }
    }

    /// Overhears what was sent to it.
    pub async fn miss(&mut self, world: &World) {
        world.stack.settle().await;
        while self.device.try_next().is_some() {}
    }

    /// OutcomeCounts all that runs, each as it is told, and takes what comes of it.
    pub async fn finish(&mut self, world: &World, outcome: impl Fn(u32) -> Outcome) {
        self.listen(world).await;
        while let Some((id, attempt)) = self.running.pop() {
            let actions = self.agent.on_finished(&id, attempt, outcome(attempt));
            self.act(world, actions).await;
            self.listen(world).await;
        }
    }

    async fn act(&mut self, world: &World, actions: Vec<Action>) {
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
                }
                Action::Report { topic, bytes } | Action::Publish { topic, bytes } => {
                    assert!(self.device.publish(&topic, bytes).await, "{topic}: the connection is gone");
                }
            }
        }
    }
}
