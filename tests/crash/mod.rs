//! Functions die between any two steps, and services fail them at every one: once the event was handled again, as AWS does
//! it, the outcome is that of a run in which nothing went wrong.

mod every_call;
mod trial;

use serde_json::{Value, json};

use every_call::every_call_of;

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
    /// The status and the runs of each command in the end.
    ends: Vec<(&'static str, usize)>,
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
            ends: ends.to_vec(),
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
        Life { ..Life::of("direct", Creation, &[through("direct")], &[ONCE]) },
        Life::of("topic", Creation, &[through("topic")], &[ONCE]),
        Life { away: true, ..Life::of("direct, away", Creation, &[through("direct")], &[ONCE]) },
        Life {
            shadow: true,
            ..Life::of("shadow", Creation, &[json!({"delivery": "shadow", "shadow": "map"})], &[ONCE])
        },
        Life { ..Life::of("first in its lane", Creation, &[lane(json!({}))], &[ONCE]) },
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
        Life { ..Life::of("first in its lane", Cancel, &[lane(json!({})), lane(json!({}))], &[canceled(1), ONCE]) },
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn coming_back() {
    use Moment::Coming;
    every_call_of(vec![
        Life { away: true, ..Life::of("one waits", Coming, &[json!({"delivery": "direct"})], &[ONCE]) },
        Life { away: true, ..Life::of("a lane waits", Coming, &[lane(json!({})), lane(json!({}))], &[ONCE, ONCE]) },
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
        Life { fails: true, ..Life::of("fails at first", Answer, &[retry], &[("SUCCEEDED", 2)]) },
        Life { ..Life::of("first of its lane", Answer, &[lane(json!({})), lane(json!({}))], &[ONCE, ONCE]) },
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
        Life { deaf: true, ..Life::of("silent", Tick, &[retry], &[ONCE]) },
        Life { never: true, ..Life::of("expired in a shadow", Tick, &[shadow], &[timed_out]) },
        Life {
            deaf: true,
            ..Life::of("expired first in its lane", Tick, &[lane(short), lane(json!({}))], &[timed_out, ONCE])
        },
    ])
    .await;
}
