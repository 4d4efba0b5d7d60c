//! Tumbling windows: the function's state from one batch to the next, and the last invoke.

use super::*;

/// For each event: whether it is the last of its window, its state, and the sort keys of its records.
fn windows(bench: &Bench) -> Vec<(bool, Value, Vec<String>)> {
    let lines = bench.lambda.logs("taker");
    let events = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("event: ")?).ok());
    let keys = |event: &Value| {
        let records = event["Records"].as_array().expect("records").iter();
        records.map(|record| record["dynamodb"]["Keys"]["sk"]["N"].as_str().expect("a key").to_owned()).collect()
    };
    let last = |event: &Value| event["isFinalInvokeForWindow"].as_bool().expect("a flag");
    events.map(|event| (last(&event), event["state"].clone(), keys(&event))).collect()
}

async fn bench(source: StreamSource) -> Bench {
    let answer = json!({"state": {"seen": 1}, "batchItemFailures": []});
    Bench::with(StreamView::KeysOnly, StreamSource { tumbling_s: Some(30), ..source }, Some(answer)).await
}

/// An expected event: whether it is the last of its window, whether it has state, and the keys.
fn invoke(last: bool, kept: bool, keys: &[&str]) -> (bool, Value, Vec<String>) {
    let state = if kept { json!({"seen": 1}) } else { json!({}) };
    (last, state, keys.iter().map(|key| (*key).to_owned()).collect())
}

#[tokio::test]
async fn state_lasts_for_a_window_which_ends_with_a_last_invoke() {
    let bench = bench(StreamSource { batch_size: 2, ..source() }).await;
    bench.put_all(&["x", "x", "x"]).await;
    assert_eq!(windows(&bench), [invoke(false, false, &["0", "1"]), invoke(false, true, &["2"])]);
    // 22:13:20 falls into the window from 22:13:00 to 22:13:30.
    assert_eq!(bench.mappings.next_ms(), Some(START_MS + 10_000));
    bench.advance(9).await;
    assert_eq!(windows(&bench).len(), 2);
    bench.advance(1).await;
    assert_eq!(windows(&bench)[2..], [invoke(true, true, &[])]);
    assert_eq!(bench.mappings.next_ms(), None, "nothing is open");
    let lines = bench.lambda.logs("taker");
    let event = lines.iter().find_map(|line| serde_json::from_str::<Value>(line.strip_prefix("event: ")?).ok());
    let event = event.expect("an event");
    assert_eq!(event["window"], json!({"start": "2023-11-14T22:13:00Z", "end": "2023-11-14T22:13:30Z"}));
    assert_eq!((&event["eventSourceARN"], &event["isWindowTerminatedEarly"]), (&json!(STREAM), &json!(false)));
    assert!(event["shardId"].as_str().is_some_and(|shard| shard.starts_with("shardId-")), "{event}");
    bench.put("a", 3, "x").await;
    bench.mappings.caught_up().await;
    assert_eq!(windows(&bench)[3..], [invoke(false, false, &["3"])], "and begins anew");
}

#[tokio::test]
async fn batch_has_records_of_one_window_only() {
    let bench = bench(source()).await;
    bench.dynamodb.streams().hold("things");
    bench.put("a", 0, "x").await;
    bench.clock.advance(Duration::from_secs(10));
    bench.put("a", 1, "x").await;
    bench.put("a", 2, "x").await;
    bench.dynamodb.streams().release("things");
    bench.mappings.caught_up().await;
    let expected = [invoke(false, false, &["0"]), invoke(true, true, &[]), invoke(false, false, &["1", "2"])];
    assert_eq!(windows(&bench), expected);
    bench.advance(30).await;
    assert_eq!(windows(&bench)[3..], [invoke(true, true, &[])]);
}

#[tokio::test]
async fn batching_window_ends_with_the_tumbling_window() {
    let bench = bench(StreamSource { window_s: 60, ..source() }).await;
    bench.put("a", 0, "x").await;
    bench.mappings.caught_up().await;
    assert_eq!(bench.mappings.next_ms(), Some(START_MS + 10_000));
    bench.advance(10).await;
    assert_eq!(windows(&bench), [invoke(false, false, &["0"]), invoke(true, true, &[])]);
}

#[tokio::test]
async fn invalid_state_is_dropped_and_a_failed_last_invoke_is_retried() {
    let bench = Bench::with(
        StreamView::NewImage,
        StreamSource { tumbling_s: Some(30), retries: Some(1), ..source() },
        Some(json!({"state": "nothing that can be kept"})),
    )
    .await;
    bench.put("a", 0, "x").await;
    bench.mappings.caught_up().await;
    bench.faults.batches(|batch| {
        assert_eq!(batch.records, 0);
        local_faults::StreamDelivery::Twice
    });
    bench.advance(10).await;
    assert_eq!(windows(&bench)[1..], [(true, json!({}), Vec::new()), (true, json!({}), Vec::new())]);
    assert_eq!(bench.mappings.next_ms(), None);
}
