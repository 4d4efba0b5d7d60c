//! Lifecycle events: `connected`, `disconnected`, `subscribed` and `unsubscribed`, published below `$aws/events/`.

use serde_json::{Value, json};

use super::authorization::Principal;
use super::link::Link;
use super::message::Message;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ConnectionEnd {
    /// `disconnectReason` of the lifecycle event (AWS IoT Developer Guide, "Lifecycle events").
    pub(super) disconnect_reason: &'static str,
    /// Reason code of the DISCONNECT to an MQTT 5 client; `None` when the client closed the connection.
    pub(super) reason: Option<u8>,
    pub(super) client_initiated: bool,
    /// Whether the last will is published.
    pub(super) publish_will: bool,
}

impl ConnectionEnd {
    /// The broker closes the connection.
    pub(super) fn closed(disconnect_reason: &'static str, reason: u8) -> Self {
        Self { disconnect_reason, reason: Some(reason), client_initiated: false, publish_will: true }
    }

    /// The connection broke without DISCONNECT.
    pub(super) fn lost() -> Self {
        Self { disconnect_reason: "CONNECTION_LOST", reason: None, client_initiated: false, publish_will: true }
    }

    /// The client sent DISCONNECT.
    pub(super) fn disconnected(publish_will: bool) -> Self {
        Self { disconnect_reason: "CLIENT_INITIATED_DISCONNECT", reason: None, client_initiated: true, publish_will }
    }
}

/// The `connected` event. `None` for client ids with `#` or `+`, which have no lifecycle events.
pub(super) fn connected_event(client_id: &str, session_id: &str, link: &Link, now_ms: i64) -> Option<Message> {
    let mut body = event_body("connected", client_id, session_id, link, now_ms);
    body["versionNumber"] = link.version_number.into();
    if let Some(address) = link.peer.address {
        body["ipAddress"] = address.ip().to_string().into();
    }
    event_message("presence/connected", client_id, &body)
}

/// The `disconnected` event, with the version number of the `connected` event before it.
pub(super) fn disconnected_event(
    client_id: &str,
    session_id: &str,
    link: &Link,
    end: ConnectionEnd,
    now_ms: i64,
) -> Option<Message> {
    let mut body = event_body("disconnected", client_id, session_id, link, now_ms);
    body["versionNumber"] = link.version_number.into();
    body["clientInitiatedDisconnect"] = end.client_initiated.into();
    body["disconnectReason"] = end.disconnect_reason.into();
    event_message("presence/disconnected", client_id, &body)
}

/// The `subscribed` or `unsubscribed` event.
pub(super) fn subscription_event(
    event_type: &'static str,
    client_id: &str,
    session_id: &str,
    link: &Link,
    filters: &[String],
    now_ms: i64,
) -> Option<Message> {
    let mut body = event_body(event_type, client_id, session_id, link, now_ms);
    body["topics"] = filters.into();
    event_message(&format!("subscriptions/{event_type}"), client_id, &body)
}

fn event_body(event_type: &str, client_id: &str, session_id: &str, link: &Link, now_ms: i64) -> Value {
    json!({
        "clientId": client_id,
        "timestamp": now_ms,
        "eventType": event_type,
        "sessionIdentifier": session_id,
        // AWS has no connections without a principal; the listener without TLS has.
        "principalIdentifier": link.peer.principal.as_ref().map_or("anonymous", Principal::id),
    })
}

fn event_message(kind: &str, client_id: &str, body: &Value) -> Option<Message> {
    (!client_id.contains(['#', '+'])).then(|| Message::new(format!("$aws/events/{kind}/{client_id}"), body.to_string()))
}
