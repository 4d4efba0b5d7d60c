//! A message, its MQTT 5 properties, and its publisher: the types that the services exchange.

use bytes::Bytes;

/// One published message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The topic, never a filter.
    pub topic: String,
    /// At most 128 KB together with the properties.
    pub payload: Bytes,
    /// 0 or 1: AWS IoT Core does not support QoS 2.
    pub qos: u8,
    /// Whether the broker stores it as the topic's retained message.
    pub retain: bool,
    /// MQTT 5 properties.
    pub properties: Properties,
}

impl Message {
    /// A QoS 1 message without properties.
    pub fn new(topic: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self { topic: topic.into(), payload: payload.into(), qos: 1, retain: false, properties: Properties::default() }
    }
}

impl Message {
    /// Bytes that count against the limit of 128 KB: payload and encoded properties.
    pub(super) fn size(&self) -> usize {
        self.payload.len() + self.properties.size()
    }

    /// Expiry of a message published at `at_ms`, both in milliseconds since 1970.
    pub(super) fn expires_at_ms(&self, at_ms: i64) -> Option<i64> {
        self.properties.message_expiry_s.map(|seconds| at_ms.saturating_add(i64::from(seconds) * 1_000))
    }
}

/// MQTT 5 publish properties. An MQTT 3.1.1 receiver gets none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// MIME type of the payload.
    pub content_type: Option<String>,
    /// Topic for the answer.
    pub response_topic: Option<String>,
    /// Opaque bytes that the answer repeats.
    pub correlation_data: Option<Bytes>,
    /// Seconds after which a queued message is dropped; `None`: no expiry.
    pub message_expiry_s: Option<u32>,
    /// Whether the payload is declared to be UTF-8.
    pub utf8: bool,
    /// Name and value pairs in order; names may repeat.
    pub user: Vec<(String, String)>,
}

impl Properties {
    /// The first property longer than 65535 bytes, the maximum of MQTT, and its length.
    pub(super) fn find_too_long(&self) -> Option<(&'static str, usize)> {
        let texts = [("the content type", &self.content_type), ("the response topic", &self.response_topic)];
        let texts = texts.into_iter().filter_map(|(property, text)| Some((property, text.as_ref()?.len())));
        let correlation = self.correlation_data.iter().map(|data| ("the correlation data", data.len()));
        let user = self.user.iter().map(|(name, value)| ("a user property", name.len().max(value.len())));
        texts.chain(correlation).chain(user).find(|(_, bytes)| *bytes > usize::from(u16::MAX))
    }

    fn size(&self) -> usize {
        let texts = [&self.content_type, &self.response_topic].into_iter().flatten().map(|text| 3 + text.len());
        let correlation = self.correlation_data.iter().map(|data| 3 + data.len());
        let user = self.user.iter().map(|(name, value)| 5 + name.len() + value.len());
        let fixed = 2 * usize::from(self.utf8) + 5 * usize::from(self.message_expiry_s.is_some());
        fixed + texts.chain(correlation).chain(user).sum::<usize>()
    }
}

/// The publisher of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publisher {
    /// The MQTT client id; `None` for the HTTPS data plane and for AWS services.
    pub client_id: Option<String>,
    /// The certificate id of a mutual TLS connection.
    pub principal: Option<String>,
}

/// A message that the broker accepted, as taps receive it. Includes Basic Ingest (`$aws/rules/...`) and last wills.
#[derive(Clone, Debug)]
pub struct Published {
    /// The message, under the topic that the publisher used.
    pub message: Message,
    /// The publisher; default for AWS services and the HTTPS data plane.
    pub publisher: Publisher,
    /// Time of acceptance, in milliseconds since 1970.
    pub at_ms: i64,
    /// Whether it is a last will. The shadow service ignores last wills; subscribers and rules receive them.
    pub last_will: bool,
}
