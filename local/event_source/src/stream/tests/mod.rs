//! Items that are written through DynamoDB's API, and the records that a function receives, on a clock that the tests
//! move.

mod batches;
mod delivery;
mod filters;
mod records;
mod windows;

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use local_clock::Clock;
use local_dynamodb::DynamoDb;
use local_faults::Faults;
use local_lambda::Lambda;
use local_lambda::testing::function;
use local_resources::{StreamSource, StreamView, Table, TableStream};
use local_sqs::Sqs;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;

const START_MS: i64 = 1_700_000_000_000;
const STREAM: &str = "arn:aws:dynamodb:eu-west-1:000000000000:table/things/stream/1970-01-01T00:00:00.000";
const FAILED: &str = "arn:aws:sqs:eu-west-1:000000000000:failed";

fn table(name: &str, stream: Option<StreamView>) -> Table {
    Table {
        logical_id: name.to_owned(),
        name: name.to_owned(),
        create: json!({
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"},
            ],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        }),
        ttl_attribute: Some("purge_at".into()),
        stream: stream.map(|view| TableStream { arn: STREAM.to_owned(), view }),
    }
}

fn source() -> StreamSource {
    StreamSource {
        stream_arn: STREAM.to_owned(),
        function_arn: function("taker").arn,
        from_the_oldest: true,
        batch_size: 10,
        window_s: 0,
        retries: None,
        record_age_s: None,
        bisect: false,
        parallel: 1,
        tumbling_s: None,
        partial_failures: false,
        on_failure: Some(FAILED.to_owned()),
        filters: Vec::new(),
    }
}

struct Bench {
    clock: Clock,
    dynamodb: DynamoDb,
    lambda: Lambda,
    sqs: Sqs,
    faults: Faults,
    mappings: StreamMappings,
}

impl Bench {
    /// The table `things`, whose stream goes to a function that does what its items say, and the table `others`.
    async fn new(source: StreamSource) -> Self {
        Self::with(StreamView::NewAndOldImages, source, None).await
    }

    async fn with(view: StreamView, source: StreamSource, answer: Option<Value>) -> Self {
        let clock = Clock::manual(START_MS);
        let tables = [table("things", Some(view)), table("others", None)];
        let dynamodb = DynamoDb::start(clock.clone(), &tables, None).await.expect("starts");
        let sqs = Sqs::new(clock.clone(), "eu-west-1", "000000000000", vec!["failed".to_owned()]);
        let mut taker = function("taker");
        taker.concurrency = None;
        if let Some(answer) = answer {
            taker.environment.insert("ANSWER".to_owned(), answer.to_string());
        }
        let lambda = Lambda::start(clock.clone(), vec![taker], sqs.clone()).await.expect("started");
        let faults = Faults::default();
        let (streams, sources) = (dynamodb.streams().clone(), vec![source]);
        let mappings =
            StreamMappings::start(clock.clone(), lambda.clone(), sqs.clone(), faults.clone(), &streams, sources);
        Self { clock, dynamodb, lambda, sqs, faults, mappings }
    }

    async fn call(&self, operation: &str, body: Value) -> (u16, Value) {
        let request = Request::post("/")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .body(Body::from(body.to_string()))
            .expect("a request");
        let answer = self.dynamodb.router().oneshot(request).await.expect("infallible");
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    /// Puts an item that says what to do.
    async fn put(&self, pk: &str, sk: u32, says: &str) {
        let answer = self.call("PutItem", put(pk, sk, says)).await;
        assert_eq!(answer, (200, json!({})));
    }

    /// Puts items of one partition while the stream is held, then releases it.
    async fn put_all(&self, says: &[&str]) {
        self.dynamodb.streams().hold("things");
        for (sk, says) in (0..).zip(says) {
            self.put("a", sk, says).await;
        }
        self.dynamodb.streams().release("things");
        self.mappings.caught_up().await;
    }

    async fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.mappings.caught_up().await;
    }

    /// The records of each event of the function.
    fn events(&self) -> Vec<Vec<Value>> {
        let lines = self.lambda.logs("taker");
        let events = lines.iter().filter_map(|line| serde_json::from_str(line.strip_prefix("event: ")?).ok());
        events.map(|event: Value| event["Records"].as_array().expect("records").clone()).collect()
    }

    /// The sort keys of the records of each event.
    fn keys(&self) -> Vec<Vec<u32>> {
        let key = |record: &Value| record["dynamodb"]["Keys"]["sk"]["N"].as_str().and_then(|n| n.parse().ok());
        self.events().iter().map(|records| records.iter().map(|record| key(record).expect("a key")).collect()).collect()
    }

    /// The records of discarded batches.
    fn failed(&self) -> Vec<Value> {
        self.sqs.peek("failed").iter().map(|body| serde_json::from_str(body).expect("JSON")).collect()
    }
}

fn item(pk: &str, sk: u32, says: &str) -> Value {
    json!({"pk": {"S": pk}, "sk": {"N": sk.to_string()}, "do": {"S": says}})
}

fn put(pk: &str, sk: u32, says: &str) -> Value {
    json!({"TableName": "things", "Item": item(pk, sk, says)})
}

fn key(pk: &str, sk: u32) -> Value {
    json!({"pk": {"S": pk}, "sk": {"N": sk.to_string()}})
}
