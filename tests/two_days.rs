//! Two days, a thousand things that come and go and have all kinds of trouble, a command and more for each: none is left open.

use std::sync::Arc;
use std::time::Duration;

use device::clock::SleepUntil;
use device::fleet::{Behaviour, BehaviourShares, Fleet, FleetConfig, Run, RunOutcome};
use device::link::Endpoint;
use serde_json::{Value, json};

use crate::history;
use crate::world::{EXECUTIONS, World};

const THINGS: usize = 1000;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
/// Between two looks at what is to be asked for. The template's schedule fires ten times on the way.
const STEP: u64 = 10 * MINUTE;
const STEPS: usize = (48 * HOUR / STEP) as usize;
/// In the first 42 hours something is asked for; the last deadline is less than six hours later.
const ASKING: usize = (42 * HOUR / STEP) as usize;

/// Most things come and go for no other reason than that they do.
const TROUBLE: BehaviourShares = BehaviourShares {
    fail: 0.05,
    slow: 0.03,
    twice: 0.04,
    late: 0.03,
    offline: 0.03,
    never_online: 0.03,
    crash: 0.03,
    mute: 0.03,
    reject: 0.03,
    reboot: 0.03,
    flaky: 0.03,
    out_of_order: 0.03,
    come_and_go: 0.61,
};

/// What is asked for, and of which thing: one command of each, and of every eighth four, one behind another in a lane.
fn commands() -> Vec<(usize, Value)> {
    let lane =
        |thing: usize| json!({"name": "valve", "onFailure": if thing.is_multiple_of(3) { "skip" } else { "stop" }});
    let each = |thing: usize| match thing % 8 {
        0 => (0..4).map(|n| (thing, command(thing + n, json!({"lane": lane(thing)})))).collect(),
        _ => vec![(thing, command(thing, way(thing)))],
    };
    (0..THINGS).flat_map(each).collect()
}

/// Every delivery, with and without heartbeats and retries.
fn way(n: usize) -> Value {
    match n / 8 % 5 {
        0 => json!({"delivery": "direct"}),
        1 => json!({"delivery": "topic", "heartbeat": 300}),
        2 => json!({"delivery": "shadow", "shadow": "map"}),
        3 => json!({"retry": {"attempts": 3, "on": ["NO_RESPONSE", "FAILED"], "wait": 60}}),
        _ => json!({}),
    }
}

fn command(n: usize, way: Value) -> Value {
    let ttl = 600 + 900 * (n % 13);
    let mut command = json!({"ttl": ttl, "timeout": ttl + 1800 * (n % 4)});
    command.as_object_mut().expect("an object").extend(way.as_object().expect("an object").clone());
    command
}

/// A fleet on the world's clock.
async fn fleet(world: &World) -> Fleet {
    let (clock, address) = (world.stack.clock.clone(), world.stack.addresses.mqtt);
    let endpoint = Endpoint::plain(address.ip().to_string(), address.port());
    let awhile = Duration::from_secs(HOUR * 2)..=Duration::from_secs(HOUR * 12);
    let now = clock.clone();
    let sleep_until: SleepUntil = Arc::new(move |at_ms| {
        let clock = clock.clone();
        Box::pin(async move { clock.sleep_until(at_ms).await })
    });
    let fleet = Fleet::start(FleetConfig {
        shares: TROUBLE,
        sleep_until: Some(sleep_until),
        shadows: false,
        shadow_commands: 0.3,
        online_for: awhile.clone(),
        offline_for: awhile,
        ..FleetConfig::new(endpoint, THINGS, Arc::new(move || now.now_ms()))
    });
    fleet.await.expect("everything connects")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_things_for_two_days_leave_nothing_open() {
    let world = World::start().await;
    let fleet = fleet(&world).await;
    let commands = commands();
    let mut asked = 0;
    for step in 0..STEPS {
        for (thing, command) in &commands[asked..commands.len().min(commands.len() * (step + 1) / ASKING)] {
            world.command(&fleet.things()[*thing], command.clone()).await;
            asked += 1;
        }
        world.advance(STEP).await;
    }
    let connects = fleet.stats().connects;
    let runs = fleet.runs();
    // A thing that loses its memory while it works finds the request in its shadow again, and can't know better.
    let forgets = |thing: &str| fleet.script(thing).is_some_and(|script| script.behaviour == Behaviour::Crashes);
    let forgot: Vec<_> = runs.iter().filter(|run| forgets(&run.thing)).filter_map(lost).collect();
    fleet.stop().await;
    world.stack.settle().await;
    let ticks = world.stack.lambda.stats("flaghoist-reconcile-commands").invocations;
    let rows = world.rows(EXECUTIONS).await;
    let executions: Vec<&Value> = rows.iter().filter(|row| row.get("progress").is_some()).collect();
    assert_eq!(executions.len(), commands.len());
    let of = |status: &str| executions.iter().filter(|row| row["status"]["S"] == status).count();
    let ended = ["SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "CANCELED"].map(|status| (status, of(status)));
    println!("{ended:?}, {} runs, {connects} connections, {ticks} ticks", runs.len());
    assert_eq!(ticks, 2 * 24 * 60);
    assert!(connects > 2 * THINGS as u64, "things come back: {connects} connections");
    assert_eq!(ended.iter().map(|(_, count)| count).sum::<usize>(), commands.len(), "{ended:?}");
    assert!(ended.iter().all(|(_, count)| *count > 0), "{ended:?}");
    assert!(rows.iter().all(|row| row.get("due_at").is_none()), "something is still due");
    let ran = |run: Run| history::Run {
        at_ms: run.started_ms,
        thing: run.thing,
        execution: run.execution_id,
        attempt: run.attempt.into(),
    };
    world.end_with_losses(runs.into_iter().map(ran).collect(), forgot).await;
}

/// When a thing lost power in the middle of a run.
fn lost(run: &Run) -> Option<(i64, String)> {
    run.ended.filter(|(_, finish)| *finish == RunOutcome::Lost).map(|(at_ms, _)| (at_ms, run.thing.clone()))
}
