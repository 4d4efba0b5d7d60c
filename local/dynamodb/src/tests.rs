//! Tests of the DynamoDB front through its HTTP API.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use local_journal::Event;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;

fn table() -> Table {
    Table {
        logical_id: "Things".into(),
        name: "things".into(),
        create: json!({
            "TableName": "things",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "due", "AttributeType": "N"},
            ],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "GlobalSecondaryIndexes": [{
                "IndexName": "due",
                "KeySchema": [{"AttributeName": "due", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        }),
        ttl_attribute: Some("purge_at".into()),
        stream: None,
    }
}

async fn started() -> (Clock, DynamoDb) {
    started_with(Journal::default()).await
}

async fn started_with(journal: Journal) -> (Clock, DynamoDb) {
    let clock = Clock::manual(1_700_000_000_000);
    let dynamodb = DynamoDb::start_with(clock.clone(), &[table()], None, journal).await.expect("starts");
    (clock, dynamodb)
}

async fn call_raw(dynamodb: &DynamoDb, operation: &str, body: impl Into<Body>) -> (u16, Value) {
    let request = Request::post("/")
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .body(body.into())
        .expect("a request");
    let answer = dynamodb.router().oneshot(request).await.expect("infallible");
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    (status, serde_json::from_slice(&body).expect("JSON"))
}

async fn call(dynamodb: &DynamoDb, operation: &str, body: Value) -> (u16, Value) {
    call_raw(dynamodb, operation, body.to_string()).await
}

fn put(key: &str) -> Value {
    json!({"TableName": "things", "Item": {"pk": {"S": key}, "due": {"N": "7"}}})
}

#[tokio::test]
async fn an_unsigned_request_is_answered() {
    let (_, dynamodb) = started().await;
    assert_eq!(call(&dynamodb, "PutItem", put("a")).await, (200, json!({})));
    let get = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}});
    let (status, answer) = call(&dynamodb, "GetItem", get).await;
    assert_eq!((status, &answer["Item"]["due"]["N"]), (200, &json!("7")));
}

#[tokio::test]
async fn every_request_is_counted_and_capacity_is_returned_only_on_request() {
    let (_, dynamodb) = started().await;
    call(&dynamodb, "PutItem", put("a")).await;

    let mut requesting = put("b");
    requesting["ReturnConsumedCapacity"] = json!("TOTAL");
    let (_, answer) = call(&dynamodb, "PutItem", requesting.clone()).await;
    assert_eq!(answer, json!({"ConsumedCapacity": {"TableName": "things", "CapacityUnits": 2.0}}));

    requesting["ReturnConsumedCapacity"] = json!("INDEXES");
    requesting["Item"]["pk"]["S"] = json!("c");
    let (_, answer) = call(&dynamodb, "PutItem", requesting).await;
    assert_eq!(answer["ConsumedCapacity"]["GlobalSecondaryIndexes"]["due"]["CapacityUnits"], 1.0);

    let mut conditional = put("a");
    conditional["ConditionExpression"] = json!("attribute_not_exists(pk)");
    let (status, answer) = call(&dynamodb, "PutItem", conditional).await;
    assert_eq!(status, 400);
    assert!(answer["__type"].as_str().is_some_and(|t| t.ends_with("ConditionalCheckFailedException")), "{answer}");

    let consumer = TableOperation { table: "things".into(), operation: "PutItem" };
    assert_eq!(
        dynamodb.capacity().get(&consumer),
        Some(&ConsumedCapacity { requests: 4, read: 0.0, write: 7.0, scanned: 0 })
    );
    dynamodb.reset_capacity();
    assert!(dynamodb.capacity().is_empty());
}

#[tokio::test]
async fn a_transaction_and_a_batch_are_counted_by_table() {
    let (_, dynamodb) = started().await;
    let transaction = json!({"TransactItems": [{"Put": put("a")}, {"Put": put("b")}]});
    assert_eq!(call(&dynamodb, "TransactWriteItems", transaction).await, (200, json!({})));
    let batch = json!({"RequestItems": {"things": [{"PutRequest": {"Item": put("c")["Item"]}}]}});
    assert_eq!(call(&dynamodb, "BatchWriteItem", batch).await.0, 200);
    let query = json!({"TableName": "things", "IndexName": "due", "KeyConditionExpression": "due = :due",
                       "ExpressionAttributeValues": {":due": {"N": "7"}}});
    assert_eq!(call(&dynamodb, "Query", query).await.1["Count"], 3);
    let by_operation: Vec<_> = dynamodb
        .capacity()
        .into_iter()
        .map(|(consumer, units)| (consumer.operation, units.read, units.write))
        .collect();
    assert_eq!(by_operation, [("BatchWriteItem", 0.0, 2.0), ("Query", 0.5, 0.0), ("TransactWriteItems", 0.0, 6.0)]);
    let query = TableOperation { table: "things".into(), operation: "Query" };
    assert_eq!(dynamodb.capacity()[&query].scanned, 3);
}

