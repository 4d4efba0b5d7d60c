//! Messages from a queue to a function, on a clock that the tests move.

use std::time::Duration;

use local_lambda::testing::function;
use local_resources::Queue;
use serde_json::{Value, json};

use super::*;

const START_MS: i64 = 1_700_000_000_000;
const WORK: &str = "arn:aws:sqs:eu-west-1:000000000000:work";

struct Bench {
    clock: Clock,
    sqs: Sqs,
    lambda: Lambda,
    sources: QueueMappings,
}

impl Bench {
    /// A function that does what its messages say, see [`local_lambda::testing`].
    async fn new(batch_size: usize, partial_failures: bool, answer: Option<Value>) -> Self {
        Self::with_concurrency(1, batch_size, partial_failures, answer).await
    }

    async fn with_concurrency(
        max_concurrency: usize,
        batch_size: usize,
        partial_failures: bool,
        answer: Option<Value>,
    ) -> Self {
        let clock = Clock::manual(START_MS);
        let work = Queue { visibility_s: 60, retention_s: 120, ..Queue::from("work".to_owned()) };
        let sqs = Sqs::new(clock.clone(), "eu-west-1", "000000000000", vec![work]);
        let mut taker = function("taker");
        if let Some(answer) = answer {
            taker.environment.insert("ANSWER".to_owned(), answer.to_string());
        }
        let source = EventSource {
            queue_arn: WORK.to_owned(),
            function_arn: taker.arn.clone(),
            batch_size,
            partial_failures,
            max_concurrency,
        };
        let lambda = Lambda::start(clock.clone(), vec![taker], sqs.clone()).await.expect("started");
        let place = Place {
            region: "eu-west-1".to_owned(),
            account: "000000000000".to_owned(),
            stack_name: "flaghoist".to_owned(),
            endpoint: String::new(),
        };
        let sources = QueueMappings::start(clock.clone(), lambda.clone(), sqs.clone(), vec![source], place);
        Self { clock, sqs, lambda, sources }
    }

    fn send(&self, body: &str, delay_s: u32) {
        assert!(self.sqs.send_delayed("work", body.to_owned(), Some(delay_s)).is_some());
    }

    async fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.sources.caught_up().await;
    }

    /// The events of the function.
    fn events(&self) -> Vec<Value> {
        let lines = self.lambda.logs("taker");
        lines.iter().filter_map(|line| serde_json::from_str(line.strip_prefix("event: ")?).ok()).collect()
    }

    /// The messages' bodies in each event.
    fn bodies(&self) -> Vec<Vec<String>> {
        let bodies = |event: &Value| {
            let records = event["Records"].as_array().expect("records");
            records.iter().map(|record| record["body"].as_str().expect("a body").to_owned()).collect()
        };
        self.events().iter().map(bodies).collect()
    }
}

#[tokio::test]
async fn message_is_delivered_when_visible_and_deleted() {
    let bench = Bench::new(1, false, None).await;
    bench.send("late", 5);
    bench.advance(4).await;
    assert_eq!(bench.sources.next_ms(), Some(START_MS + 5_000));
    assert!(bench.events().is_empty());
    bench.advance(1).await;
    let [event] = &bench.events()[..] else { panic!("one event") };
    let record = &event["Records"][0];
    for (member, expected) in [
        ("body", json!("late")),
        ("md5OfBody", json!("f2c67381db28fa11c59fe7a6df0f2587")),
        ("messageAttributes", json!({})),
        ("eventSource", json!("aws:sqs")),
        ("eventSourceARN", json!(WORK)),
        ("awsRegion", json!("eu-west-1")),
    ] {
        assert_eq!(record[member], expected, "{member}");
    }
    assert!(record["messageId"].is_string() && record["receiptHandle"].is_string(), "{record}");
    let attributes = &record["attributes"];
    assert_eq!(attributes["SentTimestamp"], "1700000000000");
    assert_eq!(attributes["ApproximateReceiveCount"], "1");
    assert_eq!(attributes["ApproximateFirstReceiveTimestamp"], "1700000005000");
    assert!(attributes["SenderId"].is_string());
    assert!(bench.sqs.peek("work").is_empty());
    assert_eq!((bench.sources.next_ms(), bench.sources.caught_up().await), (None, 1));
}

