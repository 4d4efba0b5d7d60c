//! The history of an execution as the API shows it: its timeline as JSON.

use domain::{TimelineEntry, TimelineEvent};
use runtime::time_format;
use serde::Serialize;

/// One entry of the history.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_reason: Option<String>,
    attempt: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl From<TimelineEntry> for Entry {
    fn from(entry: TimelineEntry) -> Self {
        let known = Self {
            at: time_format::show(entry.at),
            attempt: entry.attempt,
            by: entry.actor.map(|actor| actor.to_string()),
            via: entry.channel,
            why: entry.why,
            ..Self::default()
        };
        match entry.event {
            TimelineEvent::Status { status, reason, device_reason } => {
                Self { status: Some(status.as_str()), reason, device_reason, ..known }
            }
            TimelineEvent::Delivery(delivery) => Self { delivery_status: Some(delivery.as_str()), ..known },
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Actor, DeliveryStatus, Status, Timestamp};
    use serde_json::json;

    use super::*;

    fn json(event: TimelineEvent, actor: Option<Actor>, channel: Option<&str>) -> serde_json::Value {
        let (at, channel) = (Timestamp::from_millis(1_700_000_000_123), channel.map(str::to_owned));
        serde_json::to_value(Entry::from(TimelineEntry { at, attempt: 2, event, actor, channel, why: None }))
            .expect("JSON")
    }

    #[test]
    fn entry_has_the_members_that_it_has_values_for() {
        let (reason, device_reason) = (Some("FAILED".to_owned()), Some("LOW_BATTERY".to_owned()));
        let retried = TimelineEvent::Status { status: Status::Created, reason, device_reason };
        assert_eq!(
            json(retried, None, None),
            json!({
                "at": "2023-11-14T22:13:20.123Z", "attempt": 2, "status": "CREATED", "reason": "FAILED",
                "deviceReason": "LOW_BATTERY"
            })
        );
        let sent = TimelineEvent::Delivery(DeliveryStatus::Sent);
        assert_eq!(
            json(sent, Some(Actor::function("dispatch-commands")), Some("topic")),
            json!({
                "at": "2023-11-14T22:13:20.123Z", "attempt": 2, "deliveryStatus": "SENT", "by": "dispatch-commands",
                "via": "topic"
            })
        );
    }
}
