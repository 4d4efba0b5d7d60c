//! The rows of a fleet command, and a recount of them that is compared with the command's counts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::world::{EXECUTIONS, World};

/// Every execution's row of a command.
pub async fn rows_of(world: &World, id: &str) -> Vec<Value> {
    let mut scan = json!({
        "TableName": EXECUTIONS, "ConsistentRead": true, "FilterExpression": "command_id = :id",
        "ExpressionAttributeValues": {":id": {"S": id}},
    });
    let mut rows = Vec::new();
    loop {
        let page = world.dynamodb("Scan", &scan).await;
        rows.extend(page["Items"].as_array().expect("a scan returns items").iter().cloned());
        if page["LastEvaluatedKey"].is_null() {
            // Beside the rows there are notes about things that two batches contain.
            rows.retain(|row: &Value| row["sk"]["S"].as_str().is_some_and(|sk| sk.starts_with("E#")));
            return rows;
        }
        scan["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
    }
}

/// The thing of a row.
pub fn thing_of(row: &Value) -> String {
    row["pk"]["S"].as_str().and_then(|pk| pk.strip_prefix("T#")).expect("a row's pk names its thing").to_owned()
}

/// The counts of a command that differ from those of its rows.
pub fn miscounts(shown: &Value, rows: &[Value]) -> Vec<String> {
    let (shown, recounted) = (shown_counts(&shown["counts"]), recount(rows));
    let names: BTreeSet<_> = recounted.keys().chain(shown.keys()).collect();
    let number = |counts: &BTreeMap<String, i64>, name: &String| counts.get(name).copied().unwrap_or(0);
    names
        .into_iter()
        .filter(|name| number(&recounted, name) != number(&shown, name))
        .map(|name| format!("{name}: the count is {}, the rows are {}", number(&shown, name), number(&recounted, name)))
        .collect()
}

/// The number of rows with each status, delivery status and reason.
fn recount(rows: &[Value]) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        let reason = match row.get("finished_at") {
            Some(_) => row["reason_code"]["S"].as_str(),
            None => row["verdict"]["S"].as_str(),
        };
        let text = |name: &str| row[name]["S"].as_str().unwrap_or_else(|| panic!("no {name} in {row}")).to_owned();
        let names = [text("status"), format!("byDeliveryStatus/{}", text("delivery_status"))];
        for name in names.into_iter().chain(reason.map(|reason| format!("byReason/{reason}"))) {
            *counts.entry(name).or_default() += 1;
        }
    }
    counts
}

/// The counts that the API shows, under the names of [`recount`], without zeros.
fn shown_counts(counts: &Value) -> BTreeMap<String, i64> {
    let flat = |value: &Value, prefix: &str| -> BTreeMap<String, i64> {
        let entries = value.as_object().into_iter().flatten();
        entries
            .filter_map(|(name, value)| Some((format!("{prefix}{name}"), value.as_i64()?)))
            .filter(|(name, number)| *number != 0 && !["total", "waiting", "notAsked"].contains(&name.as_str()))
            .collect()
    };
    let mut shown = flat(counts, "");
    for part in ["byDeliveryStatus", "byReason"] {
        shown.extend(flat(&counts[part], &format!("{part}/")));
    }
    shown
}
