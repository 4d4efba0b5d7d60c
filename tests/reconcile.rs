//! The reconciler reads only due rows, goes on until none is left, and runs concurrently with another run.

use std::collections::BTreeMap;

use local::dynamodb::ConsumedCapacity;
use local::faults::Fault;
use local::journal::Event;
use serde_json::{Value, json};

use crate::world::{EXECUTIONS, START, World, without_wakes};

/// A world whose reconciler runs only in `tick`, without wakes.
async fn world() -> World {
    World::with_template(&[], |template| without_wakes(template.replace("rate(1 minute)", "rate(1 day)"))).await
}

async fn tick(world: &World) -> Result<Value, Value> {
    world.invoke("reconcile-commands", &json!({"kind": "tick", "scheduledTime": world.now()}).to_string()).await
}

/// Copies of a row in this due shard, each of another thing.
fn copies(row: &Value, count: usize, shard: &str) -> Vec<Value> {
    let copy = |n: usize| {
        let mut row = row.clone();
        row["pk"] = json!({"S": format!("T#copy-{n}")});
        row["due_shard"] = json!({"S": shard});
        row
    };
    (0..count).map(copy).collect()
}

/// Capacity used on the table of executions since the last reset, by operation.
fn used(world: &World) -> BTreeMap<&'static str, ConsumedCapacity> {
    let capacity = world.stack.dynamodb.capacity().into_iter();
    capacity.filter(|(call, _)| call.table == EXECUTIONS).map(|(call, units)| (call.operation, units)).collect()
}

/// Number of rows in the due index.
async fn due(world: &World) -> usize {
    world.rows(EXECUTIONS).await.iter().filter(|row| row.get("due_at").is_some()).count()
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn only_due_rows_of_a_hundred_thousand_are_read() {
    let world = world().await;
    let later = |n: i64| {
        json!({
            "pk": {"S": format!("T#later-{n}")}, "sk": {"S": format!("E#{n:026}")}, "status": {"S": "CREATED"},
            "due_at": {"N": (START + 3600 + n).to_string()}, "due_shard": {"S": (n % 64).to_string()},
        })
    };
    let rows: Vec<Value> = (0..99_900).map(later).collect();
    for rows in rows.chunks(10_000) {
        world.stack.dynamodb.import_items(EXECUTIONS, rows.to_vec()).expect("filled");
    }
    for n in 0..100 {
        world.command(&format!("pump-{n}"), json!({"ttl": 60})).await;
    }
    world.advance(61).await;
    world.stack.dynamodb.reset_capacity();
    let response = tick(&world).await.expect("a run");
    let used = used(&world);
    println!("{response}; {used:?}");
    assert_eq!(response["settled"], 100);
    let (entries, rows) = (used["Query"].scanned, used["GetItem"].requests);
    assert!((200..=220).contains(&entries), "{entries} entries read, in the look ahead and for the work: {used:?}");
    assert!((100..=110).contains(&rows), "{rows} rows read: {used:?}");
    assert_eq!(used.keys().copied().collect::<Vec<_>>(), ["GetItem", "Query", "UpdateItem"]);
    assert_eq!(used["UpdateItem"].requests, 100);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn two_concurrent_runs_write_each_verdict_once() {
    let world = world().await;
    for n in 0..100 {
        world.command(&format!("pump-{n}"), json!({"ttl": 60})).await;
    }
    world.advance(61).await;
    let (one, other) = tokio::join!(tick(&world), tick(&world));
    let settled = |response: Result<Value, Value>| response.expect("a run")["settled"].as_u64().expect("a count");
    assert_eq!(settled(one) + settled(other), 100);
    let verdicts = world.stack.journal.entries().into_iter().filter(|entry| match &entry.event {
        Event::Written { table, before: Some(before), after: Some(after), .. } if table == EXECUTIONS => {
            before["status"] != after["status"]
        }
        _ => false,
    });
    assert_eq!(verdicts.count(), 100);
    assert_eq!(due(&world).await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn what_is_more_than_a_page_in_a_shard_is_handed_over_and_done_once() {
    let world = World::with_template(&[], |template| template.replace("rate(1 minute)", "rate(1 day)")).await;
    world.command("pump-7", json!({"ttl": 60})).await;
    let row = world.rows(EXECUTIONS).await.remove(0);
    world.stack.dynamodb.import_items(EXECUTIONS, copies(&row, 600, "3")).expect("filled");
    world.advance(61).await;
    assert_eq!(due(&world).await, 600, "the wake of the one that was not imported has come");
    // The second tick comes while the run that the first one has started holds the shard.
    let (one, other) = tokio::join!(tick(&world), tick(&world));
    let handed_over = |response: Result<Value, Value>| response.expect("a tick")["runsHandedOver"].as_u64();
    assert_eq!(handed_over(one).into_iter().chain(handed_over(other)).sum::<u64>(), 1);
    world.settle().await;
    assert_eq!(due(&world).await, 0);
    assert_eq!(world.counted("reconcile-commands", "ExecutionsSettled"), 601);
    assert_eq!(world.counted("reconcile-commands", "RacesLost"), 0);
    let lease = world.rows(EXECUTIONS).await.into_iter().find(|row| row["pk"]["S"] == "R#3").expect("a lease");
    assert!(lease.get("holder").is_none(), "given back: {lease}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_run_that_crashes_holds_up_its_shard_for_as_long_as_its_lease() {
    let world = World::with_template(&[], |template| template.replace("rate(1 minute)", "rate(1 day)")).await;
    world.command("pump-7", json!({"ttl": 60})).await;
    let row = world.rows(EXECUTIONS).await.remove(0);
    world.stack.dynamodb.import_items(EXECUTIONS, copies(&row, 300, "3")).expect("filled");
    world.advance(61).await;
    // A tick makes fewer calls: a query of each of 68 shards, another one where anything is due, and those that hand over.
    world.stack.faults.next("flaghoist-reconcile-commands", 200, Fault::KillBefore);
    tick(&world).await.expect("a tick");
    world.settle().await;
    let left = due(&world).await;
    assert!(left > 0, "the run crashed");
    assert_eq!(tick(&world).await.expect("a tick")["runsHandedOver"], 0, "the lease is held");
    world.advance(91).await;
    tick(&world).await.expect("a tick");
    world.settle().await;
    assert_eq!(due(&world).await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn undecodable_rows_do_not_stop_the_others() {
    let world = world().await;
    world.command("pump-7", json!({"ttl": 60})).await;
    let row = world.rows(EXECUTIONS).await.remove(0);
    let mut rows = copies(&row, 40, "3");
    // The undecodable rows have the earliest due time, so the run reads them first.
    for (n, bad) in rows.iter_mut().take(4).enumerate() {
        bad["due_at"] = json!({"N": (START + 10).to_string()});
        match n {
            0 => drop(bad.as_object_mut().expect("an object").remove("progress")),
            1 => bad["status"] = json!({"S": "BORED"}),
            2 => bad["sk"] = json!({"S": "E#"}),
            _ => bad["start_by"] = json!({"S": "soon"}),
        }
    }
    world.stack.dynamodb.import_items(EXECUTIONS, rows).expect("filled");
    world.advance(61).await;
    let failed = tick(&world).await.expect_err("undecodable rows fail the run");
    assert!(failed.to_string().contains('4'), "{failed}");
    assert_eq!(due(&world).await, 4, "only the undecodable rows stay due");
    assert_eq!(world.counted("reconcile-commands", "ExecutionsSettled"), 37);
    assert_eq!(world.counted("reconcile-commands", "ExecutionsUnsettled"), 4);
    world.end().await;
}
