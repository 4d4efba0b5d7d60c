//! A fleet command held against what there is: its rows, each looked at, and its state.

use std::collections::BTreeMap;
use std::sync::Arc;

use device::fleet::{Fleet, FleetConfig, Knobs};
use device::link::Endpoint;
use serde_json::{Value, json};

use crate::history::Run;
use crate::world::{EXECUTIONS, World};

/// Simulated things on the world's clock, in no group.
pub async fn things(world: &World, things: usize, prefix: &str, knobs: Knobs) -> Fleet {
    let (clock, address) = (world.stack.clock.clone(), world.stack.addresses.mqtt);
    let waiting = clock.clone();
    let config = FleetConfig {
        knobs,
        prefix: prefix.to_owned(),
        shadows: false,
        sleep_until: Some(Arc::new(move |at_ms| {
            let clock = waiting.clone();
            Box::pin(async move { clock.sleep_until(at_ms).await })
        })),
        ..FleetConfig::new(
            Endpoint::plain(address.ip().to_string(), address.port()),
            things,
            Arc::new(move || clock.now_ms()),
        )
    };
    Fleet::start(config).await.expect("everything connects")
}

/// What devices ran, as a history has it.
pub fn runs(fleet: &Fleet) -> Vec<Run> {
    let run = |run: device::fleet::Run| Run {
        at_ms: run.started_ms,
        thing: run.thing,
        execution: run.execution_id,
        attempt: run.attempt.into(),
    };
    fleet.runs().into_iter().map(run).collect()
}

/// Asks for a fleet command; its id.
pub async fn command(world: &World, body: Value) -> String {
    let mut asked = json!({"name": "reboot", "delivery": "topic"});
    asked.as_object_mut().expect("an object").extend(body.as_object().expect("an object").clone());
    let answer = world.post("/commands", &asked).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.body["commandId"].as_str().expect("an id").to_owned()
}

/// How it stands, as the API shows it.
pub async fn stands(world: &World, id: &str) -> Value {
    world.get(&format!("/commands/{id}")).await.body
}

/// Lets time pass, a step at a time, until it stands so; how it stands in the end.
pub async fn until(world: &World, id: &str, state: &str, steps: &[u64]) -> Value {
    let mut now = stands(world, id).await;
    for step in steps {
        if now["state"] == state {
            break;
        }
        world.advance(*step).await;
        now = stands(world, id).await;
    }
    now
}

/// Every row of a command.
pub async fn rows_of(world: &World, id: &str) -> Vec<Value> {
    let mut scan = json!({
        "TableName": EXECUTIONS, "ConsistentRead": true, "FilterExpression": "command_id = :id",
        "ExpressionAttributeValues": {":id": {"S": id}},
    });
    let mut rows = Vec::new();
    loop {
        let page = world.dynamodb("Scan", &scan).await;
        rows.extend(page["Items"].as_array().expect("items").iter().cloned());
        if page["LastEvaluatedKey"].is_null() {
            // Beside them there may be notes of things that are in two batches.
            rows.retain(|row: &Value| row["sk"]["S"].as_str().is_some_and(|sk| sk.starts_with("E#")));
            return rows;
        }
        scan["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
    }
}

/// The thing of a row.
pub fn thing_of(row: &Value) -> String {
    row["pk"]["S"].as_str().and_then(|pk| pk.strip_prefix("T#")).expect("a thing").to_owned()
}

/// Which counts are not those of the rows.
pub fn miscounts(shown: &Value, rows: &[Value]) -> Vec<String> {
    let mut counted: BTreeMap<String, i64> = BTreeMap::new();
    for row in rows {
        let reason = match row.get("finished_at") {
            Some(_) => row["reason"]["S"].as_str(),
            None => row["verdict"]["S"].as_str(),
        };
        let word = |name: &str| row[name]["S"].as_str().expect("a word").to_owned();
        let said = [word("status"), format!("byDeliveryStatus/{}", word("delivery_status"))];
        for name in said.into_iter().chain(reason.map(|reason| format!("byReason/{reason}"))) {
            *counted.entry(name).or_default() += 1;
        }
    }
    let counts = &shown["counts"];
    let flat = |value: &Value, before: &str| -> BTreeMap<String, i64> {
        let entries = value.as_object().into_iter().flatten();
        entries
            .filter_map(|(name, value)| Some((format!("{before}{name}"), value.as_i64()?)))
            .filter(|(name, number)| *number != 0 && !["total", "waiting"].contains(&name.as_str()))
            .collect()
    };
    let mut told = flat(counts, "");
    for part in ["byDeliveryStatus", "byReason"] {
        told.extend(flat(&counts[part], &format!("{part}/")));
    }
    let names: std::collections::BTreeSet<_> = counted.keys().chain(told.keys()).collect();
    let number = |of: &BTreeMap<String, i64>, name: &String| of.get(name).copied().unwrap_or(0);
    names
        .into_iter()
        .filter(|name| number(&counted, name) != number(&told, name))
        .map(|name| format!("{name}: counted {}, but there are {}", number(&told, name), number(&counted, name)))
        .collect()
}
