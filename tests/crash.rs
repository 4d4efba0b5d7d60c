//! Functions die between any two steps, and services fail them at every one: once the event was handled again, as AWS does
//! it, the outcome is that of a run in which nothing went wrong.

use device::agent::Outcome;
use local::faults::Fault;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::history::Run;
use crate::robot::Robot;
use crate::world::{EXECUTIONS, World};

/// The step of a life in which one call of a function goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// The last command is created.
    Creation,
    /// The device connects.
    Coming,
    /// The first command is canceled.
    Cancel,
    /// The device's first answer is tracked.
    Answer,
    /// A deadline has passed.
    Tick,
}

/// The life of some commands to one thing.
#[derive(Clone, Debug)]
struct Life {
    name: &'static str,
    moment: Moment,
    /// What is asked for, one after the other.
    commands: Vec<Value>,
    /// The device takes commands in its shadow too.
    shadow: bool,
    /// The device connects only after all of them were created; or never.
    away: bool,
    never: bool,
    /// Requests that arrive before the deadline are lost.
    deaf: bool,
    /// The first attempt fails.
    fails: bool,
    /// Services fail too, not only the function.
    services: bool,
    /// The status and the runs of each command in the end.
    ends: Vec<(&'static str, usize)>,
    /// In at most so many trials a request that was claimed does not go out, or nobody knows whether it did: it is not sent
    /// again, and ends at its ttl.
    unsent: usize,
}

impl Life {
    fn of(name: &'static str, moment: Moment, commands: &[Value], ends: &[(&'static str, usize)]) -> Self {
        Self {
            name,
            moment,
            commands: commands.to_vec(),
            shadow: false,
            away: false,
            never: false,
            deaf: false,
            fails: false,
            services: false,
            ends: ends.to_vec(),
            unsent: 0,
        }
    }

    fn function(&self) -> &'static str {
        match self.moment {
            Moment::Creation | Moment::Cancel => "command-api",
            Moment::Coming => "dispatch-commands",
            Moment::Answer => "track-command",
            Moment::Tick => "reconcile-commands",
        }
    }
}

/// What goes wrong, at which call.
#[derive(Clone, Copy, Debug)]
struct Wrong {
    nth: u32,
    fault: Fault,
    /// For all attempts of the SDK.
    lasting: bool,
}

/// One thing's way through a life.
struct Trial<'a> {
    world: &'a World,
    life: &'a Life,
    wrong: Option<Wrong>,
    thing: String,
    commands: Vec<String>,
    robot: Option<Robot>,
}

/// What came of a trial.
#[derive(Default)]
struct Seen {
    /// There was a call for the fault.
    met: bool,
    runs: Vec<Run>,
    /// What is not as it should be.
    wrongs: Vec<String>,
    /// A request that should have gone out did not.
    unsent: bool,
}

impl<'a> Trial<'a> {
    fn new(world: &'a World, life: &'a Life, wrong: Option<Wrong>, number: usize) -> Self {
        Self { world, life, wrong, thing: format!("thing-{number}"), commands: Vec::new(), robot: None }
    }

