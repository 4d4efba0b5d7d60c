//! The `AmazonSQS.*` operations, in the JSON protocol that today's SDKs speak.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use super::queue::{Message, Queue};
use super::{Sqs, name};
use crate::http_api::body;

/// The largest message, and what a request with one may need when every byte is escaped.
const MESSAGE_LIMIT: usize = 1024 * 1024;
const REQUEST_LIMIT: usize = 6 * MESSAGE_LIMIT + 64 * 1024;
/// Seconds for which a received message is hidden when the receiver does not say.
const VISIBILITY_S: u32 = 30;

pub(super) fn router(sqs: Sqs) -> Router {
    Router::new().fallback(handle).with_state(sqs)
}

async fn handle(State(sqs): State<Sqs>, headers: HeaderMap, body: Body) -> Response<Body> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = header("x-amz-target").strip_prefix("AmazonSQS.").unwrap_or_default();
    let result = match body::read(body, REQUEST_LIMIT).await {
        Ok(body) => sqs.call(operation, header("host"), &body).await,
        Err(error) => Err(Fault::invalid("InvalidMessageContents", error.to_string())),
    };
    match result {
        Ok(answer) => respond(StatusCode::OK, &answer),
        Err(Fault { kind, query_kind, message }) => {
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

/// An error of SQS: its name in this protocol, and in the older one, by which tools still know it.
struct Fault {
    kind: &'static str,
    query_kind: &'static str,
    message: String,
}

impl Fault {
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
    message_body: String,
    #[serde(default)]
    delay_seconds: u16,
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
    async fn call(&self, operation: &str, host: &str, body: &[u8]) -> Result<Value, Fault> {
        match operation {
            "SendMessage" => self.send_message(parse(body)?),
            "ReceiveMessage" => self.receive_message(parse(body)?).await,
            "DeleteMessage" => {
                let DeleteMessage { queue_url, receipt_handle } = parse(body)?;
                self.on(&queue_url, |queue| queue.delete(&receipt_handle)).map(|()| json!({}))
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
            _ => Err(Fault::invalid("UnsupportedOperation", format!("not available here: {operation}"))),
        }
    }

    fn on<T>(&self, queue: &str, action: impl FnOnce(&mut Queue) -> T) -> Result<T, Fault> {
        self.with(queue, action).ok_or_else(Fault::no_queue)
    }

    fn send_message(&self, request: SendMessage) -> Result<Value, Fault> {
        let SendMessage { queue_url, message_body, delay_seconds, message_attributes } = request;
        if !message_attributes.is_empty() {
            return Err(Fault::invalid("UnsupportedOperation", "MessageAttributes are not available here"));
        }
        if message_body.is_empty() || message_body.len() > MESSAGE_LIMIT {
            let message =
                format!("One or more parameters are invalid. Reason: Message must be 1 to {MESSAGE_LIMIT} bytes.");
            return Err(Fault::invalid("InvalidParameterValue", message));
        }
        let (now_ms, md5) = (self.0.clock.now_ms(), md5_of(&message_body));
        let id = self.on(&queue_url, |queue| queue.send(message_body, now_ms, i64::from(delay_seconds) * 1000))?;
        self.0.arrived.send_replace(());
        Ok(json!({ "MessageId": id, "MD5OfMessageBody": md5 }))
    }

    async fn receive_message(&self, request: ReceiveMessage) -> Result<Value, Fault> {
        let most = request.max_number_of_messages.unwrap_or(1);
        if !(1..=10).contains(&most) {
            let message =
                format!("Value {most} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10.");
            return Err(Fault::invalid("InvalidParameterValue", message));
        }
        let hidden_ms = i64::from(request.visibility_timeout.unwrap_or(VISIBILITY_S)) * 1000;
        let deadline = Instant::now() + Duration::from_secs(request.wait_time_seconds.min(20));
        let mut arrived = self.0.arrived.subscribe();
        let messages = loop {
            arrived.mark_unchanged();
            let now_ms = self.0.clock.now_ms();
            let messages = self.on(&request.queue_url, |queue| queue.receive(most, now_ms, hidden_ms))?;
            if !messages.is_empty() || !matches!(timeout_at(deadline, arrived.changed()).await, Ok(Ok(()))) {
                break messages;
            }
        };
        let wanted = [request.attribute_names, request.message_system_attribute_names].concat();
        let messages: Vec<_> = messages.iter().map(|message| self.told(message, &wanted)).collect();
        Ok(if messages.is_empty() { json!({}) } else { json!({ "Messages": messages }) })
    }

    fn told(&self, message: &Message, wanted: &[String]) -> Value {
        let mut told = json!({
            "MessageId": message.id,
            "ReceiptHandle": message.receipt,
            "MD5OfBody": md5_of(&message.body),
            "Body": message.body,
        });
        let attributes = chosen(
            wanted,
            [
                ("SenderId", self.0.account.clone()),
                ("SentTimestamp", message.sent_ms.to_string()),
                ("ApproximateReceiveCount", message.receives.to_string()),
                ("ApproximateFirstReceiveTimestamp", message.first_received_ms.to_string()),
            ],
        );
        if !attributes.is_empty() {
            told["Attributes"] = attributes.into();
        }
        told
    }

    fn attributes(&self, request: GetQueueAttributes) -> Result<Value, Fault> {
        let now_ms = self.0.clock.now_ms();
        let counts = self.on(&request.queue_url, |queue| queue.counts(now_ms))?;
        let Self(inner) = self;
        let arn = format!("arn:aws:sqs:{}:{}:{}", inner.region, inner.account, name(&request.queue_url));
        let attributes = chosen(
            &request.attribute_names,
            [
                ("QueueArn", arn),
                ("ApproximateNumberOfMessages", counts.visible.to_string()),
                ("ApproximateNumberOfMessagesNotVisible", counts.held.to_string()),
                ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
                ("VisibilityTimeout", VISIBILITY_S.to_string()),
            ],
        );
        Ok(if attributes.is_empty() { json!({}) } else { json!({ "Attributes": attributes }) })
    }

    fn url(&self, host: &str, name: &str) -> String {
        format!("http://{host}/{}/{name}", self.0.account)
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::invalid("InvalidParameterValue", error.to_string()))
}

fn chosen<const N: usize>(wanted: &[String], all: [(&str, String); N]) -> Map<String, Value> {
    let wants = |name: &str| wanted.iter().any(|wanted| wanted == name || wanted == "All");
    all.into_iter().filter(|(name, _)| wants(name)).map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn md5_of(text: &str) -> String {
    HEXLOWER.encode(&Md5::digest(text))
}
