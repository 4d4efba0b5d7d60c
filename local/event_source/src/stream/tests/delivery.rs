//! Readers of shards: in parallel, with replays, held records and faults.

use local_faults::StreamDelivery;

use super::*;

#[tokio::test]
async fn bad_record_blocks_its_own_shard_only() {
    let bench = Bench::new(source()).await;
    bench.put("a", 0, "fail").await;
    for number in 0..16 {
        bench.put(&format!("b{number}"), 1, "x").await;
    }
    bench.mappings.caught_up().await;
    let seen = bench.keys().concat().iter().filter(|key| **key == 1).count();
    assert!((1..16).contains(&seen), "{seen}");
}

#[tokio::test]
async fn parallel_readers_share_a_shard_by_partition_key() {
    let bench = Bench::new(StreamSource { parallel: 10, ..source() }).await;
    bench.dynamodb.streams().hold("things");
    for sk in 0..3 {
        for number in 0..40 {
            bench.put(&format!("b{number}"), sk, "x").await;
        }
    }
    bench.dynamodb.streams().release("things");
    bench.mappings.caught_up().await;
    let events = bench.events();
    assert!(events.len() > 20, "{} batches of four shards", events.len());
    for number in 0..40 {
        let name = format!("b{number}");
        let of = events.iter().flatten().filter(|record| record["dynamodb"]["Keys"]["pk"]["S"] == name);
        let keys: Vec<_> = of.map(|record| record["dynamodb"]["Keys"]["sk"]["N"].clone()).collect();
        assert_eq!(keys, ["0", "1", "2"]);
    }
}

#[tokio::test]
async fn latest_starts_with_records_after_the_start() {
    let bench = Bench::new(source()).await;
    bench.put("a", 0, "x").await;
    bench.mappings.caught_up().await;
    let Bench { clock, dynamodb, lambda, sqs, faults, .. } = bench;
    let start = |source: StreamSource| {
        let (clock, lambda, sqs, faults) = (clock.clone(), lambda.clone(), sqs.clone(), faults.clone());
        StreamMappings::start(clock, lambda, sqs, faults, dynamodb.streams(), vec![source])
    };
    assert_eq!(start(StreamSource { from_the_oldest: false, ..source() }).caught_up().await, 0);
    assert_eq!(start(source()).caught_up().await, 1);
}

#[tokio::test]
async fn stream_is_readable_without_a_mapping() {
    let bench = Bench::new(source()).await;
    bench.put_all(&["x"; 5]).await;
    let streams = bench.dynamodb.streams();
    let shards = streams.shards("things");
    assert_eq!((shards.len(), streams.shards("others").len()), (4, 0));
    let all: Vec<_> = shards.iter().flat_map(|shard| streams.read("things", shard, 0, 10)).collect();
    let records: Vec<Value> = all.iter().map(|(_, record)| serde_json::from_str(record).expect("JSON")).collect();
    assert_eq!(records, bench.events().concat());
    let shard = shards.iter().find(|shard| !streams.read("things", shard, 0, 1).is_empty()).expect("one");
    assert_eq!(streams.read("things", shard, 2, 2), all[2..4]);
    assert!(streams.read("things", "unknown", 0, 1).is_empty());
}

#[tokio::test]
async fn held_records_are_delivered_when_released() {
    let bench = Bench::new(source()).await;
    bench.dynamodb.streams().hold("things");
    bench.put("a", 0, "x").await;
    bench.advance(5).await;
    assert_eq!((bench.keys().len(), bench.mappings.next_ms()), (0, None));
    bench.dynamodb.streams().release("things");
    bench.mappings.caught_up().await;
    assert_eq!(bench.keys(), [[0]]);
}

#[tokio::test]
async fn replay_delivers_finished_records_again() {
    let bench = Bench::new(StreamSource { batch_size: 2, ..source() }).await;
    bench.put_all(&["x"; 5]).await;
    bench.mappings.replay("things", 3);
    bench.mappings.caught_up().await;
    assert_eq!(bench.keys(), [vec![0, 1], vec![2, 3], vec![4], vec![2, 3], vec![4]]);
    bench.mappings.replay("things", usize::MAX);
    bench.mappings.replay("unknown", 3);
    bench.mappings.caught_up().await;
    assert_eq!(bench.keys()[5..], [vec![0, 1], vec![2, 3], vec![4]]);
}

