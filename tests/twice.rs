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
        }
    }
    assert!(written >= 8, "only {written} events changed anything: does this test still mean something?");
}
