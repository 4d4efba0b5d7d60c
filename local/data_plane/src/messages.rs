//! Operations on messages: Publish, GetRetainedMessage, ListRetainedMessages.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use data_encoding::BASE64;
use local_broker::Message;
use serde_json::{Value, json};

use super::Api;
use super::answer;
use super::error::ApiError;
use super::mqtt5;
use super::paging::{PageSize, take_page};
use super::request::{PathParameter, Payload, Query, check_topic};

const PAGE: PageSize = PageSize { parameter: "maxResults", default: 20, max: 200 };

pub(super) async fn publish(
    State(api): State<Api>,
    PathParameter(topic): PathParameter,
    query: Query,
    headers: HeaderMap,
    Payload(payload): Payload,
) -> Result<Response, ApiError> {
    check_topic("topic", &topic)?;
    let qos = if query.number("qos", 0, 1)? == Some(1) { 1 } else { 0 };
    let retain = query.flag("retain")?;
    let properties = mqtt5::properties(&query, &headers)?;
    api.broker.publish(Message { topic, payload, qos, retain, properties })?;
    Ok(answer::ok())
}

pub(super) async fn get_retained(
    State(api): State<Api>,
    PathParameter(topic): PathParameter,
) -> Result<Response, ApiError> {
    let (message, modified_ms) = api.broker.retained(&topic).ok_or_else(ApiError::not_found)?;
    let mut body = json!({
        "topic": message.topic, "payload": BASE64.encode(&message.payload), "qos": message.qos,
        "lastModifiedTime": modified_ms,
    });
    if let Some(user) = mqtt5::user_properties_to_base64(&message.properties.user) {
        body["userProperties"] = Value::String(user);
    }
    Ok(answer::json(&body))
}

pub(super) async fn list_retained(State(api): State<Api>, query: Query) -> Result<Response, ApiError> {
    let mut retained = api.broker.retained_topics();
    retained.sort();
    let (page, next) = take_page(retained, |(topic, ..)| topic, &query, PAGE)?;
    let topics: Vec<Value> = page
        .into_iter()
        .map(|(topic, bytes, qos, modified_ms)| {
            json!({ "topic": topic, "payloadSize": bytes, "qos": qos, "lastModifiedTime": modified_ms })
        })
        .collect();
    let mut body = json!({ "retainedTopics": topics });
    if let Some(next) = next {
        body["nextToken"] = Value::String(next);
    }
    Ok(answer::json(&body))
}
