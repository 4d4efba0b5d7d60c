//! One run of a scenario on a thing of its own, with a fault at one call, and the check of its outcome.

use device::agent::Outcome;
use local::faults::Fault;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Moment, Scenario};
use crate::history::Run;
use crate::scripted_device::ScriptedDevice;
use crate::world::{EXECUTIONS, World};

/// A fault at one call of the scenario's function.
#[derive(Clone, Copy, Debug)]
pub struct InjectedFault {
    /// Number of the call, from 1.
    pub nth: u32,
    pub fault: Fault,
    /// Whether every retry of the SDK gets the fault too.
    pub persists: bool,
}

pub struct Trial<'a> {
    world: &'a World,
    scenario: &'a Scenario,
    fault: Option<InjectedFault>,
    thing: String,
    commands: Vec<String>,
    device: Option<ScriptedDevice>,
}

#[derive(Default)]
pub struct TrialResult {
    /// Whether the function made the call that gets the fault; true without a fault.
    pub injected: bool,
    pub runs: Vec<Run>,
    /// Differences from the expected outcome.
    pub differences: Vec<String>,
}

impl<'a> Trial<'a> {
    pub fn new(world: &'a World, scenario: &'a Scenario, fault: Option<InjectedFault>, number: usize) -> Self {
        Self { world, scenario, fault, thing: format!("thing-{number}"), commands: Vec::new(), device: None }
    }

    pub async fn run(mut self) -> TrialResult {
        if !self.scenario.connects_late && !self.scenario.never_connects {
            self.connect().await;
        }
        for (n, command) in self.scenario.commands.iter().enumerate() {
            if n + 1 == self.scenario.commands.len() {
                self.inject_at(Moment::Creation);
            }
            self.create(n, command).await;
            self.receive().await;
        }
        if self.scenario.connects_late {
            self.inject_at(Moment::Connect);
            self.connect().await;
            self.receive().await;
        }
        if self.scenario.moment == Moment::Cancel {
            self.cancel().await;
        }
        if matches!(self.scenario.moment, Moment::Tick | Moment::Wake) {
            self.pass_deadline().await;
        }
        self.inject_at(Moment::Report);
        self.finish().await;
        let injected = self.fault.is_none() || self.world.stack.faults.pending() == 0;
        self.world.stack.faults.clear();
        // Lambda retries an event after one minute and after two more; the reconciler runs meanwhile.
        for _ in 0..4 {
            if self.is_idle().await {
                break;
            }
            self.world.advance(61).await;
            self.tick().await;
            self.finish().await;
        }
        let differences = self.differences().await;
        TrialResult { injected, differences, runs: self.device.map(|device| device.runs).unwrap_or_default() }
    }

