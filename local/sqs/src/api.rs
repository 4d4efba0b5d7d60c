//! The `AmazonSQS.*` operations in the JSON protocol.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use local_http::body;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use super::queue::{Message, Queue, md5_of};
use super::{Sqs, name};

/// Largest body of a message, in bytes.
const MESSAGE_LIMIT: usize = 1024 * 1024;
/// Largest request, in bytes: a message of which every byte is escaped in JSON.
const REQUEST_LIMIT: usize = 6 * MESSAGE_LIMIT + 64 * 1024;
/// Longest delay of a message, in seconds.
const DELAY_LIMIT_S: u32 = 900;
/// Most messages of one request.
const BATCH_LIMIT: usize = 10;

pub(super) fn router(sqs: Sqs) -> Router {
    Router::new().fallback(handle).with_state(sqs)
}

async fn handle(State(sqs): State<Sqs>, headers: HeaderMap, body: Body) -> Response<Body> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = header("x-amz-target").strip_prefix("AmazonSQS.").unwrap_or_default();
    let result = match body::read(body, REQUEST_LIMIT).await {
        Ok(body) => sqs.call(operation, header("host"), &body).await,
        Err(error) => Err(Refusal::invalid("InvalidMessageContents", error.to_string())),
    };
    match result {
        Ok(answer) => respond(StatusCode::OK, &answer),
        Err(Refusal { kind, query_kind, message }) => {
            let answer = json!({ "__type": format!("com.amazonaws.sqs#{kind}"), "message": message });
            let query = [("x-amzn-query-error", format!("{query_kind};Sender"))];
            (query, respond(StatusCode::BAD_REQUEST, &answer)).into_response()
        }
    }
}

fn respond(status: StatusCode, answer: &Value) -> Response<Body> {
    let request_id = uuid::Uuid::new_v4().to_string();
    let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amzn-requestid", &request_id)];
    (status, headers, answer.to_string()).into_response()
}

/// An error of SQS.
struct Refusal {
    /// The error's name in the JSON protocol.
    kind: &'static str,
    /// The error's name in the older query protocol, which SDKs still compare.
    query_kind: &'static str,
    message: String,
}

