//! Two days, a thousand things that come and go and have all kinds of trouble, hundreds of commands: none is left open.

use std::sync::Arc;
use std::time::Duration;

use device::fleet::{Behaviour, Fleet, FleetConfig, Knobs};
use device::link::Endpoint;
use serde_json::{Value, json};

use crate::world::{EXECUTIONS, World};

const THINGS: usize = 1000;
const COMMANDS: usize = 500;
const HOUR: u64 = 3600;
/// In the first 42 hours something is asked for; the last deadline is six hours later at most.
const ASKING: usize = 42;

/// What the `n`th command asks for: every delivery, with and without heartbeats, retries and lanes.
fn command(n: usize) -> Value {
    let ttl = 600 + 900 * (n % 13);
    let mut command = json!({"ttl": ttl, "timeout": ttl + 1800 * (n % 4)});
    let more = match n / 4 % 6 {
        0 => json!({"delivery": "direct"}),
        1 => json!({"delivery": "topic", "heartbeat": 300}),
        2 => json!({"delivery": "shadow", "shadow": "map"}),
        3 => json!({"retry": {"attempts": 3, "on": ["NO_RESPONSE", "FAILED"], "wait": 60}}),
        4 => json!({"lane": {"name": "valve", "onFailure": if n.is_multiple_of(3) { "skip" } else { "stop" }}}),
        _ => json!({}),
    };
    command.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_things_for_two_days_leave_nothing_open() {
    // A tick every hour, not every minute: with devices connected each takes a twentieth of a second, and there would be
    // 2,880 of them. What is late by one tick here is late by an hour.
    let world = World::with_template(&[], |template| template.replace("rate(1 minute)", "rate(1 hour)")).await;
    let clock = world.stack.clock.clone();
    let address = world.stack.addresses.mqtt;
    let endpoint = Endpoint::plain(address.ip().to_string(), address.port());
    let awhile = Duration::from_secs(HOUR * 2)..=Duration::from_secs(HOUR * 8);
    let fleet = Fleet::start(FleetConfig {
        knobs: Knobs { flaky: 0.05, reboot: 0.03, out_of_order: 0.03, come_and_go: 0.2, ..Knobs::mixed() },
        shadows: false,
        shadow_commands: 0.3,
        here: awhile.clone(),
        gone: awhile,
        ..FleetConfig::new(endpoint, THINGS, Arc::new(move || clock.now_ms()))
    });
    let fleet = fleet.await.expect("everything connects");

    let mut asked = 0;
    for hour in 0..48 {
        while hour < ASKING && asked < COMMANDS * (hour + 1) / ASKING {
            // Four commands each to every fourth thing, for there to be lanes.
            let thing = &fleet.things()[asked - asked % 4];
            world.command(thing, command(asked)).await;
            asked += 1;
        }
        world.advance(HOUR).await;
        // The things are on the other side of sockets, and look at the clock ten times a second.
        tokio::time::sleep(Duration::from_millis(110)).await;
    }
    for _ in 0..3 {
        world.advance(HOUR).await;
    }
    // A thing that loses its memory while it works finds the request in its shadow again, and can't know better.
    let forgets = |thing: &str| fleet.script(thing).is_some_and(|script| script.behaviour == Behaviour::Crashes);
    let runs: Vec<_> = fleet.runs().into_iter().filter(|run| !forgets(&run.thing)).collect();
    fleet.stop().await;
    world.stack.settle().await;
    let rows = world.rows(EXECUTIONS).await;
    let executions: Vec<&Value> = rows.iter().filter(|row| row.get("progress").is_some()).collect();
    assert_eq!(executions.len(), COMMANDS);
    let of = |status: &str| executions.iter().filter(|row| row["status"]["S"] == status).count();
    let ended = ["SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "CANCELED"].map(|status| (status, of(status)));
    println!("{ended:?}, {} runs", runs.len());
    assert_eq!(ended.iter().map(|(_, count)| count).sum::<usize>(), COMMANDS, "{ended:?}");
    assert!(ended.iter().all(|(_, count)| *count > 0), "{ended:?}");
    assert!(rows.iter().all(|row| row.get("due_at").is_none()), "something is still due");
    world
        .end_with(
            runs.into_iter()
                .map(|run| crate::history::Run {
                    at_ms: run.started_ms,
                    thing: run.thing,
                    execution: run.execution_id,
                    attempt: run.attempt.into(),
                })
                .collect(),
        )
        .await;
}
