//! Tests of a simulated thing on a clock that the test moves. Nothing listens at the broker's address.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::settings::{SharedTopics, ThingSettings};
use super::state::SimulatedThing;
use crate::fleet::behaviour::Behaviour;
use crate::fleet::message_loss::MessageLoss;
use crate::fleet::run_log::{Run, RunLog, RunOutcome};
use crate::fleet::script::Script;
use crate::fleet::stats::Stats;
use crate::link::endpoint::Endpoint;
use crate::random::Random;

mod connection;
mod losses;
mod random_inputs;
mod runs;

const WORK_MS: i64 = 1_000;
const EXPIRES_MS: i64 = 300_000;

/// A simulated thing with the clock and the log of runs that belong to it.
struct TestThing {
    thing: SimulatedThing,
    clock: Arc<AtomicI64>,
    run_log: Arc<RunLog>,
}

impl TestThing {
    fn new(behaviour: Behaviour) -> Self {
        let (clock, run_log) = (Arc::<AtomicI64>::default(), Arc::<RunLog>::default());
        let read_clock = clock.clone();
        let settings = ThingSettings {
            name: "pump-7".to_owned(),
            script: Script { behaviour, work_ms: WORK_MS },
            endpoint: Endpoint::plain("127.0.0.1", 1),
            clock: Arc::new(move || read_clock.load(Ordering::SeqCst)),
            late_after_ms: 120_000,
            has_classic_shadow: false,
            has_command_shadow: true,
            topics: Arc::new(SharedTopics { groups: vec!["pumps".to_owned()], ..SharedTopics::default() }),
            loss: MessageLoss::new(0.0, 1, "pump-7"),
            online_for: Duration::from_secs(60)..=Duration::from_secs(60),
            offline_for: Duration::from_secs(30)..=Duration::from_secs(30),
            random: Random::new(1, "pump-7"),
            run_log: run_log.clone(),
            counters: Arc::default(),
            work: Arc::default(),
            ready: None,
        };
        Self { thing: SimulatedThing::new(settings), clock, run_log }
    }

    fn request(&mut self, id: &str, attempt: u32) {
        let request = json!({"executionId": id, "attempt": attempt, "command": "a", "expiresAt": EXPIRES_MS / 1000});
        self.thing.on_message("cmd/pump-7/req", request.to_string().as_bytes());
    }

    fn broadcast(&mut self, id: &str, spread_seconds: u32) {
        let request = json!({"commandId": id, "attempt": 1, "command": "a", "expiresAt": EXPIRES_MS / 1000,
                             "spread": spread_seconds});
        self.thing.on_message("cmd/group/pumps/req", request.to_string().as_bytes());
    }

    fn request_in_shadow(&mut self, id: &str, attempt: u32) {
        let entry = json!({"attempt": attempt, "command": "a", "expiresAt": EXPIRES_MS / 1000});
        let delta = json!({"state": {"c": {id: entry}}, "version": 1}).to_string();
        self.thing.on_message("$aws/things/pump-7/shadow/name/cmd/update/delta", delta.as_bytes());
    }

    fn cancel(&mut self, id: &str) {
        let cancel = json!({"executionId": id, "attempt": 1}).to_string();
        self.thing.on_message("cmd/pump-7/cancel", cancel.as_bytes());
    }

    /// Moves the clock, and runs the tasks that are due then.
    fn advance_to(&mut self, to_ms: i64) {
        self.clock.store(to_ms, Ordering::SeqCst);
        self.thing.run_due_tasks();
    }

    /// The statuses of the reports since the last call. They wait for a connection, as nothing acknowledges them.
    fn take_reported(&mut self) -> Vec<String> {
        let unsent = std::mem::take(&mut self.thing.unsent);
        let status = |bytes: &[u8]| Some(serde_json::from_slice::<Value>(bytes).ok()?["status"].as_str()?.to_owned());
        unsent.iter().filter_map(|(_, bytes)| status(bytes)).collect()
    }

    /// The attempt and the end of each run.
    fn runs(&self) -> Vec<(u32, Option<(i64, RunOutcome)>)> {
        self.run_log.all().into_iter().map(|run| (run.attempt, run.ended)).collect()
    }

    fn stats(&self) -> Stats {
        self.thing.settings.counters.read()
    }
}
