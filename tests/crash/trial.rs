//! One thing's way through a life in which one call goes wrong, and what is not as it should be then.

use device::agent::Outcome;
use local::faults::Fault;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Life, Moment};
use crate::history::Run;
use crate::robot::Robot;
use crate::world::{EXECUTIONS, World};

/// What goes wrong, at which call.
#[derive(Clone, Copy, Debug)]
pub struct Wrong {
    pub nth: u32,
    pub fault: Fault,
    /// For all attempts of the SDK.
    pub lasting: bool,
}

/// One thing's way through a life.
pub struct Trial<'a> {
    world: &'a World,
    life: &'a Life,
    wrong: Option<Wrong>,
    thing: String,
    commands: Vec<String>,
    robot: Option<Robot>,
}

/// What came of a trial.
#[derive(Default)]
pub struct Seen {
    /// There was a call for the fault.
    pub met: bool,
    pub runs: Vec<Run>,
    /// What is not as it should be.
    pub wrongs: Vec<String>,
}

impl<'a> Trial<'a> {
    pub fn new(world: &'a World, life: &'a Life, wrong: Option<Wrong>, number: usize) -> Self {
        Self { world, life, wrong, thing: format!("thing-{number}"), commands: Vec::new(), robot: None }
    }

    pub async fn run(mut self) -> Seen {
        if !self.life.away && !self.life.never {
            self.connect().await;
        }
        for (n, command) in self.life.commands.iter().enumerate() {
            if n + 1 == self.life.commands.len() {
                self.reach(Moment::Creation);
            }
            self.create(n, command).await;
            self.take().await;
        }
        if self.life.away {
            self.reach(Moment::Coming);
            self.connect().await;
            self.take().await;
        }
        if self.life.moment == Moment::Cancel {
            self.cancel().await;
        }
        if self.life.moment == Moment::Tick {
            self.deadline().await;
        }
        self.reach(Moment::Answer);
        self.finish().await;
        let met = self.wrong.is_none() || self.world.stack.faults.pending() == 0;
        self.world.stack.faults.clear();
        // Lambda tries again after one minute, and then after two; what is due is looked for meanwhile.
        for _ in 0..4 {
            if self.is_over().await {
                break;
            }
            self.world.advance(61).await;
            self.tick().await;
            self.finish().await;
        }
        let wrongs = self.judge().await;
        Seen { met, wrongs, runs: self.robot.map(|robot| robot.runs).unwrap_or_default() }
    }