#[tokio::test]
async fn batches_have_the_largest_size_and_are_in_order() {
    let bench = Bench::new(2, false, None).await;
    for (body, delay_s) in [("c", 3), ("a", 1), ("b", 2)] {
        bench.send(body, delay_s);
    }
    bench.advance(10).await;
    assert_eq!(bench.bodies(), [vec!["a", "b"], vec!["c"]]);
}

#[tokio::test]
async fn failed_messages_are_retried_until_the_queue_drops_them() {
    let bench = Bench::new(1, false, None).await;
    bench.send("fail", 0);
    bench.sources.caught_up().await;
    bench.advance(59).await;
    assert_eq!(bench.events().len(), 1);
    bench.advance(1).await;
    assert_eq!(bench.events().len(), 2);
    assert_eq!(bench.events()[1]["Records"][0]["attributes"]["ApproximateReceiveCount"], "2");
    bench.advance(61).await;
    assert_eq!(bench.events().len(), 2);
    assert!(bench.sqs.peek("work").is_empty(), "the queue keeps it for two minutes");
}

#[tokio::test]
async fn partial_failures_are_retried_alone() {
    for (answer, left) in [
        (json!({ "batchItemFailures": [] }), 0),
        (json!({ "batchItemFailures": null }), 0),
        (json!({}), 0),
        (json!(null), 0),
        (json!({ "batchItemFailures": [{ "itemIdentifier": "the second" }] }), 1),
        (json!({ "batchItemFailures": [{ "itemIdentifier": "unknown" }] }), 3),
        (json!({ "batchItemFailures": [{ "itemIdentifier": null }] }), 3),
        (json!({ "batchItemFailures": "all" }), 3),
        (json!("fine"), 3),
    ] {
        let bench = Bench::new(10, true, Some(answer.clone())).await;
        for body in ["first", "second", "third"] {
            bench.send(body, 1);
        }
        bench.advance(1).await;
        assert_eq!(bench.bodies(), [["first", "second", "third"]]);
        assert_eq!(bench.sqs.peek("work").len(), left, "{answer}");
    }
}

#[tokio::test]
async fn partial_failures_need_report_batch_item_failures() {
    let answer = json!({ "batchItemFailures": [{ "itemIdentifier": "the second" }] });
    let bench = Bench::new(10, false, Some(answer)).await;
    bench.send("first", 0);
    bench.sources.caught_up().await;
    assert!(bench.sqs.peek("work").is_empty());
}

#[tokio::test]
async fn mappings_without_queues_are_caught_up() {
    let bench = Bench::new(1, false, None).await;
    let Bench { clock, sqs, lambda, sources } = bench;
    let place =
        Place { region: String::new(), account: String::new(), stack_name: String::new(), endpoint: String::new() };
    let none = QueueMappings::start(clock, lambda, sqs, Vec::new(), place);
    assert_eq!((none.next_ms(), none.caught_up().await, sources.caught_up().await), (None, 0, 0));
}

#[tokio::test]
async fn as_many_batches_are_with_the_function_as_the_mapping_allows() {
    let test = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let hold = format!("hold {}", test.local_addr().expect("bound").port());
    let bench = Bench::with_concurrency(2, 1, false, None).await;
    for _ in 0..3 {
        bench.send(&hold, 0);
    }
    let (first, _) = test.accept().await.expect("the first batch");
    let (second, _) = test.accept().await.expect("the second one, beside it");
    assert_eq!(bench.sqs.next_visible_ms(WORK), Some(START_MS), "the third waits on the queue");
    assert!(bench.sources.pending()[0].starts_with("2 batches"), "{:?}", bench.sources.pending());
    drop(first);
    let (third, _) = test.accept().await.expect("the third one, after the first");
    drop((second, third));
    assert_eq!(bench.sources.caught_up().await, 3);
}
