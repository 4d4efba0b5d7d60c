//! The queues, over HTTP.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

struct Bench {
    clock: Clock,
    sqs: Sqs,
    url: String,
}

impl Bench {
    async fn new() -> Self {
        let clock = Clock::manual(1_700_000_000_000);
        let sqs = Sqs::new(clock.clone(), "eu-west-1", "000000000000", vec!["failed".to_owned(), "other".to_owned()]);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("bound"));
        let router = sqs.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { clock, sqs, url }
    }

    fn queue(&self) -> String {
        format!("{}000000000000/failed", self.url)
    }

    async fn call(&self, operation: &str, mut body: Value) -> Value {
        if body.get("QueueUrl").is_none() {
            body["QueueUrl"] = self.queue().into();
        }
        let (_, answer) = self.raw(operation, body.to_string()).await;
        answer
    }

    async fn raw(&self, operation: &str, body: String) -> (String, Value) {
        let request = reqwest::Client::new().post(&self.url).header("x-amz-target", format!("AmazonSQS.{operation}"));
        let response = request.body(body).send().await.expect("answered");
        let query_error = response.headers().get("x-amzn-query-error").map(|value| value.to_str().expect("text"));
        let seen = format!("{} {}", response.status().as_u16(), query_error.unwrap_or_default());
        let text = response.text().await.expect("text");
        (seen, serde_json::from_str(&text).expect("JSON"))
    }

    async fn receive(&self, body: Value) -> Vec<Value> {
        self.call("ReceiveMessage", body).await["Messages"].as_array().cloned().unwrap_or_default()
    }

    async fn counts(&self) -> [String; 3] {
        let answer = self.call("GetQueueAttributes", json!({ "AttributeNames": ["All"] })).await;
        ["", "NotVisible", "Delayed"].map(|kind| {
            let count = &answer["Attributes"][format!("ApproximateNumberOfMessages{kind}")];
            count.as_str().expect("a count").to_owned()
        })
    }
}

#[test]
fn queue_is_found_by_name_url_and_arn() {
    let sqs = Sqs::new(Clock::manual(0), "eu-west-1", "000000000000", vec!["failed".to_owned()]);
    for queue in ["failed", "http://127.0.0.1:4566/000000000000/failed", "arn:aws:sqs:eu-west-1:000000000000:failed"] {
        assert!(sqs.send(queue, queue.to_owned()), "{queue}");
    }
    assert!(!sqs.send("other", String::new()));
    assert_eq!(sqs.peek("failed").len(), 3);
    assert!(sqs.peek("other").is_empty());
}