#[tokio::test]
async fn replay_starts_before_a_batch_that_is_being_retried() {
    let bench = Bench::new(StreamSource { batch_size: 1, ..source() }).await;
    bench.put_all(&["x", "fail twice", "x"]).await;
    bench.mappings.replay("things", 1);
    bench.mappings.caught_up().await;
    assert_eq!(bench.keys(), [[0], [1], [0], [1]]);
    bench.advance(60).await;
    assert_eq!(bench.keys()[4..], [[1], [2]]);
}

#[tokio::test]
async fn faults_deliver_a_batch_twice_in_parts_or_after_a_rewind() {
    let bench = Bench::new(StreamSource { batch_size: 4, ..source() }).await;
    let mut plan =
        [StreamDelivery::First(1), StreamDelivery::Twice, StreamDelivery::First(9), StreamDelivery::ThenBack(2)]
            .into_iter();
    bench.faults.batches(move |batch| {
        assert_eq!((batch.function, batch.table, batch.attempt), ("taker", "things", 1));
        plan.next().unwrap_or(StreamDelivery::Once)
    });
    bench.put_all(&["x"; 10]).await;
    let expected: [&[u32]; 7] = [&[0], &[1, 2, 3], &[1, 2, 3], &[4, 5, 6, 7], &[8, 9], &[6, 7, 8, 9], &[]];
    assert_eq!(bench.keys(), expected[..6]);
    bench.faults.clear();
    bench.put("a", 10, "x").await;
    bench.mappings.caught_up().await;
    assert_eq!(bench.keys().last(), Some(&vec![10]));
}

#[tokio::test]
async fn two_mappings_read_the_same_stream_independently() {
    let bench = Bench::new(source()).await;
    let Bench { clock, dynamodb, lambda, sqs, faults, mappings } = &bench;
    let second = StreamSource { batch_size: 1, ..source() };
    let (clock, lambda, sqs, faults) = (clock.clone(), lambda.clone(), sqs.clone(), faults.clone());
    let others = StreamMappings::start(clock, lambda, sqs, faults, dynamodb.streams(), vec![second]);
    bench.put_all(&["x", "x"]).await;
    others.caught_up().await;
    mappings.caught_up().await;
    let mut keys = bench.keys();
    keys.sort();
    assert_eq!(keys, [vec![0], vec![0, 1], vec![1]]);
}

#[tokio::test]
async fn throttled_invoke_is_retried_and_is_no_attempt() {
    let clock = Clock::manual(START_MS);
    let tables = [table("things", Some(StreamView::KeysOnly))];
    let dynamodb = DynamoDb::start(clock.clone(), &tables, None).await.expect("starts");
    let sqs = Sqs::new(clock.clone(), "eu-west-1", "000000000000", vec!["failed".to_owned()]);
    let mut taker = function("taker");
    taker.concurrency = Some(0);
    let lambda = Lambda::start(clock.clone(), vec![taker], sqs.clone()).await.expect("started");
    let source = StreamSource { retries: Some(0), record_age_s: Some(60), ..source() };
    let faults = Faults::default();
    let mappings = StreamMappings::start(
        clock.clone(),
        lambda.clone(),
        sqs.clone(),
        faults.clone(),
        dynamodb.streams(),
        vec![source],
    );
    let bench = Bench { clock, dynamodb, lambda, sqs, faults, mappings };
    bench.put("a", 0, "x").await;
    bench.mappings.caught_up().await;
    for _ in 0..60 {
        assert!(bench.failed().is_empty());
        bench.advance(1).await;
    }
    bench.advance(1).await;
    let failed = &bench.failed()[0];
    assert_eq!(failed["requestContext"]["condition"], "RecordAgeExceeded");
    assert_eq!(failed["requestContext"]["approximateInvokeCount"], 0);
    assert!(failed.get("responseContext").is_none(), "{failed}");
}
