//! Handling any event twice leaves the same tables as handling it once.

use serde_json::{Value, json};

use crate::fixtures::{fixtures, for_this_execution};
use crate::world::{COMMANDS, EXECUTIONS, World};

async fn tables(world: &World) -> (Vec<Value>, Vec<Value>) {
    world.stack.settle().await;
    (world.rows(COMMANDS).await, world.rows(EXECUTIONS).await)
}

/// Every event of every function, good or bad, in a world where there is an execution that it can be about.
#[tokio::test(flavor = "multi_thread")]
async fn any_event_twice_is_the_same_as_once() {
    let mut written = 0;
    for function in ["command-api", "track-command", "dispatch-commands", "reconcile-commands", "trim-shadow"] {
        for (name, event) in fixtures(function) {
            let world = World::start().await;
            let _pump = world.thing("pump-7").await;
            world.command("pump-7", json!({"ttl": 5})).await;
            let event = for_this_execution(&event, &world).await;
            let before = tables(&world).await;
            let once = world.invoke(function, &event).await;
            let after_one = tables(&world).await;
            let twice = world.invoke(function, &event).await;
            let after_two = tables(&world).await;
            assert_eq!(after_one, after_two, "{function}/{name}");
            assert_eq!(once.is_ok(), twice.is_ok(), "{function}/{name}: {once:?} {twice:?}");
            if name.starts_with("bad_") {
                assert_eq!(before, after_one, "{function}/{name} changed something");
            }
            written += usize::from(before != after_one);
            world.end().await;
        }
    }
    assert!(written >= 8, "only {written} events changed anything: does this test still mean something?");
}

/// The command that events of streams are about.
const COMMAND: &str = "018bcfe5-687b-7000-8000-000000000000";

/// The same of what streams bring, in a world where nobody else reads them, with a command for a fleet of one.
#[tokio::test(flavor = "multi_thread")]
async fn any_part_of_a_stream_twice_is_the_same_as_once() {
    let mut written = 0;
    for function in ["fan-out-command", "dispatch-commands", "tally-command"] {
        for (name, event) in fixtures(function).into_iter().filter(|(_, event)| event.contains("ecords")) {
            let world = World::with_template(&[], unread).await;
            world.stack.registry.add_things("pumps", &["pump-7"]).expect("a group");
            let answer = world.post("/commands", &json!({"name": "reboot", "target": {"groups": ["pumps"]}})).await;
            let command = answer.body["commandId"].as_str().expect("an id");
            let event = event.replace(COMMAND, command);
            if function != "fan-out-command" {
                let plans = fixtures("fan-out-command").into_iter().find(|(name, _)| name == "good_plan_moved.json");
                let plans = plans.expect("an event").1.replace(COMMAND, command);
                world.invoke("fan-out-command", &plans).await.expect("planned");
            }
            let before = tables(&world).await;
            let once = world.invoke(function, &event).await;
            let after_one = tables(&world).await;
            let twice = world.invoke(function, &event).await;
            let after_two = tables(&world).await;
            assert_eq!(after_one, after_two, "{function}/{name}");
            assert_eq!(once.is_ok(), name.starts_with("good_"), "{function}/{name}: {once:?}");
            assert_eq!(once.is_ok(), twice.is_ok(), "{function}/{name}: {twice:?}");
            if name.starts_with("bad_") {
                assert_eq!(before, after_one, "{function}/{name} changed something");
            }
            written += usize::from(before != after_one);
            world.end().await;
        }
    }
    assert!(written >= 6, "only {written} events changed anything: does this test still mean something?");
}

/// The template with its streams cut off.
pub fn unread(template: String) -> String {
    template.replace("StartingPosition: TRIM_HORIZON", "StartingPosition: TRIM_HORIZON\n            Enabled: false")
}