impl Refusal {
    fn invalid(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, query_kind: kind, message: message.into() }
    }

    fn no_queue() -> Self {
        Self {
            kind: "QueueDoesNotExist",
            query_kind: "AWS.SimpleQueueService.NonExistentQueue",
            message: "The specified queue does not exist.".to_owned(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage {
    queue_url: String,
    #[serde(flatten)]
    message: OneMessage,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessageBatch {
    queue_url: String,
    #[serde(default)]
    entries: Vec<BatchEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchEntry {
    id: String,
    #[serde(flatten)]
    message: OneMessage,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneMessage {
    message_body: String,
    delay_seconds: Option<u32>,
    #[serde(default)]
    message_attributes: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<u32>,
    #[serde(default)]
    wait_time_seconds: u64,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteMessage {
    queue_url: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PurgeQueue {
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueUrl {
    queue_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListQueues {
    #[serde(default)]
    queue_name_prefix: String,
}

impl Sqs {
    async fn call(&self, operation: &str, host: &str, body: &[u8]) -> Result<Value, Refusal> {
        match operation {
            "SendMessage" => self.send_message(parse(body)?),
            "SendMessageBatch" => self.send_message_batch(parse(body)?),
            "ReceiveMessage" => self.receive_message(parse(body)?).await,
            "DeleteMessage" => {
                let DeleteMessage { queue_url, receipt_handle } = parse(body)?;
                self.delete(&queue_url, &receipt_handle).then(|| json!({})).ok_or_else(Refusal::no_queue)
            }
            "PurgeQueue" => {
                let PurgeQueue { queue_url } = parse(body)?;
                self.on(&queue_url, Queue::purge).map(|()| json!({}))
            }
            "GetQueueUrl" => {
                let GetQueueUrl { queue_name } = parse(body)?;
                self.on(&queue_name, |_| ()).map(|()| json!({ "QueueUrl": self.url(host, &queue_name) }))
            }
            "GetQueueAttributes" => self.attributes(parse(body)?),
            "ListQueues" => {
                let ListQueues { queue_name_prefix } = parse(body)?;
                let names = self.0.queues.keys().filter(|name| name.starts_with(&queue_name_prefix));
                let urls: Vec<_> = names.map(|name| self.url(host, name)).collect();
                Ok(if urls.is_empty() { json!({}) } else { json!({ "QueueUrls": urls }) })
            }
            _ => Err(Refusal::invalid("UnsupportedOperation", format!("not available here: {operation}"))),
        }
    }

    fn on<T>(&self, queue: &str, action: impl FnOnce(&mut Queue) -> T) -> Result<T, Refusal> {
        self.with(queue, action).ok_or_else(Refusal::no_queue)
    }

    fn send_message(&self, request: SendMessage) -> Result<Value, Refusal> {
        let md5 = md5_of(&request.message.message_body);
        let id = self.send_one(&request.queue_url, request.message)?;
        Ok(json!({ "MessageId": id, "MD5OfMessageBody": md5 }))
    }

    /// Sends each entry on its own: an entry that cannot be sent is listed in `Failed`.
    fn send_message_batch(&self, request: SendMessageBatch) -> Result<Value, Refusal> {
        let SendMessageBatch { queue_url, entries } = request;
        self.on(&queue_url, |_| ())?;
        let refusal = |kind, message: &str| Refusal { kind, query_kind: kind, message: message.to_owned() };
        if entries.is_empty() {
            return Err(refusal("EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry."));
        }
        if entries.len() > BATCH_LIMIT {
            return Err(refusal("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10."));
        }
        let ids: BTreeSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        if ids.len() < entries.len() {
            return Err(refusal("BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id."));
        }
        if entries.iter().map(|entry| entry.message.message_body.len()).sum::<usize>() > MESSAGE_LIMIT {
            return Err(refusal("BatchRequestTooLong", "The sum of the messages is longer than 1048576 bytes."));
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for BatchEntry { id, message } in entries {
            let md5 = md5_of(&message.message_body);
            match self.send_one(&queue_url, message) {
                Ok(sent) => successful.push(json!({ "Id": id, "MessageId": sent, "MD5OfMessageBody": md5 })),
                Err(Refusal { kind, message, .. }) => {
                    failed.push(json!({ "Id": id, "Code": kind, "Message": message, "SenderFault": true }));
                }
            }
        }
        Ok(json!({ "Successful": successful, "Failed": failed }))
    }

    fn send_one(&self, queue: &str, message: OneMessage) -> Result<String, Refusal> {
        let OneMessage { message_body, delay_seconds, message_attributes } = message;
        if !message_attributes.is_empty() {
            return Err(Refusal::invalid("UnsupportedOperation", "MessageAttributes are not available here"));
        }
        let invalid = |reason: String| {
            let message = format!("One or more parameters are invalid. Reason: {reason}");
            Err(Refusal::invalid("InvalidParameterValue", message))
        };
        if message_body.is_empty() || message_body.len() > MESSAGE_LIMIT {
            return invalid(format!("Message must be 1 to {MESSAGE_LIMIT} bytes."));
        }
        if delay_seconds.is_some_and(|seconds| seconds > DELAY_LIMIT_S) {
            return invalid(format!("DelaySeconds must be 0 to {DELAY_LIMIT_S}."));
        }
        self.send_delayed(queue, message_body, delay_seconds).ok_or_else(Refusal::no_queue)
    }

    async fn receive_message(&self, request: ReceiveMessage) -> Result<Value, Refusal> {
        let most = request.max_number_of_messages.unwrap_or(1);
        if !(1..=10).contains(&most) {
            let message =
                format!("Value {most} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10.");
            return Err(Refusal::invalid("InvalidParameterValue", message));
        }
        let deadline = Instant::now() + Duration::from_secs(request.wait_time_seconds.min(20));
        let mut arrived = self.0.arrived.subscribe();
        let messages = loop {
            arrived.mark_unchanged();
            let received = self.receive(&request.queue_url, most, request.visibility_timeout);
            let messages = received.ok_or_else(Refusal::no_queue)?;
            if !messages.is_empty() || !matches!(timeout_at(deadline, arrived.changed()).await, Ok(Ok(()))) {
                break messages;
            }
        };
        let wanted = [request.attribute_names, request.message_system_attribute_names].concat();
        let messages: Vec<_> = messages.iter().map(|message| self.received(message, &wanted)).collect();
        Ok(if messages.is_empty() { json!({}) } else { json!({ "Messages": messages }) })
    }

    fn received(&self, message: &Message, wanted: &[String]) -> Value {
        let mut received = json!({
            "MessageId": message.id,
            "ReceiptHandle": message.receipt,
            "MD5OfBody": message.md5(),
            "Body": message.body,
        });
        let attributes = select(wanted, self.system_attributes(message));
        if !attributes.is_empty() {
            received["Attributes"] = attributes.into();
        }
        received
    }

    fn attributes(&self, request: GetQueueAttributes) -> Result<Value, Refusal> {
        let now_ms = self.0.clock.now_ms();
        let counts = self.on(&request.queue_url, |queue| queue.counts(now_ms))?;
        let declared = &self.entry(&request.queue_url).ok_or_else(Refusal::no_queue)?.declared;
        let Self(inner) = self;
        let arn = format!("arn:aws:sqs:{}:{}:{}", inner.region, inner.account, name(&request.queue_url));
        let attributes = select(
            &request.attribute_names,
            [
                ("QueueArn", arn),
                ("ApproximateNumberOfMessages", counts.visible.to_string()),
                ("ApproximateNumberOfMessagesNotVisible", counts.hidden.to_string()),
                ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
                ("VisibilityTimeout", declared.visibility_s.to_string()),
                ("DelaySeconds", declared.delay_s.to_string()),
                ("MessageRetentionPeriod", declared.retention_s.to_string()),
            ],
        );
        Ok(if attributes.is_empty() { json!({}) } else { json!({ "Attributes": attributes }) })
    }

    fn url(&self, host: &str, name: &str) -> String {
        format!("http://{host}/{}/{name}", self.0.account)
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::invalid("InvalidParameterValue", error.to_string()))
}

fn select<const N: usize>(wanted: &[String], all: [(&str, String); N]) -> Map<String, Value> {
    let wants = |name: &str| wanted.iter().any(|wanted| wanted == name || wanted == "All");
    all.into_iter().filter(|(name, _)| wants(name)).map(|(name, value)| (name.to_owned(), value.into())).collect()
}
