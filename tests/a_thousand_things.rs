//! Two days of a thousand things that connect and disconnect and have faults of every kind: every command ends.

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
/// Seconds per step of the clock.
const STEP: u64 = 10 * MINUTE;
const STEPS: usize = (48 * HOUR / STEP) as usize;
/// Steps in which commands are created: 42 hours. The last deadline is less than six hours later.
const CREATING_STEPS: usize = (42 * HOUR / STEP) as usize;

/// Most things only connect and disconnect.
const SHARES: BehaviourShares = BehaviourShares {
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

/// Index of the thing and body of each command: one command per thing, and four in one lane for every eighth thing.
fn commands() -> Vec<(usize, Value)> {
    let lane =
        |thing: usize| json!({"name": "valve", "onFailure": if thing.is_multiple_of(3) { "skip" } else { "stop" }});
    let each = |thing: usize| match thing % 8 {
        0 => (0..4).map(|n| (thing, command(thing + n, json!({"lane": lane(thing)})))).collect(),
        _ => vec![(thing, command(thing, delivery(thing)))],
    };
    (0..THINGS).flat_map(each).collect()
}

/// Members of a command that give its delivery, heartbeat and retry policy.
fn delivery(n: usize) -> Value {
    match n / 8 % 5 {
        0 => json!({"delivery": "direct"}),
        1 => json!({"delivery": "topic", "heartbeat": 300}),
        2 => json!({"delivery": "shadow", "shadow": "map"}),
        3 => json!({"retry": {"attempts": 3, "on": ["NO_RESPONSE", "FAILED"], "wait": 60}}),
        _ => json!({}),
    }
}

fn command(n: usize, more: Value) -> Value {
    let ttl = 600 + 900 * (n % 13);
    let mut command = json!({"ttl": ttl, "timeout": ttl + 1800 * (n % 4)});
    command.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    command
}

/// Starts the simulated things on the world's clock.
async fn fleet(world: &World) -> Fleet {
    let (clock, address) = (world.stack.clock.clone(), world.stack.addresses.mqtt);
    let endpoint = Endpoint::plain(address.ip().to_string(), address.port());
    let period = Duration::from_secs(HOUR * 2)..=Duration::from_secs(HOUR * 12);
    let now = clock.clone();
    let sleep_until: SleepUntil = Arc::new(move |at_ms| {
        let clock = clock.clone();
        Box::pin(async move { clock.sleep_until(at_ms).await })
    });
    let fleet = Fleet::start(FleetConfig {
        shares: SHARES,
        sleep_until: Some(sleep_until),
        shadows: false,
        shadow_commands: 0.3,
        online_for: period.clone(),
        offline_for: period,
        ..FleetConfig::new(endpoint, THINGS, Arc::new(move || now.now_ms()))
    });
    let fleet = fleet.await.expect("every thing connects");
    world.stack.attend(fleet.in_hand());
    fleet
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn every_command_ends_within_two_days() {
    // Each minute, as in the template, takes half again as much CPU. Nothing here depends on the reconciler's period.
    // Nor on progress events: each batch of them is a stop of the clock.
    let parameters = [("SingleCommandEvents", "false")];
    let world =
        World::with_template(&parameters, |template| template.replace("rate(1 minute)", "rate(5 minutes)")).await;
    let fleet = fleet(&world).await;
    let commands = commands();
    let mut created = 0;
    for step in 0..STEPS {
        for (thing, command) in &commands[created..commands.len().min(commands.len() * (step + 1) / CREATING_STEPS)] {
            world.command(&fleet.things()[*thing], command.clone()).await;
            created += 1;
        }
        world.advance(STEP).await;
    }
    let connects = fleet.stats().connects;
    let runs = fleet.runs();
    // A thing that crashes during a run has lost its memory, so it may run the request in its shadow a second time.
    let crashes = |thing: &str| fleet.script(thing).is_some_and(|script| script.behaviour == Behaviour::Crashes);
    let memory_losses: Vec<_> = runs.iter().filter(|run| crashes(&run.thing)).filter_map(memory_loss).collect();
    fleet.stop().await;
    world.settle().await;
    let ticks = world.stack.lambda.stats("flaghoist-reconcile-commands").invocations;
    let rows = world.rows(EXECUTIONS).await;
    let executions: Vec<&Value> = rows.iter().filter(|row| row.get("progress").is_some()).collect();
    assert_eq!(executions.len(), commands.len());
    let count = |status: &str| executions.iter().filter(|row| row["status"]["S"] == status).count();
    let ended = ["SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "CANCELED"].map(|status| (status, count(status)));
    println!("{ended:?}, {} runs, {connects} connections, {ticks} ticks and wakes", runs.len());
    assert!(ticks >= 2 * 24 * 60 / 5, "each tick, and the wakes: {ticks}");
    assert!(connects > 2 * THINGS as u64, "only {connects} connections: things must reconnect");
    assert_eq!(ended.iter().map(|(_, count)| count).sum::<usize>(), commands.len(), "{ended:?}");
    assert!(ended.iter().all(|(_, count)| *count > 0), "{ended:?}");
    assert!(rows.iter().all(|row| row.get("due_at").is_none()), "a row is still in the due index");
    let history_run = |run: Run| history::Run {
        at_ms: run.started_ms,
        thing: run.thing,
        execution: run.execution_id,
        attempt: run.attempt.into(),
    };
    world.end_with_losses(runs.into_iter().map(history_run).collect(), memory_losses).await;
}

/// Time in milliseconds at which a thing crashed during this run, and its name.
fn memory_loss(run: &Run) -> Option<(i64, String)> {
    run.ended.filter(|(_, outcome)| *outcome == RunOutcome::Lost).map(|(at_ms, _)| (at_ms, run.thing.clone()))
}
