//! Executes shadow requests from MQTT topics, and builds the messages that answer them.

use local_broker::Message;
use local_journal::{Event, Journal};
use serde_json::{Value, json};

use super::ShadowError;
use super::request::{Body, Update};
use super::store::{Store, Updated, with_token};
use super::topic::{Operation, RequestTopic, ShadowKey};

/// Executes the request published on `topic` and returns its answers. `request` is the parsed `topic`.
pub(super) fn answer(
    store: &mut Store,
    journal: &Journal,
    now_s: i64,
    request: RequestTopic<'_>,
    topic: &str,
    payload: &[u8],
) -> Vec<Message> {
    let mut client_token = None;
    execute(store, journal, now_s, request, payload, &mut client_token).unwrap_or_else(|error| {
        vec![answer_message(topic, "rejected", &rejected_body(&error, client_token.as_deref(), now_s))]
    })
}

/// Stores the client token in `client_token` as soon as it is known: a rejected answer contains it too.
fn execute(
    store: &mut Store,
    journal: &Journal,
    now_s: i64,
    request: RequestTopic<'_>,
    payload: &[u8],
    client_token: &mut Option<String>,
) -> Result<Vec<Message>, ShadowError> {
    let body = match request.operation {
        Operation::Get => Body::parse_optional(payload, store.limits())?,
        Operation::Update => Body::parse(payload, store.limits())?,
        // The body of a delete is ignored, except for the client token that some SDKs send and wait for.
        Operation::Delete => Body::parse(payload, store.limits()).unwrap_or_default(),
    };
    client_token.clone_from(&body.client_token);
    let key = ShadowKey::new(request.thing, request.shadow)?;
    let token = client_token.as_deref();
    match request.operation {
        Operation::Get => Ok(vec![accepted_message(&key, request.operation, &store.get(&key, token, now_s)?)]),
        Operation::Delete => Ok(vec![accepted_message(&key, request.operation, &store.delete(&key, token, now_s)?)]),
        Operation::Update => Ok(record_update(journal, &key, &store.update(&key, &Update::new(body)?, now_s)?)),
    }
}

/// Records an accepted update in the journal and returns its messages in the order of publication.
pub(super) fn record_update(journal: &Journal, key: &ShadowKey, updated: &Updated) -> Vec<Message> {
    journal.record(|| {
        let document = updated.documents["current"].clone();
        Event::Shadow {
            thing: key.thing().to_owned(),
            shadow: key.shadow().map(str::to_owned),
            version: document["version"].as_u64().unwrap_or_default(),
            document,
        }
    });
    let topic = key.topic(Operation::Update);
    let mut messages = vec![answer_message(&topic, "accepted", &updated.accepted)];
    messages.extend(updated.delta.as_ref().map(|delta| answer_message(&topic, "delta", delta)));
    messages.push(answer_message(&topic, "documents", &updated.documents));
    messages
}

/// The `accepted` answer of an operation.
pub(super) fn accepted_message(key: &ShadowKey, operation: Operation, answer: &Value) -> Message {
    answer_message(&key.topic(operation), "accepted", answer)
}

fn rejected_body(error: &ShadowError, client_token: Option<&str>, now_s: i64) -> Value {
    with_token(json!({ "code": error.code(), "message": error.to_string(), "timestamp": now_s }), client_token)
}

fn answer_message(request_topic: &str, answer: &str, body: &Value) -> Message {
    Message::new(format!("{request_topic}/{answer}"), body.to_string())
}