#[tokio::test]
async fn imported_items_are_found_and_not_counted() {
    let (_, dynamodb) = started().await;
    dynamodb.import_items("things", vec![put("a")["Item"].clone(), put("b")["Item"].clone()]).expect("imported");
    assert!(dynamodb.capacity().is_empty());
    let query = json!({"TableName": "things", "IndexName": "due", "KeyConditionExpression": "due = :due",
                       "ExpressionAttributeValues": {":due": {"N": "7"}}});
    assert_eq!(call(&dynamodb, "Query", query).await.1["Count"], 2);
    assert!(dynamodb.import_items("things", vec![json!({"pk": 7})]).is_err());
    assert!(dynamodb.import_items("nothing", vec![put("c")["Item"].clone()]).is_err());
}

#[tokio::test]
async fn malformed_requests_are_rejected_with_dynamodb_errors() {
    let (_, dynamodb) = started().await;
    let deep = "[".repeat(100_000);
    let bad: [&[u8]; 6] = [b"", b"{", b"[]", b"\"x\"", &[0xff, 0xfe, 0x00], deep.as_bytes()];
    for body in bad {
        let (status, answer) = call_raw(&dynamodb, "PutItem", body.to_vec()).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(20)]);
        assert_eq!(status, 400, "{shown}: {answer}");
        assert!(answer["__type"].as_str().is_some_and(|t| t.ends_with("#SerializationException")), "{shown}: {answer}");
    }
    let wrong = json!({"TableName": 7, "Item": []});
    assert_eq!(call(&dynamodb, "PutItem", wrong).await.0, 400);
    let (status, answer) = call(&dynamodb, "UnknownItem", json!({})).await;
    assert_eq!((status, answer["__type"].as_str()), (400, Some("com.amazon.coral.service#UnknownOperationException")));
    let (status, _) = call_raw(&dynamodb, "PutItem", vec![b' '; 17 * 1024 * 1024]).await;
    assert_eq!(status, 413);
    let mut invalid = put("a");
    invalid["ReturnConsumedCapacity"] = json!("SOME");
    assert_eq!(call(&dynamodb, "PutItem", invalid).await.0, 400);
    assert_eq!(call(&dynamodb, "PutItem", put("a")).await.0, 200, "the next request is served");
}

#[tokio::test]
async fn expired_items_are_deleted_when_the_clock_advances() {
    let (clock, dynamodb) = started().await;
    let mut item = put("old");
    item["Item"]["purge_at"] = json!({"N": "1700000060"});
    call(&dynamodb, "PutItem", item).await;
    clock.advance(std::time::Duration::from_millis(ttl::SWEEP_INTERVAL_MS.unsigned_abs()));
    dynamodb.caught_up().await;
    let scan = json!({"TableName": "things", "Select": "COUNT"});
    assert_eq!(call(&dynamodb, "Scan", scan).await.1["Count"], 0);
}

#[tokio::test]
async fn a_file_keeps_its_items_and_an_invalid_file_is_rejected() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dynamodb.sqlite");
    for keys in 1..=2 {
        let dynamodb = DynamoDb::start(Clock::system(), &[table()], Some(&file)).await.expect("starts");
        call(&dynamodb, "PutItem", put(&format!("key-{keys}"))).await;
        let (_, answer) = call(&dynamodb, "Scan", json!({"TableName": "things"})).await;
        assert_eq!(answer["Count"], keys);
    }
    let file = folder.path().join("broken.sqlite");
    std::fs::write(&file, "no database at all\n".repeat(1000)).expect("written");
    let error = DynamoDb::start(Clock::system(), &[table()], Some(&file)).await.err().expect("refused");
    assert!(error.to_string().contains("broken.sqlite"), "{error}");
}

#[tokio::test]
async fn the_error_names_a_table_that_the_engine_rejects() {
    let mut broken = table();
    broken.create["KeySchema"][0]["AttributeName"] = json!("other");
    let error = DynamoDb::start(Clock::system(), &[broken], None).await.err().expect("refused");
    assert!(error.to_string().starts_with("table things: "), "{error}");
}

/// Sorted keys of the items that index `due` contains.
async fn due(dynamodb: &DynamoDb) -> Vec<String> {
    let query = json!({"TableName": "things", "IndexName": "due", "KeyConditionExpression": "due = :due",
                       "ExpressionAttributeValues": {":due": {"N": "7"}}});
    let (status, answer) = call(dynamodb, "Query", query).await;
    assert_eq!(status, 200, "{answer}");
    let items = answer["Items"].as_array().expect("items").iter();
    let mut keys: Vec<_> = items.map(|item| item["pk"]["S"].as_str().expect("a key").to_owned()).collect();
    keys.sort();
    keys
}

fn delete(key: &str) -> Value {
    json!({"TableName": "things", "Key": {"pk": {"S": key}}})
}

