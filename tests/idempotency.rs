//! Handling any event twice leaves the tables as handling it once does.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::fixtures::{fixtures, for_this_execution};
use crate::world::{COMMANDS, EXECUTIONS, World};

async fn tables(world: &World) -> (Vec<Value>, Vec<Value>) {
    world.settle().await;
    (world.rows(COMMANDS).await, world.rows(EXECUTIONS).await)
}

/// The rows of the tables but the lists of reports that could not be used.
fn without_unusable_reports((commands, executions): &(Vec<Value>, Vec<Value>)) -> (&[Value], Vec<&Value>) {
    (commands, executions.iter().filter(|row| row["sk"]["S"] != "REPORTS").collect())
}

/// Takes every event of these functions, good or bad, adapted to the one execution of a new world.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn handling_an_event_twice_equals_handling_it_once() {
    let functions = ["command-api", "track-command", "dispatch-commands", "reconcile-commands", "trim-shadow"];
    let mut running: JoinSet<_> = functions.into_iter().map(handle_every_event_twice).collect();
    let mut changed = 0;
    while let Some(finished) = running.join_next().await {
        changed += finished.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    }
    assert!(changed >= 8, "only {changed} events changed a table: the test needs events that write");
}

/// Handles each event of a function twice; the number of events that changed a table.
async fn handle_every_event_twice(function: &'static str) -> usize {
    let mut changed = 0;
    for (name, event) in fixtures(function) {
        let world = World::start().await;
        let _pump = world.thing("pump-7").await;
        world.command("pump-7", json!({"ttl": 5})).await;
        let event = for_this_execution(&event, &world).await;
        let handled = handle_twice(&world, function, &name, &event).await;
        changed += usize::from(handled.changed);
        world.end().await;
    }
    changed
}

struct Handled {
    /// The response to the first invocation.
    response: Result<Value, Value>,
    /// Whether the tables changed.
    changed: bool,
}

/// Handles an event twice, and checks that the second time changes nothing, nor a bad event the first time but the thing's list
/// of reports that could not be used.
async fn handle_twice(world: &World, function: &str, name: &str, event: &str) -> Handled {
    let before = tables(world).await;
    let once = world.invoke(function, event).await;
    let after_one = tables(world).await;
    let twice = world.invoke(function, event).await;
    let after_two = tables(world).await;
    assert_eq!(after_one, after_two, "{function}/{name}");
    assert_eq!(once.is_ok(), twice.is_ok(), "{function}/{name}: {once:?} {twice:?}");
    if name.starts_with("bad_") {
        assert_eq!(
            without_unusable_reports(&before),
            without_unusable_reports(&after_one),
            "{function}/{name} changed a table"
        );
    }
    Handled { response: once, changed: before != after_one }
}

/// Command id in the stream events of `events/`.
const COMMAND: &str = "018bcfe5-687b-7000-8000-000000000000";

/// Takes every stream event. The streams are disabled, so that no function handles the test's own writes; the world
/// holds a command for a group of one thing.
#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn handling_a_stream_event_twice_equals_handling_it_once() {
    let mut changed = 0;
    for function in ["fan-out-command", "dispatch-commands", "tally-command"] {
        for (name, event) in fixtures(function).into_iter().filter(|(_, event)| event.contains("ecords")) {
            let world = World::with_template(&[], with_streams_disabled).await;
            world.stack.registry.add_things("pumps", &["pump-7"]).expect("a group");
            let created = world.post("/commands", &json!({"name": "reboot", "target": {"groups": ["pumps"]}})).await;
            let command = created.body["commandId"].as_str().expect("an id");
            let event = event.replace(COMMAND, command);
            if function != "fan-out-command" {
                let plans = fixtures("fan-out-command").into_iter().find(|(name, _)| name == "good_plan_moved.json");
                let plans = plans.expect("an event").1.replace(COMMAND, command);
                world.invoke("fan-out-command", &plans).await.expect("planned");
            }
            let handled = handle_twice(&world, function, &name, &event).await;
            assert_eq!(
                handled.response.is_ok(),
                name.starts_with("good_"),
                "{function}/{name}: {:?}",
                handled.response
            );
            changed += usize::from(handled.changed);
            world.end().await;
        }
    }
    assert!(changed >= 6, "only {changed} events changed a table: the test needs events that write");
}

/// The template with its event source mappings of streams disabled.
pub fn with_streams_disabled(template: String) -> String {
    template.replace("StartingPosition: TRIM_HORIZON", "StartingPosition: TRIM_HORIZON\n            Enabled: false")
}