#[tokio::test]
async fn message_is_received_hidden_received_again_and_deleted() {
    let bench = Bench::new().await;
    assert!(bench.sqs.send("failed", "first".to_owned()));
    let sent = bench.call("SendMessage", json!({ "MessageBody": "hello" })).await;
    assert_eq!(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(bench.counts().await, ["2", "0", "0"]);

    let names = json!(["All"]);
    let both = bench.receive(json!({ "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": names })).await;
    assert_eq!([&both[0]["Body"], &both[1]["Body"]], ["first", "hello"]);
    assert_eq!(both[1]["MessageId"], sent["MessageId"]);
    assert_eq!(both[1]["MD5OfBody"], sent["MD5OfMessageBody"]);
    assert_eq!(both[0]["Attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(both[0]["Attributes"]["SentTimestamp"], "1700000000000");
    assert!(bench.receive(json!({})).await.is_empty());
    assert_eq!(bench.counts().await, ["0", "2", "0"]);

    bench.call("DeleteMessage", json!({ "ReceiptHandle": both[0]["ReceiptHandle"] })).await;
    bench.clock.advance(Duration::from_secs(30));
    let again = bench.receive(json!({ "MaxNumberOfMessages": 10, "AttributeNames": ["All"] })).await;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0]["Attributes"]["ApproximateReceiveCount"], "2");
    bench.call("DeleteMessage", json!({ "ReceiptHandle": both[1]["ReceiptHandle"] })).await;
    assert_eq!(bench.sqs.peek("failed"), ["hello"], "an old receipt deletes nothing");
    bench.call("PurgeQueue", json!({})).await;
    assert_eq!(bench.counts().await, ["0", "0", "0"]);
}

#[tokio::test]
async fn delayed_message_becomes_visible_after_its_delay() {
    let bench = Bench::new().await;
    bench.call("SendMessage", json!({ "MessageBody": "later", "DelaySeconds": 5 })).await;
    assert_eq!(bench.counts().await, ["0", "0", "1"]);
    assert!(bench.receive(json!({})).await.is_empty());
    bench.clock.advance(Duration::from_secs(5));
    assert_eq!(bench.receive(json!({ "VisibilityTimeout": 0 })).await.len(), 1);
    assert_eq!(bench.receive(json!({})).await.len(), 1);
}

#[tokio::test]
async fn batch_answers_for_each_entry() {
    let bench = Bench::new().await;
    let entry = |id: &str, body: &str, delay: u32| json!({ "Id": id, "MessageBody": body, "DelaySeconds": delay });
    let entries = [entry("a", "late", 9), entry("b", "", 0), entry("c", "early", 3), entry("d", "x", 901)];
    let sent = bench.call("SendMessageBatch", json!({ "Entries": entries })).await;
    let ids = |list: &str| sent[list].as_array().expect(list).iter().map(|e| e["Id"].clone()).collect::<Vec<_>>();
    assert_eq!((ids("Successful"), ids("Failed")), (vec![json!("a"), json!("c")], vec![json!("b"), json!("d")]));
    assert_eq!(sent["Failed"][0]["Code"], "InvalidParameterValue");
    assert_eq!(sent["Failed"][0]["SenderFault"], true);
    bench.clock.advance(Duration::from_secs(3));
    assert_eq!(bench.counts().await, ["1", "0", "1"]);
    bench.clock.advance(Duration::from_secs(6));
    let both = bench.receive(json!({ "MaxNumberOfMessages": 10 })).await;
    assert_eq!([&both[0]["Body"], &both[1]["Body"]], ["early", "late"]);
    assert_eq!(both[1]["MessageId"], sent["Successful"][0]["MessageId"]);
    assert_eq!(both[1]["MD5OfBody"], sent["Successful"][0]["MD5OfMessageBody"]);
}

#[tokio::test]
async fn queue_has_the_properties_of_the_template() {
    let clock = Clock::manual(1_700_000_000_000);
    let declared = local_resources::Queue { name: "failed".to_owned(), visibility_s: 7, delay_s: 5, retention_s: 60 };
    let sqs = Sqs::new(clock.clone(), "eu-west-1", "000000000000", vec![declared]);
    let receive = |seconds| {
        clock.advance(Duration::from_secs(seconds));
        sqs.receive("failed", 1, None).expect("a queue").len()
    };
    assert!(sqs.send("failed", "x".to_owned()));
    assert_eq!([receive(4), receive(1), receive(6), receive(1)], [0, 1, 0, 1]);
    assert_eq!(sqs.next_visible_ms("failed"), Some(1_700_000_019_000));
    assert_eq!([receive(48), receive(7)], [1, 0], "it is kept for a minute");
    assert_eq!((sqs.next_visible_ms("failed"), sqs.peek("failed")), (None, Vec::new()));
}

#[tokio::test]
async fn waiting_receiver_gets_a_new_message() {
    let bench = Bench::new().await;
    let (messages, ()) = tokio::join!(bench.receive(json!({ "WaitTimeSeconds": 20 })), async {
        while bench.sqs.0.arrived.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
        // By the time of another answer, the receiver has found nothing.
        assert_eq!(bench.counts().await, ["0", "0", "0"]);
        bench.sqs.send("failed", "now".to_owned());
    });
    assert_eq!(messages.len(), 1);
}

#[tokio::test]
async fn queues_are_listed_and_found() {
    let bench = Bench::new().await;
    let listed = bench.call("ListQueues", json!({})).await;
    let other = format!("{}000000000000/other", bench.url);
    assert_eq!(listed["QueueUrls"], json!([bench.queue(), other]));
    assert_eq!(bench.call("ListQueues", json!({ "QueueNamePrefix": "x" })).await, json!({}));
    assert_eq!(bench.call("GetQueueUrl", json!({ "QueueName": "other" })).await["QueueUrl"], other);
    let attributes = bench.call("GetQueueAttributes", json!({ "AttributeNames": ["QueueArn"] })).await;
    assert_eq!(attributes, json!({ "Attributes": { "QueueArn": "arn:aws:sqs:eu-west-1:000000000000:failed" } }));
}

#[tokio::test]
async fn errors_have_their_names_of_both_protocols() {
    let bench = Bench::new().await;
    let no_queue = ("400 AWS.SimpleQueueService.NonExistentQueue;Sender", "com.amazonaws.sqs#QueueDoesNotExist");
    let invalid = ("400 InvalidParameterValue;Sender", "com.amazonaws.sqs#InvalidParameterValue");
    let unsupported = ("400 UnsupportedOperation;Sender", "com.amazonaws.sqs#UnsupportedOperation");
    let batch = |ids: &[&str]| {
        let entries: Vec<_> = ids.iter().map(|id| json!({ "Id": id, "MessageBody": "x" })).collect();
        json!({ "QueueUrl": "failed", "Entries": entries }).to_string()
    };
    let empty = ("400 EmptyBatchRequest;Sender", "com.amazonaws.sqs#EmptyBatchRequest");
    let same = ("400 BatchEntryIdsNotDistinct;Sender", "com.amazonaws.sqs#BatchEntryIdsNotDistinct");
    let many = ("400 TooManyEntriesInBatchRequest;Sender", "com.amazonaws.sqs#TooManyEntriesInBatchRequest");
    let cases = [
        ("GetQueueUrl", r#"{"QueueName":"nope"}"#.to_owned(), no_queue),
        ("ReceiveMessage", r#"{"QueueUrl":"http://h/0/nope"}"#.to_owned(), no_queue),
        ("ReceiveMessage", r#"{"QueueUrl":"failed","MaxNumberOfMessages":11}"#.to_owned(), invalid),
        ("SendMessage", r#"{"QueueUrl":"failed","MessageBody":""}"#.to_owned(), invalid),
        ("SendMessage", json!({ "QueueUrl": "failed", "MessageBody": "x".repeat(1_048_577) }).to_string(), invalid),
        ("SendMessage", "not json".to_owned(), invalid),
        ("SendMessage", "{}".to_owned(), invalid),
        ("SendMessage", r#"{"QueueUrl":"failed","MessageBody":"x","DelaySeconds":901}"#.to_owned(), invalid),
        ("SendMessageBatch", batch(&["a"]).replace("failed", "nope"), no_queue),
        ("SendMessageBatch", batch(&[]), empty),
        ("SendMessageBatch", batch(&["a", "b", "a"]), same),
        ("SendMessageBatch", batch(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]), many),
        ("CreateQueue", "{}".to_owned(), unsupported),
    ];
    for (operation, body, (seen, kind)) in cases {
        let (status, answer) = bench.raw(operation, body).await;
        assert_eq!((status.as_str(), answer["__type"].as_str()), (seen, Some(kind)), "{operation}: {answer}");
    }
    assert!(bench.sqs.peek("failed").is_empty());
}
