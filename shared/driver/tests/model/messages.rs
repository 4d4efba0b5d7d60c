//! Messages on their way: requests and cancel notices to the device, reports from it.

use domain::{Channel, Command, ExecutionId, Report, ShadowEvent, ShadowName, ShadowRoute, Timestamp};
use serde_json::{Value, json};

use super::scenario::thing;

/// A message to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ToDevice {
    Request { n: usize, attempt: u16, expires_at: i64 },
    CancelNotice { n: usize, attempt: u16 },
}

/// A report of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportMessage {
    pub n: usize,
    pub attempt: u16,
    pub status: ReportStatus,
    /// When it first arrived. A handler that crashes is started again with the same time.
    pub arrived_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportStatus {
    /// With the number of the heartbeat.
    InProgress(u8),
    Succeeded,
    Failed,
    Rejected,
}

/// The wake of a due entry, which comes at its time or later, or never. Times are in seconds from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WakeMessage {
    pub n: usize,
    /// The entry.
    pub due: i64,
    pub at: i64,
}

/// An event of a shadow of the thing, whose `reported` section is this.
pub fn shadow_event(shadow: Option<&ShadowName>, reported: &Value, received_at: Timestamp) -> ShadowEvent {
    let (thing, received_at, state) = (thing(), received_at.as_millis(), json!({ "reported": reported }));
    let mut event = json!({ "thing": thing.as_str(), "version": 1, "receivedAt": received_at, "state": state });
    if let Some(shadow) = shadow {
        event["shadow"] = json!(shadow.as_str());
    }
    ShadowEvent::decode(&event.to_string()).unwrap()
}

/// A command in the dialect atlas, as a device echoes it.
fn in_atlas(topic: &str) -> Value {
    json!({ "command": [{ "reboot": { "message": "", "topic": topic, "ttl": 1 } }] })
}

/// What another application, or a device that mirrors everything, writes into a shadow, and is no report about the
/// execution with this id, which is sent on this channel.
pub fn echoes(channel: &Channel, id: &ExecutionId) -> Vec<(Option<ShadowName>, Value)> {
    let map = Some(ShadowName::commands());
    let success = json!({ "status": "SUCCEEDED" });
    let mut echoes = vec![
        // Commands of others; and a request that is mirrored.
        (None, in_atlas("elsewhere")),
        (
            map.clone(),
            json!({ "c": { "zyxwvutsrqponmlkjihgfedcba": success, id.as_str(): { "attempt": 1, "ttl": 5 } } }),
        ),
    ];
    // Reports in another dialect than that of the request.
    if *channel != Channel::Shadow(ShadowRoute::Atlas) {
        echoes.push((None, in_atlas(&format!("cmd/pump-7/resp/{id}"))));
    }
    if *channel != Channel::Shadow(ShadowRoute::default()) {
        echoes.push((map, json!({ "c": { id.as_str(): success } })));
    }
    echoes
}

impl ReportMessage {
    /// The event of the shadow in which the report comes; none if it comes in a message.
    pub fn in_shadow(&self, commands: &[Command], received_at: Timestamp) -> Option<ShadowEvent> {
        let id = commands[self.n].key_at(&thing()).id;
        let (status, seq) = self.status_and_seq();
        match commands[self.n].definition.shadow.as_ref()? {
            ShadowRoute::Map(shadow) => {
                let report = json!({ "status": status, "attempt": self.attempt, "seq": seq });
                Some(shadow_event(Some(shadow), &json!({ "c": { id.as_str(): report } }), received_at))
            }
            ShadowRoute::Atlas if self.status == ReportStatus::Succeeded => {
                Some(shadow_event(None, &in_atlas(&format!("cmd/pump-7/resp/{id}")), received_at))
            }
            ShadowRoute::Atlas | ShadowRoute::State(_) => None,
        }
    }

    fn status_and_seq(&self) -> (&'static str, u8) {
        match self.status {
            ReportStatus::InProgress(seq) => ("IN_PROGRESS", seq),
            ReportStatus::Succeeded => ("SUCCEEDED", 0),
            ReportStatus::Failed => ("FAILED", 0),
            ReportStatus::Rejected => ("REJECTED", 0),
        }
    }

    /// The report, decoded from its message.
    pub fn report(&self, commands: &[Command]) -> Report {
        let key = commands[self.n].key_at(&thing());
        let (status, seq) = self.status_and_seq();
        let text =
            format!(r#"{{"executionId":"{}","attempt":{},"status":"{status}","seq":{seq}}}"#, key.id, self.attempt);
        Report::decode("cmd/pump-7/resp", text.as_bytes()).unwrap()
    }
}
