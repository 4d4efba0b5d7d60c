//! A request on a topic, and the messages that answer it.

use local_broker::Message;
use local_journal::{Event, Journal};
use serde_json::{Value, json};

use super::ShadowError;
use super::request::{Body, Update};
use super::store::{Store, Updated, with_token};
use super::topic::{Key, Operation, RequestTopic};

/// Carries out the request that was published on `topic`, which is what `request` was read from.
pub(super) fn answer(
    store: &mut Store,
    journal: &Journal,
    now_s: i64,
    request: RequestTopic<'_>,
    topic: &str,
    payload: &[u8],
) -> Vec<Message> {
    let mut client_token = None;
    carry_out(store, journal, now_s, request, payload, &mut client_token)
        .unwrap_or_else(|error| vec![message(topic, "rejected", &rejected(&error, client_token.as_deref(), now_s))])
}

/// Leaves the client token in `client_token` as soon as it is known, because a refusal carries it too.
fn carry_out(
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
        // What a delete carries does not matter, except for the token that some SDKs put there and wait for.
        Operation::Delete => Body::parse(payload, store.limits()).unwrap_or_default(),
    };
    client_token.clone_from(&body.client_token);
    let key = Key::new(request.thing, request.shadow)?;
    let token = client_token.as_deref();
    match request.operation {
        Operation::Get => Ok(vec![accepted(&key, request.operation, &store.get(&key, token, now_s)?)]),
        Operation::Delete => Ok(vec![accepted(&key, request.operation, &store.delete(&key, token, now_s)?)]),
        Operation::Update => Ok(updated(journal, &key, &store.update(&key, &Update::new(body)?, now_s)?)),
    }
}

/// The messages that an accepted update causes, in the order in which they go out. The journal hears of it first.
pub(super) fn updated(journal: &Journal, key: &Key, updated: &Updated) -> Vec<Message> {
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
    let mut messages = vec![message(&topic, "accepted", &updated.accepted)];
    messages.extend(updated.delta.as_ref().map(|delta| message(&topic, "delta", delta)));
    messages.push(message(&topic, "documents", &updated.documents));
    messages
}

/// The message that says an operation was carried out.
pub(super) fn accepted(key: &Key, operation: Operation, answer: &Value) -> Message {
    message(&key.topic(operation), "accepted", answer)
}

fn rejected(error: &ShadowError, client_token: Option<&str>, now_s: i64) -> Value {
    with_token(json!({ "code": error.code(), "message": error.to_string(), "timestamp": now_s }), client_token)
}

fn message(request_topic: &str, answer: &str, body: &Value) -> Message {
    Message::new(format!("{request_topic}/{answer}"), body.to_string())
}
