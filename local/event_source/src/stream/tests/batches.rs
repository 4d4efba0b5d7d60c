//! Batches: their records, the times of their delivery, failures.

use super::*;

#[tokio::test]
async fn batches_have_the_largest_size_and_are_in_order() {
    let bench = Bench::new(StreamSource { batch_size: 2, ..source() }).await;
    bench.put_all(&["x"; 5]).await;
    assert_eq!(bench.keys(), [vec![0, 1], vec![2, 3], vec![4]]);
    assert_eq!(bench.mappings.next_ms(), None);
}

#[tokio::test]
async fn batching_window_ends_early_when_the_batch_is_full() {
    let bench = Bench::new(StreamSource { batch_size: 3, window_s: 5, ..source() }).await;
    bench.put("a", 0, "x").await;
    bench.advance(2).await;
    bench.put("a", 1, "x").await;
    bench.mappings.caught_up().await;
    assert_eq!((bench.keys().len(), bench.mappings.next_ms()), (0, Some(START_MS + 5_000)));
    bench.advance(3).await;
    assert_eq!(bench.keys(), [[0, 1]]);
    bench.put_all(&["y", "y", "y", "y"]).await;
    assert_eq!(bench.keys(), [vec![0, 1], vec![0, 1, 2]]);
    assert_eq!(bench.mappings.next_ms(), Some(START_MS + 10_000));
    bench.advance(5).await;
    assert_eq!(bench.keys(), [vec![0, 1], vec![0, 1, 2], vec![3]]);
}

#[tokio::test]
async fn failed_batch_is_retried_whole_before_later_records() {
    let bench = Bench::new(StreamSource { batch_size: 2, ..source() }).await;
    bench.put_all(&["x", "fail twice", "x"]).await;
    assert_eq!((bench.keys(), bench.mappings.next_ms()), (vec![vec![0, 1]], Some(START_MS + 1_000)));
    bench.advance(1).await;
    assert_eq!((bench.keys(), bench.mappings.next_ms()), (vec![vec![0, 1]; 2], Some(START_MS + 3_000)));
    bench.advance(2).await;
    assert_eq!(bench.keys(), [vec![0, 1], vec![0, 1], vec![0, 1], vec![2]]);
    assert!(bench.failed().is_empty());
}

#[tokio::test]
async fn batch_without_retries_left_is_discarded_with_a_record() {
    let bench = Bench::new(StreamSource { retries: Some(1), ..source() }).await;
    bench.put_all(&["x", "fail", "x"]).await;
    assert!(bench.failed().is_empty());
    bench.advance(1).await;
    assert_eq!(bench.keys(), [[0, 1, 2]; 2]);
    let [mut failed] = <[Value; 1]>::try_from(bench.failed()).expect("one");
    assert!(failed["requestContext"].as_object_mut().and_then(|context| context.remove("requestId")).is_some());
    let shard = failed["DDBStreamBatchInfo"]["shardId"].clone();
    assert!(shard.as_str().is_some_and(|shard| shard.starts_with("shardId-") && shard.len() == 37), "{shard}");
    let expected = json!({
        "requestContext": {
            "functionArn": function("taker").arn, "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 2,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2023-11-14T22:13:21.000Z",
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": "101700000000000000000",
            "endSequenceNumber": "101700000000000000002",
            "approximateArrivalOfFirstRecord": "2023-11-14T22:13:20Z",
            "approximateArrivalOfLastRecord": "2023-11-14T22:13:20Z",
            "batchSize": 3,
            "streamArn": STREAM,
        },
    });
    assert_eq!(failed, expected);
    bench.put("a", 3, "x").await;
    bench.mappings.caught_up().await;
    assert_eq!(bench.keys().last(), Some(&vec![3]), "and the shard goes on");
}

#[tokio::test]
async fn records_past_the_maximum_age_are_discarded() {
    let bench = Bench::new(StreamSource { record_age_s: Some(60), ..source() }).await;
    bench.put("a", 0, "fail").await;
    bench.mappings.caught_up().await;
    bench.clock.advance(Duration::from_secs(60));
    bench.put("a", 1, "fail").await;
    bench.mappings.caught_up().await;
    assert!(bench.failed().is_empty());
    bench.clock.advance(Duration::from_millis(1));
    bench.mappings.caught_up().await;
    let failed = bench.failed();
    assert_eq!((failed.len(), &failed[0]["requestContext"]["condition"]), (1, &json!("RecordAgeExceeded")));
    assert_eq!(failed[0]["DDBStreamBatchInfo"]["batchSize"], 1);
    assert_eq!(bench.keys().last(), Some(&vec![1]));
}