    async fn run(mut self) -> Seen {
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
        let (wrongs, unsent) = self.judge().await;
        Seen { met, wrongs, unsent, runs: self.robot.map(|robot| robot.runs).unwrap_or_default() }
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
        let tick = json!({"scheduledTime": self.world.now()}).to_string();
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

    async fn judge(&self) -> (Vec<String>, bool) {
        let mut wrongs = Vec::new();
        let rows = self.rows().await;
        let unsent = rows.iter().any(|row| row["status"]["S"] == "CREATED" && row["delivery_status"]["S"] == "SENT");
        if unsent && self.wrong.is_some() {
            return (wrongs, true);
        }
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
            for left in ["due_at", "in_lane", "withdraw"] {
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
        (wrongs, false)
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

const KILLS: [(Fault, bool); 2] = [(Fault::KillBefore, false), (Fault::KillAfter, false)];

/// Every attempt of the SDK meets them, but the one that must find out what came of the first.
const FAILURES: [(Fault, bool); 3] =
    [(Fault::AppliedThenTimeout, false), (Fault::Throttle, true), (Fault::Unavailable, true)];

fn is_to_be_repeated(status: u16) -> bool {
    status >= 500 || status == 429
}

/// A life without a fault; then with each fault at its first call, its second, and so on until there is no such call. What
/// is wrong then.
async fn every_call(life: Life) -> Vec<String> {
    // Ticks come when the test says so: the schedule's would only cost time.
    let world = World::with_template(&[], |template| template.replace("rate(1 minute)", "rate(1 day)")).await;
    let Seen { mut runs, mut wrongs, .. } = Trial::new(&world, &life, None, 0).run().await;
    let faults = [&KILLS[..], if life.services { &FAILURES[..] } else { &[] }].concat();
    let (mut trials, mut unsent) = (0, Vec::new());
    for nth in 1.. {
        // The reconciler looks into sixteen shards at once: one of these calls is like another.
        if life.moment == Moment::Tick && (2..15).contains(&nth) {
            continue;
        }
        let mut met = false;
        for (fault, lasting) in &faults {
            trials += 1;
            let wrong = Wrong { nth, fault: *fault, lasting: *lasting };
            let seen = Trial::new(&world, &life, Some(wrong), trials).run().await;
            met |= seen.met;
            runs.extend(seen.runs);
            wrongs.extend(seen.wrongs);
            unsent.extend(seen.unsent.then(|| format!("{fault:?} at {nth}")));
        }
        if !met {
            assert!(nth > 1, "{}: no call was ever met", life.name);
            println!("{}: {} calls of {}, {trials} trials; not sent: {unsent:?}", life.name, nth - 1, life.function());
            break;
        }
    }
    if unsent.len() > life.unsent {
        wrongs.push(format!("{}: not sent: {unsent:?}", life.name));
    }
    // Whatever is open yet ends now.
    world.advance(3600).await;
    for _ in 0..3 {
        let tick = json!({"scheduledTime": world.now()}).to_string();
        world.invoke("reconcile-commands", &tick).await.expect("a tick");
    }
    world.end_with(runs).await;
    wrongs
}

async fn every_call_of(lives: Vec<Life>) {
    let mut trials = JoinSet::new();
    for life in lives {
        trials.spawn(every_call(life));
    }
    let mut wrongs = Vec::new();
    while let Some(trial) = trials.join_next().await {
        match trial {
            Ok(found) => wrongs.extend(found),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    assert!(wrongs.is_empty(), "{} things are not as they should be:\n{}", wrongs.len(), wrongs.join("\n"));
}

fn lane(more: Value) -> Value {
    let mut command = json!({"lane": {"name": "valve", "onFailure": "skip"}});
    command.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    command
}

const ONCE: (&str, usize) = ("SUCCEEDED", 1);

#[tokio::test(flavor = "multi_thread")]
async fn creating() {
    use Moment::Creation;
    let through = |delivery| json!({"delivery": delivery});
    every_call_of(vec![
        Life { services: true, unsent: 6, ..Life::of("direct", Creation, &[through("direct")], &[ONCE]) },
        Life::of("topic", Creation, &[through("topic")], &[ONCE]),
        Life { away: true, ..Life::of("direct, away", Creation, &[through("direct")], &[ONCE]) },
        Life {
            shadow: true,
            ..Life::of("shadow", Creation, &[json!({"delivery": "shadow", "shadow": "map"})], &[ONCE])
        },
        Life { unsent: 6, ..Life::of("first in its lane", Creation, &[lane(json!({}))], &[ONCE]) },
        Life::of("second in its lane", Creation, &[lane(json!({})), lane(json!({}))], &[ONCE, ONCE]),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn canceling() {
    use Moment::Cancel;
    let canceled = |runs| ("CANCELED", runs);
    let shadow = json!({"delivery": "shadow", "shadow": "map"});
    every_call_of(vec![
        Life { never: true, ..Life::of("queued", Cancel, &[json!({})], &[canceled(0)]) },
        Life::of("running", Cancel, &[json!({})], &[canceled(1)]),
        Life { never: true, ..Life::of("in a shadow", Cancel, &[shadow], &[canceled(0)]) },
        Life {
            unsent: 6,
            ..Life::of("first in its lane", Cancel, &[lane(json!({})), lane(json!({}))], &[canceled(1), ONCE])
        },
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn coming_back() {
    use Moment::Coming;
    every_call_of(vec![
        Life { unsent: 6, away: true, ..Life::of("one waits", Coming, &[json!({"delivery": "direct"})], &[ONCE]) },
        Life {
            unsent: 6,
            away: true,
            ..Life::of("a lane waits", Coming, &[lane(json!({})), lane(json!({}))], &[ONCE, ONCE])
        },
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answering() {
    use Moment::Answer;
    let retry = json!({"retry": {"attempts": 2, "on": ["FAILED"], "backoff": {"base": 1, "cap": 5}}});
    let shadow = json!({"delivery": "shadow", "shadow": "map"});
    every_call_of(vec![
        Life::of("succeeds", Answer, &[json!({})], &[ONCE]),
        Life {
            services: true,
            unsent: 8,
            fails: true,
            ..Life::of("fails at first", Answer, &[retry], &[("SUCCEEDED", 2)])
        },
        Life { unsent: 6, ..Life::of("first of its lane", Answer, &[lane(json!({})), lane(json!({}))], &[ONCE, ONCE]) },
        Life { shadow: true, ..Life::of("in a shadow", Answer, &[shadow], &[ONCE]) },
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reconciling() {
    use Moment::Tick;
    let timed_out = ("TIMED_OUT", 0);
    let retry = json!({"delivery": "topic", "retry": {"attempts": 2, "on": ["NO_RESPONSE"], "wait": 30, "backoff": {"base": 1, "cap": 5}}});
    let shadow = json!({"delivery": "shadow", "shadow": "map", "ttl": 60, "timeout": 60});
    let short = json!({"ttl": 60, "timeout": 60, "delivery": "topic"});
    every_call_of(vec![
        Life { never: true, ..Life::of("expired", Tick, &[json!({"ttl": 60, "timeout": 60})], &[timed_out]) },
        Life { services: true, unsent: 12, deaf: true, ..Life::of("silent", Tick, &[retry], &[ONCE]) },
        Life { services: true, never: true, ..Life::of("expired in a shadow", Tick, &[shadow], &[timed_out]) },
        Life {
            unsent: 12,
            deaf: true,
            ..Life::of("expired first in its lane", Tick, &[lane(short), lane(json!({}))], &[timed_out, ONCE])
        },
    ])
    .await;
}
