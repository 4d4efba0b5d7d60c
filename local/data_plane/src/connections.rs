//! Operations on connections: SendDirectMessage, GetConnection, ListSubscriptions, DeleteConnection.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use local_broker::{Message, Properties};
use serde_json::{Map, Value, json};

use super::Api;
use super::answer;
use super::error::ApiError;
use super::mqtt5;
use super::paging::{PageSize, take_page};
use super::request::{PathParameter, Payload, Query};

const PAGE: PageSize = PageSize { parameter: "maxResults", default: 20, max: 200 };

const MAX_CLIENT_ID_CHARS: usize = 128;
const DEFAULT_TIMEOUT_SECONDS: u32 = 5;
const MAX_TIMEOUT_SECONDS: u32 = 15;

pub(super) async fn send_direct(
    State(api): State<Api>,
    PathParameter(client_id): PathParameter,
    query: Query,
    headers: HeaderMap,
    Payload(payload): Payload,
) -> Result<Response, ApiError> {
    check_client_id(&client_id)?;
    let topic = query.text("topic").ok_or_else(|| ApiError::invalid("topic is missing"))?.to_owned();
    let confirm = match query.flag("confirmation")? {
        false => None,
        true => {
            let timeout_s = query.number("timeout", 1, MAX_TIMEOUT_SECONDS)?.unwrap_or(DEFAULT_TIMEOUT_SECONDS);
            Some(Duration::from_secs(timeout_s.into()))
        }
    };
    // A direct message is never queued, so its expiry has no effect.
    let properties = Properties { message_expiry_s: None, ..mqtt5::properties(&query, &headers)? };
    let message = Message { topic, payload, qos: u8::from(confirm.is_some()), retain: false, properties };
    api.broker.send_direct(&client_id, message, confirm).await?;
    Ok(answer::ok())
}

pub(super) async fn get(
    State(api): State<Api>,
    PathParameter(client_id): PathParameter,
    query: Query,
) -> Result<Response, ApiError> {
    check_client_id(&client_id)?;
    let with_socket = query.flag("includeSocketInformation")?;
    let connection = api.broker.connection(&client_id).ok_or_else(ApiError::not_found)?;
    let address = connection.address.filter(|_| with_socket);
    let fields = [
        ("clientId", Some(json!(client_id))),
        ("connected", Some(json!(connection.connected))),
        ("connectedSince", connection.connected_since_ms.map(Value::from)),
        ("disconnectedSince", connection.disconnected_since_ms.map(Value::from)),
        ("disconnectReason", connection.disconnect_reason.map(Value::from)),
        ("cleanSession", Some(json!(connection.clean_session))),
        ("sessionExpiry", Some(json!(connection.session_expiry_s))),
        ("keepAliveDuration", Some(json!(connection.keep_alive_s))),
        ("sourceIp", address.map(|address| json!(address.ip().to_string()))),
        ("sourcePort", address.map(|address| json!(address.port()))),
    ];
    let body: Map<String, Value> =
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    Ok(answer::json(&Value::Object(body)))
}

pub(super) async fn list_subscriptions(
    State(api): State<Api>,
    PathParameter(client_id): PathParameter,
    query: Query,
) -> Result<Response, ApiError> {
    check_client_id(&client_id)?;
    let mut subscriptions = api.broker.subscriptions(&client_id).ok_or_else(ApiError::not_found)?;
    subscriptions.sort_by(|a, b| a.filter.cmp(&b.filter));
    let (page, next) = take_page(subscriptions, |subscription| &subscription.filter, &query, PAGE)?;
    let page: Vec<Value> = page.iter().map(|s| json!({ "topicFilter": s.filter, "qos": s.qos })).collect();
    let mut body = json!({ "subscriptions": page });
    if let Some(next) = next {
        body["nextToken"] = Value::String(next);
    }
    Ok(answer::json(&body))
}

pub(super) async fn delete(
    State(api): State<Api>,
    PathParameter(client_id): PathParameter,
    query: Query,
) -> Result<Response, ApiError> {
    check_client_id(&client_id)?;
    let (clean_session, prevent_will) = (query.flag("cleanSession")?, query.flag("preventWillMessage")?);
    match api.broker.disconnect(&client_id, clean_session, prevent_will) {
        true => Ok(answer::ok()),
        false => Err(ApiError::not_found()),
    }
}

fn check_client_id(client_id: &str) -> Result<(), ApiError> {
    match client_id.is_empty() || client_id.starts_with('$') || client_id.chars().count() > MAX_CLIENT_ID_CHARS {
        true => Err(ApiError::invalid("clientId must have 1 to 128 characters and not start with $")),
        false => Ok(()),
    }
}
