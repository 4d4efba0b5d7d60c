//! Which writes leave a record, and what the record contains.

use local_dynamodb::{ConsumedCapacity, TableOperation};

use super::*;

#[tokio::test]
async fn insert_modify_and_remove_have_records() {
    let bench = Bench::new(source()).await;
    bench.put("a", 7, "x").await;
    bench.clock.advance(Duration::from_millis(1_500));
    let update = json!({"TableName": "things", "Key": key("a", 7), "UpdateExpression": "SET n = :n",
                        "ExpressionAttributeValues": {":n": {"N": "-12.50"}}});
    assert_eq!(bench.call("UpdateItem", update).await.0, 200);
    assert_eq!(bench.call("DeleteItem", json!({"TableName": "things", "Key": key("a", 7)})).await.0, 200);
    bench.mappings.caught_up().await;
    let records = bench.events().concat();
    let [insert, modify, remove] = &records[..] else { panic!("{records:?}") };
    let (old, mut new) = (item("a", 7, "x"), item("a", 7, "x"));
    new["n"] = json!({"N": "-12.5"});
    let expected = |name: &str, images: Value, size: u32, sequence: &str, at: i64| {
        let mut dynamodb = json!({
            "ApproximateCreationDateTime": at, "Keys": key("a", 7), "SequenceNumber": sequence, "SizeBytes": size,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        });
        dynamodb.as_object_mut().expect("an object").extend(images.as_object().expect("an object").clone());
        json!({"eventName": name, "eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
               "dynamodb": dynamodb, "eventSourceARN": STREAM})
    };
    for (record, expected) in [
        (insert, expected("INSERT", json!({"NewImage": old}), 17, "101700000000000000000", 1_700_000_000)),
        (
            modify,
            expected("MODIFY", json!({"OldImage": old, "NewImage": new}), 31, "101700000001500000000", 1_700_000_001),
        ),
        (remove, expected("REMOVE", json!({"OldImage": new}), 21, "101700000001500000001", 1_700_000_001)),
    ] {
        let mut record = record.clone();
        let id = record.as_object_mut().expect("an object").remove("eventID").expect("an id");
        assert!(id.as_str().is_some_and(|id| id.len() == 32), "{id}");
        assert_eq!(record, expected);
    }
}

#[tokio::test]
async fn unchanged_items_leave_no_record() {
    let bench = Bench::new(source()).await;
    bench.put("a", 1, "x").await;
    bench.put("a", 1, "x").await;
    let update = json!({"TableName": "things", "Key": key("a", 1), "UpdateExpression": "SET #do = :x",
                        "ExpressionAttributeNames": {"#do": "do"}, "ExpressionAttributeValues": {":x": {"S": "x"}}});
    assert_eq!(bench.call("UpdateItem", update).await.0, 200);
    assert_eq!(bench.call("DeleteItem", json!({"TableName": "things", "Key": key("a", 2)})).await.0, 200);
    let mut refused = put("a", 1, "y");
    refused["ConditionExpression"] = json!("attribute_not_exists(pk)");
    assert_eq!(bench.call("PutItem", refused).await.0, 400);
    let mut put = put("a", 3, "x");
    put["TableName"] = json!("others");
    assert_eq!(bench.call("PutItem", put).await.0, 200);
    for nonsense in [json!({}), json!({"TableName": 7}), json!({"TableName": "things", "Item": {"pk": {"S": "a"}}})] {
        assert_eq!(bench.call("PutItem", nonsense).await.0, 400);
    }
    bench.mappings.caught_up().await;
    assert_eq!(bench.keys(), [[1]]);
}

#[tokio::test]
async fn transactions_and_batches_leave_a_record_for_each_item() {
    let bench = Bench::new(source()).await;
    bench.dynamodb.streams().hold("things");
    let update = json!({"TableName": "things", "Key": key("a", 2), "UpdateExpression": "SET n = :n",
                        "ExpressionAttributeValues": {":n": {"N": "1"}}});
    let check = json!({"TableName": "things", "Key": key("a", 9), "ConditionExpression": "attribute_not_exists(pk)"});
    let mut other = put("a", 4, "x");
    other["TableName"] = json!("others");
    let transaction = json!({"ClientRequestToken": "once", "TransactItems": [
        {"Put": put("a", 1, "x")}, {"Update": update}, {"ConditionCheck": check}, {"Put": other},
    ]});
    for _ in 0..2 {
        assert_eq!(bench.call("TransactWriteItems", transaction.clone()).await.0, 200);
    }
    let batch = json!({"RequestItems": {"things": [
        {"DeleteRequest": {"Key": key("a", 1)}}, {"PutRequest": {"Item": item("a", 3, "x")}},
    ]}});
    assert_eq!(bench.call("BatchWriteItem", batch).await.0, 200);
    let refused = json!({"TransactItems": [
        {"Put": put("a", 5, "x")},
        {"ConditionCheck": {"TableName": "things", "Key": key("a", 9), "ConditionExpression": "attribute_exists(pk)"}},
    ]});
    assert_eq!(bench.call("TransactWriteItems", refused).await.0, 400);
    bench.dynamodb.streams().release("things");
    bench.mappings.caught_up().await;
    let names: Vec<_> = bench.events().concat().iter().map(|record| record["eventName"].clone()).collect();
    assert_eq!(
        (bench.keys(), names),
        (vec![vec![1, 2, 1, 3]], ["INSERT", "INSERT", "REMOVE", "INSERT"].map(Value::from).to_vec())
    );
}