#[tokio::test]
async fn unbounded_batch_is_retried_for_a_day() {
    let bench = Bench::new(source()).await;
    bench.put("a", 0, "fail").await;
    bench.mappings.caught_up().await;
    while let Some(next_ms) = bench.mappings.next_ms() {
        bench.clock.advance(Duration::from_millis(u64::try_from(next_ms - bench.clock.now_ms()).expect("later")));
        bench.mappings.caught_up().await;
    }
    assert_eq!(bench.clock.now_ms(), START_MS + 86_400_001);
    assert_eq!(bench.failed()[0]["requestContext"]["condition"], "RecordAgeExceeded");
}

#[tokio::test]
async fn bisected_batch_isolates_the_bad_record() {
    let bench = Bench::new(StreamSource { bisect: true, retries: Some(0), ..source() }).await;
    bench.put_all(&["x", "x", "fail", "x", "x"]).await;
    assert_eq!(bench.keys(), [vec![0, 1, 2, 3, 4], vec![0, 1], vec![2, 3, 4], vec![2], vec![3, 4]]);
    let failed = bench.failed();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0]["DDBStreamBatchInfo"]["batchSize"], 1);
    assert_eq!(failed[0]["requestContext"]["approximateInvokeCount"], 3);
}

#[tokio::test]
async fn partial_failure_is_retried_from_the_first_failed_record() {
    let bench = Bench::new(StreamSource { partial_failures: true, retries: Some(1), ..source() }).await;
    bench.put_all(&["x", "partial", "x", "partial"]).await;
    assert_eq!(bench.keys(), [[0, 1, 2, 3]]);
    bench.advance(1).await;
    assert_eq!(bench.keys(), [vec![0, 1, 2, 3], vec![1, 2, 3]]);
    assert_eq!(bench.failed()[0]["DDBStreamBatchInfo"]["batchSize"], 3);

    let bench = Bench::new(StreamSource { partial_failures: true, bisect: true, retries: Some(0), ..source() }).await;
    bench.put_all(&["x", "partial", "x", "partial"]).await;
    assert_eq!(bench.keys(), [vec![0, 1, 2, 3], vec![1, 2, 3], vec![1], vec![2, 3], vec![3]]);
    assert_eq!(bench.failed().len(), 2);
}

#[tokio::test]
async fn answers_about_a_batch_are_read_as_lambda_reads_them() {
    for (answer, failed) in [
        (json!({ "batchItemFailures": [] }), 0),
        (json!({ "batchItemFailures": null }), 0),
        (json!({}), 0),
        (json!(null), 0),
        (json!({ "batchItemFailures": [{ "itemIdentifier": "the second" }] }), 2),
        (json!({ "batchItemFailures": [{ "itemIdentifier": "the second" }, { "itemIdentifier": "unknown" }] }), 3),
        (json!({ "batchItemFailures": [{ "itemIdentifier": "" }] }), 3),
        (json!({ "batchItemFailures": [{ "itemIdentifier": null }] }), 3),
        (json!({ "batchItemFailures": [{ "itemId": "the second" }] }), 3),
        (json!({ "batchItemFailures": "all" }), 3),
        (json!("fine"), 3),
    ] {
        let source = StreamSource { partial_failures: true, retries: Some(0), ..source() };
        let bench = Bench::with(StreamView::NewAndOldImages, source, Some(answer.clone())).await;
        bench.put_all(&["x"; 3]).await;
        let given_up: Vec<_> = bench.failed().iter().map(|f| f["DDBStreamBatchInfo"]["batchSize"].clone()).collect();
        let expected: Vec<_> = (failed > 0).then_some(json!(failed)).into_iter().collect();
        assert_eq!(given_up, expected, "{answer}");
    }
    let answer = json!({ "batchItemFailures": [{ "itemIdentifier": "the second" }] });
    let bench = Bench::with(StreamView::NewAndOldImages, source(), Some(answer)).await;
    bench.put_all(&["x"; 3]).await;
    assert_eq!((bench.failed().len(), bench.mappings.next_ms()), (0, None), "the answer is not read");
}

#[tokio::test]
async fn batch_stays_below_the_payload_limit_of_an_invoke() {
    let bench = Bench::new(StreamSource { batch_size: 100, ..source() }).await;
    bench.put_all(&["x".repeat(350_000).as_str(); 20]).await;
    assert_eq!((bench.lambda.stats("taker").invocations, bench.mappings.next_ms()), (2, None));
    let (_, shards) = bench.dynamodb.streams().shards_of(STREAM).expect("a stream");
    assert!(shards.iter().all(|shard| shard.pending().is_empty()));
}