    /// The rows of the trial's thing.
    async fn rows(&self) -> Vec<Value> {
        let query = json!({
            "TableName": EXECUTIONS, "ConsistentRead": true, "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": format!("T#{}", self.thing)}},
        });
        self.world.dynamodb("Query", &query).await["Items"].as_array().expect("items").clone()
    }

    /// Whether no row is in the due index.
    async fn is_idle(&self) -> bool {
        self.rows().await.iter().all(|row| row.get("due_at").is_none())
    }

    /// Plans the fault when the scenario puts it at this moment.
    fn inject_at(&self, moment: Moment) {
        let planned = self.fault.filter(|_| self.scenario.moment == moment);
        let Some(InjectedFault { nth, fault, persists }) = planned else { return };
        let function = format!("flaghoist-{}", self.scenario.function());
        match persists {
            true => self.world.stack.faults.persist(&function, nth, fault),
            false => self.world.stack.faults.next(&function, nth, fault),
        }
    }

    async fn connect(&mut self) {
        self.device = Some(ScriptedDevice::connect(self.world, &self.thing, self.scenario.shadow).await);
        self.world.settle().await;
    }

    /// Creates the n-th command, with retries under the same idempotency key.
    async fn create(&mut self, n: usize, command: &Value) {
        let mut body = json!({"name": "reboot", "target": {"things": [self.thing]}, "ttl": 1800, "timeout": 1800});
        body.as_object_mut().expect("an object").extend(command.as_object().expect("an object").clone());
        let key = format!("{}-{n}", self.thing);
        let headers = [("idempotency-key", key.as_str())];
        for _ in 0..4 {
            let response = self.world.request(Method::POST, "/commands", &headers, body.to_string()).await;
            if !is_retryable(response.status) {
                assert_eq!(response.status, 202, "{self:?}: {response:?}");
                self.commands.push(response.body["commandId"].as_str().expect("an id").to_owned());
                return;
            }
            self.world.advance(11).await;
        }
        panic!("{self:?}: every attempt to create the command failed");
    }

    async fn cancel(&mut self) {
        self.inject_at(Moment::Cancel);
        let path = format!("/commands/{}/cancel", self.commands[0]);
        for _ in 0..4 {
            let response = self.world.request(Method::POST, &path, &[], r#"{"force": true}"#).await;
            if !is_retryable(response.status) {
                assert_eq!(response.status, 200, "{self:?}: {response:?}");
                return self.receive().await;
            }
        }
        panic!("{self:?}: every attempt to cancel the command failed");
    }

    async fn pass_deadline(&mut self) {
        self.inject_at(Moment::Wake);
        self.world.advance(121).await;
        if self.scenario.moment == Moment::Tick {
            self.inject_at(Moment::Tick);
            self.tick().await;
        }
    }

    /// Invokes the reconciler, with the two retries that Lambda makes.
    async fn tick(&self) {
        let tick = json!({"kind": "tick", "scheduledTime": self.world.now()}).to_string();
        for _ in 0..3 {
            if self.world.invoke("reconcile-commands", &tick).await.is_ok() {
                return;
            }
        }
        panic!("{self:?}: the tick failed three times");
    }

    /// The device handles the messages that were sent to it, or loses them.
    async fn receive(&mut self) {
        match &mut self.device {
            Some(device) if self.scenario.loses_requests => device.discard_messages(self.world).await,
            Some(device) => device.handle_messages(self.world).await,
            None => self.world.settle().await,
        }
    }

    /// The device finishes its runs.
    async fn finish(&mut self) {
        let fails = self.scenario.first_attempt_fails;
        let outcome = move |attempt| match attempt {
            1 if fails => Outcome::failed("PUMP_JAMMED", "the pump does not turn"),
            _ => Outcome::succeeded(None),
        };
        match &mut self.device {
            Some(device) => device.finish_runs(self.world, outcome).await,
            None => self.world.settle().await,
        }
    }

    async fn differences(&self) -> Vec<String> {
        let mut differences = Vec::new();
        let rows = self.rows().await;
        let mut check = |holds: bool, difference: String| {
            differences.extend((!holds).then(|| format!("{self:?}: {difference}")));
        };
        let runs = self.device.as_ref().map_or(&[][..], |device| &device.runs);
        check(self.commands.len() == self.scenario.commands.len(), "not every command was accepted".to_owned());
        for (command, (status, expected_runs)) in self.commands.iter().zip(&self.scenario.outcomes) {
            let shown = self.world.execution(command, &self.thing).await;
            check(shown["status"] == *status, format!("the status is not {status}: {shown}"));
            let count = runs.iter().filter(|run| shown["executionId"] == run.execution.as_str()).count();
            check(count == *expected_runs, format!("the device ran it {count} times, not {expected_runs}"));
        }
        for row in rows {
            for attribute in ["due_at", "in_lane", "shadow_cleanup_pending"] {
                check(row.get(attribute).is_none(), format!("{attribute} is left in {row}"));
            }
            check(
                row["ids"]["L"].as_array().is_none_or(Vec::is_empty),
                format!("the lane still holds an execution: {row}"),
            );
        }
        for shadow in [None, Some("cmd")] {
            let document = self.world.stack.shadows.get(&self.thing, shadow).unwrap_or_default();
            let desired = &document["state"]["desired"];
            let clear = desired["c"].as_object().is_none_or(serde_json::Map::is_empty) && desired["command"].is_null();
            check(clear, format!("the shadow still holds a request: {document}"));
        }
        differences
    }
}

impl std::fmt::Debug for Trial<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.fault {
            None => write!(f, "{} ({})", self.scenario.name, self.thing),
            Some(InjectedFault { nth, fault, persists }) => {
                let persists = if *persists { " at every retry" } else { "" };
                let function = self.scenario.function();
                write!(f, "{} ({}), {fault:?}{persists} at call {nth} of {function}", self.scenario.name, self.thing)
            }
        }
    }
}

fn is_retryable(status: u16) -> bool {
    status >= 500 || status == 429
}
