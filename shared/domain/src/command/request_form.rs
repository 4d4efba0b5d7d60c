//! What a request of a command looks like: by default JSON of ours, on the request topic of its thing.

use crate::command::raw_payload::RawPayload;
use crate::names::ThingName;
use crate::request_topic::RequestTopic;
use crate::topic::Topic;

/// The form of a command's requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestForm {
    /// The whole request, byte for byte; none: JSON with the payload and what tells a device of its execution.
    pub raw: Option<RawPayload>,
    /// The topic of the caller's choice; none: the request topic of the thing.
    pub topic: Option<RequestTopic>,
}

impl RequestForm {
    /// The topic that a thing receives the request on.
    pub fn topic_of(&self, thing: &ThingName) -> Topic {
        self.topic.as_ref().map_or_else(|| Topic::request(thing), |topic| topic.of(thing))
    }

    /// Whether the device can recognise a request that it receives again: a raw one has no id.
    pub const fn names_execution(&self) -> bool {
        self.raw.is_none()
    }

    /// The form as text, for the fingerprint: no two forms give the same; empty for the default.
    pub(crate) fn to_text(&self) -> String {
        let topic = self.topic.as_ref().map(|topic| format!(" topic {topic}")).unwrap_or_default();
        let raw = self.raw.as_ref().map(|raw| format!(" raw {} {}", raw.to_base64(), raw.content_type()));
        topic + &raw.unwrap_or_default()
    }
}