#[tokio::test]
async fn a_lagging_index_applies_inserts_and_deletes_late() {
    let (clock, dynamodb) = started().await;
    call(&dynamodb, "PutItem", put("a")).await;
    dynamodb.lag_indexes(Lag::Writes(1)).await.expect("lags");
    assert_eq!(due(&dynamodb).await, ["a"]);
    call(&dynamodb, "PutItem", put("b")).await;
    assert_eq!(due(&dynamodb).await, ["a"]);
    let update = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}, "UpdateExpression": "REMOVE due"});
    call(&dynamodb, "UpdateItem", update).await;
    assert_eq!(due(&dynamodb).await, ["a", "b"]);
    let get = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}, "ConsistentRead": true});
    assert_eq!(call(&dynamodb, "GetItem", get).await.1["Item"], json!({"pk": {"S": "a"}}), "tables do not lag");
    let batch = json!({"RequestItems": {"things": [
        {"DeleteRequest": {"Key": {"pk": {"S": "b"}}}}, {"PutRequest": {"Item": put("c")["Item"]}},
    ]}});
    call(&dynamodb, "BatchWriteItem", batch).await;
    assert!(due(&dynamodb).await.len() <= 1, "the index contains at most one of the two writes");

    dynamodb.lag_indexes(Lag::For(Duration::from_secs(1))).await.expect("lags");
    clock.advance(Duration::from_secs(1));
    assert_eq!(due(&dynamodb).await, ["c"]);
    call(&dynamodb, "TransactWriteItems", json!({"TransactItems": [{"Delete": delete("c")}, {"Put": put("d")}]})).await;
    clock.advance(Duration::from_millis(999));
    assert_eq!(due(&dynamodb).await, ["c"]);
    clock.advance(Duration::from_millis(1));
    assert_eq!(due(&dynamodb).await, ["d"]);
    call(&dynamodb, "DeleteItem", delete("d")).await;
    assert_eq!(due(&dynamodb).await, ["d"]);
    dynamodb.lag_indexes(Lag::None).await.expect("no longer lags");
    assert!(due(&dynamodb).await.is_empty());
}

#[tokio::test]
async fn the_journal_records_every_write_with_the_item_before_and_after() {
    let journal = Journal::on(Clock::manual(7));
    let (_, dynamodb) = started_with(journal.clone()).await;
    call(&dynamodb, "PutItem", put("a")).await;
    let mut refused = put("a");
    refused["ConditionExpression"] = json!("attribute_not_exists(pk)");
    call(&dynamodb, "PutItem", refused).await;
    let update = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}, "UpdateExpression": "ADD due :one",
                        "ExpressionAttributeValues": {":one": {"N": "1"}}});
    assert_eq!(call(&dynamodb, "UpdateItem", update).await, (200, json!({})), "the client did not request the item");
    call(&dynamodb, "TransactWriteItems", json!({"TransactItems": [{"Delete": delete("a")}, {"Put": put("b")}]})).await;
    for nonsense in [json!({}), json!({"TableName": 7, "Item": []}), json!({"TableName": "unknown", "Item": {}})] {
        assert_eq!(call(&dynamodb, "PutItem", nonsense).await.0, 400);
    }
    let written: Vec<_> = journal
        .entries()
        .into_iter()
        .map(|entry| match entry.event {
            Event::Written { table, key, operation, before, after } => {
                assert_eq!((entry.at_ms, table.as_str(), &entry.origin), (7, "things", &None));
                let due =
                    |item: Option<Value>| item.map(|item| item["due"]["N"].as_str().expect("a number").to_owned());
                (operation, key["pk"]["S"].as_str().expect("a key").to_owned(), due(before), due(after))
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let row = |operation: &str, key: &str, before: Option<&str>, after: Option<&str>| {
        (operation.to_owned(), key.to_owned(), before.map(str::to_owned), after.map(str::to_owned))
    };
    let expected = [
        row("PutItem", "a", None, Some("7")),
        row("UpdateItem", "a", Some("7"), Some("8")),
        row("TransactWriteItems", "a", Some("8"), None),
        row("TransactWriteItems", "b", None, Some("7")),
    ];
    assert_eq!(written, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_records_writes_in_commit_order() {
    let journal = Journal::on(Clock::manual(7));
    let (_, dynamodb) = started_with(journal.clone()).await;
    let writers: Vec<_> = (0..20)
        .map(|_| {
            let dynamodb = dynamodb.clone();
            tokio::spawn(async move {
                let update = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}, "UpdateExpression": "ADD due :one",
                                    "ExpressionAttributeValues": {":one": {"N": "1"}}});
                call(&dynamodb, "UpdateItem", update).await
            })
        })
        .collect();
    for writer in writers {
        assert_eq!(writer.await.expect("written").0, 200);
    }
    let mut last = None;
    for entry in journal.entries() {
        let Event::Written { before, after, .. } = entry.event else { panic!("{entry:?}") };
        assert_eq!(before, last);
        last = after;
    }
    assert_eq!(last.expect("an item")["due"]["N"], "20");
}