    /// The rows of its thing.
    async fn rows(&self) -> Vec<Value> {
        let query = json!({
            "TableName": EXECUTIONS, "ConsistentRead": true, "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": format!("T#{}", self.thing)}},
        });
        self.world.dynamodb("Query", &query).await["Items"].as_array().expect("items").clone()
    }

    async fn is_over(&self) -> bool {
        self.rows().await.iter().all(|row| row.get("due_at").is_none())
    }

    fn reach(&self, moment: Moment) {
        let Some(Wrong { nth, fault, lasting }) = self.wrong.filter(|_| self.life.moment == moment) else { return };
        let function = format!("flaghoist-{}", self.life.function());
        match lasting {
            true => self.world.stack.faults.persist(&function, nth, fault),
            false => self.world.stack.faults.next(&function, nth, fault),
        }
    }

    async fn connect(&mut self) {
        self.robot = Some(Robot::connect(self.world, &self.thing, self.life.shadow).await);
        self.world.stack.settle().await;
    }

    /// A caller that hears of an error asks again, for the same.
    async fn create(&mut self, n: usize, command: &Value) {
        let mut body = json!({"name": "reboot", "target": {"things": [self.thing]}, "ttl": 1800, "timeout": 1800});
        body.as_object_mut().expect("an object").extend(command.as_object().expect("an object").clone());
        let key = format!("{}-{n}", self.thing);
        let headers = [("idempotency-key", key.as_str())];
        for _ in 0..4 {
            let answer = self.world.request(Method::POST, "/commands", &headers, body.to_string()).await;
            if !is_to_be_repeated(answer.status) {
                assert_eq!(answer.status, 202, "{self:?}: {answer:?}");
                self.commands.push(answer.body["commandId"].as_str().expect("an id").to_owned());
                return;
            }
            self.world.advance(11).await;
        }
        panic!("{self:?}: it was never created");
    }

    async fn cancel(&mut self) {
        self.reach(Moment::Cancel);
        let path = format!("/commands/{}/cancel", self.commands[0]);
        for _ in 0..4 {
            let answer = self.world.request(Method::POST, &path, &[], r#"{"force": true}"#).await;
            if !is_to_be_repeated(answer.status) {
                assert_eq!(answer.status, 200, "{self:?}: {answer:?}");
                return self.take().await;
            }
        }
        panic!("{self:?}: it was never canceled");
    }

    /// What a deadline brings, twice as Lambda retries a tick that failed.
    async fn deadline(&mut self) {
        self.world.advance(121).await;
        self.reach(Moment::Tick);
        self.tick().await;
    }

    async fn tick(&self) {
        let tick = json!({"kind": "tick", "scheduledTime": self.world.now()}).to_string();
        for _ in 0..3 {
            if self.world.invoke("reconcile-commands", &tick).await.is_ok() {
                return;
            }
        }
        panic!("{self:?}: the tick failed three times");
    }

    /// The device takes what was sent to it, or does not hear of it.
    async fn take(&mut self) {
        match &mut self.robot {
            Some(robot) if self.life.deaf => robot.miss(self.world).await,
            Some(robot) => robot.listen(self.world).await,
            None => self.world.stack.settle().await,
        }
    }

    async fn finish(&mut self) {
        let fails = self.life.fails;
        let outcome = move |attempt| match attempt {
            1 if fails => Outcome::failed("PUMP_JAMMED", "the pump does not turn"),
            _ => Outcome::succeeded(None),
        };
        match &mut self.robot {
            Some(robot) => robot.finish(self.world, outcome).await,
            None => self.world.stack.settle().await,
        }
    }

    async fn judge(&self) -> Vec<String> {
        let mut wrongs = Vec::new();
        let rows = self.rows().await;
        let mut check = |right: bool, what: String| wrongs.extend((!right).then(|| format!("{self:?}: {what}")));
        let runs = self.robot.as_ref().map_or(&[][..], |robot| &robot.runs);
        check(self.commands.len() == self.life.commands.len(), "not everything was accepted".to_owned());
        for (command, (status, times)) in self.commands.iter().zip(&self.life.ends) {
            let shown = self.world.execution(command, &self.thing).await;
            check(shown["status"] == *status, format!("it is not {status}: {shown}"));
            let ran = runs.iter().filter(|run| shown["executionId"] == run.execution.as_str()).count();
            check(ran == *times, format!("its device ran it {ran} times, not {times}"));
        }
        for row in rows {
            for left in ["due_at", "in_lane", "shadow_cleanup_pending"] {
                check(row.get(left).is_none(), format!("{left} is left in {row}"));
            }
            check(row["ids"]["L"].as_array().is_none_or(Vec::is_empty), format!("it is in its lane yet: {row}"));
        }
        for shadow in [None, Some("cmd")] {
            let document = self.world.stack.shadows.get(&self.thing, shadow).unwrap_or_default();
            let desired = &document["state"]["desired"];
            let clear = desired["c"].as_object().is_none_or(serde_json::Map::is_empty) && desired["command"].is_null();
            check(clear, format!("it is in its shadow yet: {document}"));
        }
        wrongs
    }
}

impl std::fmt::Debug for Trial<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.wrong {
            None => write!(f, "{} ({})", self.life.name, self.thing),
            Some(Wrong { nth, fault, lasting }) => {
                let lasting = if *lasting { " for good" } else { "" };
                let function = self.life.function();
                write!(f, "{} ({}), {fault:?}{lasting} at call {nth} of {function}", self.life.name, self.thing)
            }
        }
    }
}

fn is_to_be_repeated(status: u16) -> bool {
    status >= 500 || status == 429
}
