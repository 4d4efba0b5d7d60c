//! Lifecycle events: what AWS IoT publishes about clients below `$aws/events/`.

use serde_json::{Value, json};

use super::link::Link;
use super::message::Message;

/// Why and how a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// One of AWS's disconnect reasons.
    pub(super) disconnect_reason: &'static str,
    /// What an MQTT 5 client is told; None when it hung up itself.
    pub(super) reason: Option<u8>,
    pub(super) client_initiated: bool,
    /// Whether the last will is published.
    pub(super) will: bool,
}

impl End {
    /// The client broke a rule, or the broker had another cause to hang up.
    pub(super) fn closed(disconnect_reason: &'static str, reason: u8) -> Self {
        Self { disconnect_reason, reason: Some(reason), client_initiated: false, will: true }
    }

    /// The connection broke.
    pub(super) fn lost() -> Self {
        Self { disconnect_reason: "CONNECTION_LOST", reason: None, client_initiated: false, will: true }
    }

    /// The client sent DISCONNECT.
    pub(super) fn disconnected(will: bool) -> Self {
        Self { disconnect_reason: "CLIENT_INITIATED_DISCONNECT", reason: None, client_initiated: true, will }
    }
}

/// `connected`. None for client ids that AWS has no events for.
pub(super) fn connected(client_id: &str, session_id: &str, link: &Link, now_ms: i64) -> Option<Message> {
    let mut body = body("connected", client_id, session_id, link, now_ms);
    body["versionNumber"] = link.version_number.into();
    if let Some(address) = link.peer.address {
        body["ipAddress"] = address.ip().to_string().into();
    }
    event("presence/connected", client_id, &body)
}

/// `disconnected`, with the version number of the `connected` before it.
pub(super) fn disconnected(client_id: &str, session_id: &str, link: &Link, end: End, now_ms: i64) -> Option<Message> {
    let mut body = body("disconnected", client_id, session_id, link, now_ms);
    body["versionNumber"] = link.version_number.into();
    body["clientInitiatedDisconnect"] = end.client_initiated.into();
    body["disconnectReason"] = end.disconnect_reason.into();
    event("presence/disconnected", client_id, &body)
}

/// `subscribed` or `unsubscribed`.
pub(super) fn subscriptions(
    event_type: &'static str,
    client_id: &str,
    session_id: &str,
    link: &Link,
    filters: &[String],
    now_ms: i64,
) -> Option<Message> {
    let mut body = body(event_type, client_id, session_id, link, now_ms);
    body["topics"] = filters.into();
    event(&format!("subscriptions/{event_type}"), client_id, &body)
}

fn body(event_type: &str, client_id: &str, session_id: &str, link: &Link, now_ms: i64) -> Value {
    json!({
        "clientId": client_id,
        "timestamp": now_ms,
        "eventType": event_type,
        "sessionIdentifier": session_id,
        // AWS knows no connection without a principal; the plain listener does.
        "principalIdentifier": link.peer.principal.as_deref().unwrap_or("anonymous"),
    })
}

fn event(kind: &str, client_id: &str, body: &Value) -> Option<Message> {
    (!client_id.contains(['#', '+'])).then(|| Message::new(format!("$aws/events/{kind}/{client_id}"), body.to_string()))
}