#[tokio::test]
async fn records_hold_the_images_of_the_view_type() {
    for (view, images) in [
        (StreamView::KeysOnly, &[] as &[&str]),
        (StreamView::NewImage, &["NewImage"]),
        (StreamView::OldImage, &["OldImage"]),
    ] {
        let bench = Bench::with(view, source(), None).await;
        bench.dynamodb.streams().hold("things");
        bench.put("a", 1, "x").await;
        bench.put("a", 1, "y").await;
        bench.dynamodb.streams().release("things");
        bench.mappings.caught_up().await;
        let record = &bench.events()[0][1];
        let there = ["NewImage", "OldImage"].into_iter().filter(|image| record["dynamodb"][image].is_object());
        assert_eq!(there.collect::<Vec<_>>(), images, "{record}");
        assert_eq!(record["dynamodb"]["StreamViewType"], view.name());
    }
}

#[tokio::test]
async fn ttl_deletes_have_a_service_identity() {
    let bench = Bench::new(source()).await;
    let mut put = put("a", 1, "x");
    put["Item"]["purge_at"] = json!({"N": "1700000060"});
    assert_eq!(bench.call("PutItem", put).await.0, 200);
    bench.put("a", 2, "x").await;
    // The function handles both records before the clock jumps past the function's timeout.
    bench.mappings.caught_up().await;
    bench.advance(3600).await;
    bench.dynamodb.caught_up().await;
    bench.mappings.caught_up().await;
    let record = &bench.events().concat()[2];
    assert_eq!(record["eventName"], "REMOVE");
    assert_eq!(record["dynamodb"]["Keys"], key("a", 1));
    assert_eq!(record["dynamodb"]["OldImage"]["purge_at"]["N"], "1700000060");
    assert_eq!(record["userIdentity"], json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"}));
}

#[tokio::test]
async fn reads_for_the_stream_consume_no_capacity() {
    let bench = Bench::new(source()).await;
    bench.put("a", 1, "x").await;
    let consumer = TableOperation { table: "things".into(), operation: "PutItem" };
    let units = ConsumedCapacity { requests: 1, read: 0.0, write: 1.0, scanned: 0 };
    assert_eq!(bench.dynamodb.capacity(), [(consumer, units)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_one_item_are_in_one_shard_in_order() {
    let bench = std::sync::Arc::new(Bench::new(source()).await);
    let writers: Vec<_> = (0..40)
        .map(|number| {
            let bench = bench.clone();
            tokio::spawn(async move {
                let update = json!({"TableName": "things", "Key": key(&format!("k{}", number % 8), 0),
                                    "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}});
                assert_eq!(bench.call("UpdateItem", update).await.0, 200);
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("written");
    }
    bench.mappings.caught_up().await;
    let records = bench.events().concat();
    for key in 0..8 {
        let of = records.iter().filter(|record| record["dynamodb"]["Keys"]["pk"]["S"] == format!("k{key}"));
        let counts: Vec<_> = of.map(|record| record["dynamodb"]["NewImage"]["n"]["N"].clone()).collect();
        assert_eq!(counts, ["1", "2", "3", "4", "5"]);
    }
    let mut sequences: Vec<_> = records.iter().map(|record| record["dynamodb"]["SequenceNumber"].to_string()).collect();
    sequences.sort();
    sequences.dedup();
    assert_eq!(sequences.len(), 40);
    let (_, shards) = bench.dynamodb.streams().shards_of(STREAM).expect("a stream");
    assert!(shards.iter().filter(|shard| shard.has(0)).count() > 1, "all in one shard");
}

#[tokio::test]
async fn write_of_a_lost_caller_leaves_its_record() {
    let bench = Bench::new(source()).await;
    for sk in 0..20 {
        let mut write = Box::pin(bench.call("PutItem", put("a", sk, "x")));
        // The caller drops the request at some point.
        for _ in 0..sk {
            tokio::select! {
                biased;
                _ = &mut write => break,
                () = tokio::task::yield_now() => {}
            }
        }
    }
    // A further write waits for the ones before it.
    bench.put("a", 99, "x").await;
    bench.mappings.caught_up().await;
    let (_, scan) = bench.call("Scan", json!({"TableName": "things"})).await;
    let items = scan["Count"].as_u64().expect("a number");
    assert_eq!(bench.events().concat().len() as u64, items);
}
