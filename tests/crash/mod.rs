//! Crashes and service errors at every call of a function: after the retry of the event, the outcome is that of a run
//! without faults.

mod every_call;
mod trial;

use serde_json::{Value, json};

use every_call::check_every_call;

/// The step of a scenario in which one call of a function gets a fault.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// The last command is created.
    Creation,
    /// The device connects.
    Connect,
    /// The first command is canceled.
    Cancel,
    /// The device's first report is handled.
    Report,
    /// The reconciler runs after a deadline whose wake was lost.
    Tick,
    /// A wake arrives at the reconciler.
    Wake,
}

/// Commands to one thing, what the device does, and how the commands end.
#[derive(Clone, Debug)]
struct Scenario {
    name: &'static str,
    moment: Moment,
    /// Members of each command; one command is created after another.
    commands: Vec<Value>,
    /// Whether the device takes commands in its shadow too.
    shadow: bool,
    /// Whether the device connects only after every command was created.
    connects_late: bool,
    never_connects: bool,
    /// Whether the device loses every request before the deadline.
    loses_requests: bool,
    first_attempt_fails: bool,
    /// Expected status and number of runs of each command.
    outcomes: Vec<(&'static str, usize)>,
}

impl Scenario {
    fn new(name: &'static str, moment: Moment, commands: &[Value], outcomes: &[(&'static str, usize)]) -> Self {
        Self {
            name,
            moment,
            commands: commands.to_vec(),
            shadow: false,
            connects_late: false,
            never_connects: false,
            loses_requests: false,
            first_attempt_fails: false,
            outcomes: outcomes.to_vec(),
        }
    }

    /// The function whose calls get the fault.
    fn function(&self) -> &'static str {
        match self.moment {
            Moment::Creation | Moment::Cancel => "command-api",
            Moment::Connect => "dispatch-commands",
            Moment::Report => "track-command",
            Moment::Tick | Moment::Wake => "reconcile-commands",
        }
    }
}

/// Members of a command in a lane that skips failures.
fn lane(more: Value) -> Value {
    let mut command = json!({"lane": {"name": "valve", "onFailure": "skip"}});
    command.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    command
}

/// Outcome of a command that succeeds in one run.
const SUCCEEDS_ONCE: (&str, usize) = ("SUCCEEDED", 1);

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_fault_while_creating_changes_no_outcome() {
    use Moment::Creation;
    let by = |delivery| json!({"delivery": delivery});
    check_every_call(vec![
        Scenario::new("direct", Creation, &[by("direct")], &[SUCCEEDS_ONCE]),
        Scenario::new("topic", Creation, &[by("topic")], &[SUCCEEDS_ONCE]),
        Scenario {
            connects_late: true,
            ..Scenario::new("direct, offline", Creation, &[by("direct")], &[SUCCEEDS_ONCE])
        },
        Scenario {
            shadow: true,
            ..Scenario::new("shadow", Creation, &[json!({"delivery": "shadow", "shadow": "map"})], &[SUCCEEDS_ONCE])
        },
        Scenario::new("first in its lane", Creation, &[lane(json!({}))], &[SUCCEEDS_ONCE]),
        Scenario::new(
            "second in its lane",
            Creation,
            &[lane(json!({})), lane(json!({}))],
            &[SUCCEEDS_ONCE, SUCCEEDS_ONCE],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_fault_while_canceling_changes_no_outcome() {
    use Moment::Cancel;
    let canceled = |runs| ("CANCELED", runs);
    let shadow = json!({"delivery": "shadow", "shadow": "map"});
    check_every_call(vec![
        Scenario { never_connects: true, ..Scenario::new("queued", Cancel, &[json!({})], &[canceled(0)]) },
        Scenario::new("running", Cancel, &[json!({})], &[canceled(1)]),
        Scenario { never_connects: true, ..Scenario::new("in a shadow", Cancel, &[shadow], &[canceled(0)]) },
        Scenario::new("first in its lane", Cancel, &[lane(json!({})), lane(json!({}))], &[canceled(1), SUCCEEDS_ONCE]),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_fault_while_the_device_connects_changes_no_outcome() {
    use Moment::Connect;
    check_every_call(vec![
        Scenario {
            connects_late: true,
            ..Scenario::new("one waits", Connect, &[json!({"delivery": "direct"})], &[SUCCEEDS_ONCE])
        },
        Scenario {
            connects_late: true,
            ..Scenario::new(
                "a lane waits",
                Connect,
                &[lane(json!({})), lane(json!({}))],
                &[SUCCEEDS_ONCE, SUCCEEDS_ONCE],
            )
        },
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_fault_while_a_report_is_handled_changes_no_outcome() {
    use Moment::Report;
    let retry = json!({"retry": {"attempts": 2, "on": ["FAILED"], "backoff": {"base": 1, "cap": 5}}});
    let shadow = json!({"delivery": "shadow", "shadow": "map"});
    check_every_call(vec![
        Scenario::new("succeeds", Report, &[json!({})], &[SUCCEEDS_ONCE]),
        Scenario {
            first_attempt_fails: true,
            ..Scenario::new("fails at first", Report, &[retry], &[("SUCCEEDED", 2)])
        },
        Scenario::new(
            "first of its lane",
            Report,
            &[lane(json!({})), lane(json!({}))],
            &[SUCCEEDS_ONCE, SUCCEEDS_ONCE],
        ),
        Scenario { shadow: true, ..Scenario::new("in a shadow", Report, &[shadow], &[SUCCEEDS_ONCE]) },
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_fault_while_reconciling_changes_no_outcome() {
    check_every_call(scenarios_of_the_reconciler(Moment::Tick)).await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_fault_while_a_wake_is_handled_changes_no_outcome() {
    check_every_call(scenarios_of_the_reconciler(Moment::Wake)).await;
}

fn scenarios_of_the_reconciler(moment: Moment) -> Vec<Scenario> {
    let timed_out = ("TIMED_OUT", 0);
    let retry = json!({"delivery": "topic", "retry": {"attempts": 2, "on": ["NO_RESPONSE"], "wait": 30, "backoff": {"base": 1, "cap": 5}}});
    let shadow = json!({"delivery": "shadow", "shadow": "map", "ttl": 60, "timeout": 60});
    let short = json!({"ttl": 60, "timeout": 60, "delivery": "topic"});
    vec![
        Scenario {
            never_connects: true,
            ..Scenario::new("expired", moment, &[json!({"ttl": 60, "timeout": 60})], &[timed_out])
        },
        Scenario { loses_requests: true, ..Scenario::new("no response", moment, &[retry], &[SUCCEEDS_ONCE]) },
        Scenario { never_connects: true, ..Scenario::new("expired in a shadow", moment, &[shadow], &[timed_out]) },
        Scenario {
            loses_requests: true,
            ..Scenario::new(
                "expired first in its lane",
                moment,
                &[lane(short), lane(json!({}))],
                &[timed_out, SUCCEEDS_ONCE],
            )
        },
    ]
}
