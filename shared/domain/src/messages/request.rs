//! The request: the message that asks a device to run a command.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::command::row::Command;
use crate::execution::row::Execution;
use crate::timestamp::Timestamp;
use crate::topic::Topic;

/// The message that asks a device to run one attempt of an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The topic that the device receives requests on.
    pub topic: Topic,
    /// The topic that the device reports on: MQTT's response topic.
    pub response_topic: Topic,
    /// The execution's id, as MQTT's correlation data.
    pub correlation_data: String,
    /// MQTT's message expiry interval in seconds, at least 1: the broker drops the request when it has passed.
    pub expiry_seconds: u32,
    /// MQTT's content type.
    pub content_type: String,
    /// The body: JSON, or the bytes that the caller gave.
    pub body: Vec<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    // The id comes first: a device that echoes only the beginning of a request still names its execution.
    execution_id: &'a str,
    attempt: u16,
    command: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
    ttl: u32,
    expires_at: i64,
    // Seconds since 1970, as the expiry.
    issued_at: i64,
    // The same in milliseconds: of two requests to a thing, the one with the greater number was issued later.
    sequence: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<u32>,
    response_topic: &'a str,
}

impl Request {
    /// MQTT's content type of every request that is not raw.
    pub const CONTENT_TYPE: &'static str = "application/json";

    /// The request for the current attempt of an execution, sent at `now`.
    ///
    /// # Errors
    ///
    /// If the body can't be serialised, which no command that was accepted causes.
    pub fn new(command: &Command, execution: &Execution, now: Timestamp) -> Result<Self, serde_json::Error> {
        let thing = &execution.key.thing;
        let response_topic = Topic::response(thing);
        let form = &command.definition.form;
        let (content_type, body) = match &form.raw {
            Some(raw) => (raw.content_type(), raw.bytes().to_vec()),
            None => (Self::CONTENT_TYPE, Self::json(command, execution, &response_topic)?),
        };
        Ok(Self {
            topic: form.topic_of(thing),
            correlation_data: execution.key.id.to_string(),
            // MQTT takes 0 for "never expires".
            expiry_seconds: now.seconds_until(execution.start_by).max(1),
            response_topic,
            content_type: content_type.to_owned(),
            body,
        })
    }

    fn json(command: &Command, execution: &Execution, response_topic: &Topic) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Body {
            execution_id: execution.key.id.as_str(),
            attempt: execution.attempt,
            command: command.definition.name.as_str(),
            payload: command.definition.payload.as_ref().map(|payload| payload.as_json()),
            ttl: execution.start_seconds(),
            expires_at: execution.start_by.as_seconds(),
            issued_at: execution.created_at.as_seconds(),
            sequence: execution.created_at.as_millis(),
            heartbeat: execution.heartbeat_seconds,
            response_topic: response_topic.as_str(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::delivery::Delivery;
    use crate::command::payload::Payload;
    use crate::command::raw_payload::RawPayload;
    use crate::execution::channel::Channel;
    use crate::execution::fixtures::{CREATED_AT, command, thing};
    use crate::messages::report::device_report::Report;
    use crate::names::{CommandName, ThingName};
    use crate::request_topic::RequestTopic;

    #[test]
    fn the_body_has_the_members_that_devices_expect() {
        let mut command = command(Delivery::Direct, Some(30));
        command.definition.payload = Payload::parse(r#"{"delay": 5.0}"#).ok();
        let execution = Execution::create(&command, &thing(), Channel::Direct);
        let request = Request::new(&command, &execution, CREATED_AT.plus_seconds(10)).unwrap();
        let id = execution.key.id.as_str();
        let expected = format!(
            r#"{{"executionId":"{id}","attempt":1,"command":"reboot","payload":{{"delay": 5.0}},"ttl":60,"expiresAt":1700000060,"issuedAt":1700000000,"sequence":1700000000123,"heartbeat":30,"responseTopic":"cmd/pump-7/resp"}}"#
        );
        assert_eq!(String::from_utf8(request.body).unwrap(), expected);
        assert_eq!((request.topic.as_str(), request.expiry_seconds), ("cmd/pump-7/req", 50));
        assert_eq!((request.correlation_data.as_str(), request.response_topic.as_str()), (id, "cmd/pump-7/resp"));
    }

    #[test]
    fn a_raw_request_has_the_bytes_of_the_caller_on_the_topic_of_the_caller() {
        let mut command = command(Delivery::Topic, None);
        command.definition.form.raw = RawPayload::parse("bGlnaHQ6IG9u", Some("text/plain")).ok();
        let execution = Execution::create(&command, &thing(), Channel::Topic);
        let request = Request::new(&command, &execution, CREATED_AT).unwrap();
        assert_eq!((request.topic.as_str(), request.content_type.as_str()), ("cmd/pump-7/req", "text/plain"));
        assert_eq!(request.body, b"light: on");
        assert_eq!(request.correlation_data, execution.key.id.as_str());
        command.definition.form.topic = RequestTopic::parse("lights/{thing}/set").ok();
        let request = Request::new(&command, &execution, CREATED_AT).unwrap();
        assert_eq!((request.topic.as_str(), request.response_topic.as_str()), ("lights/pump-7/set", "cmd/pump-7/resp"));
    }

    #[test]
    fn absent_members_are_left_out() {
        let command = command(Delivery::Topic, None);
        let execution = Execution::create(&command, &thing(), Channel::Direct);
        let request = Request::new(&command, &execution, CREATED_AT.plus_seconds(999)).unwrap();
        let text = String::from_utf8(request.body).unwrap();
        assert!(!text.contains("payload") && !text.contains("heartbeat"), "{text}");
        assert_eq!(request.expiry_seconds, 1, "0 would mean that it never expires");
    }

    #[test]
    fn an_echoed_request_is_a_report_about_its_execution() {
        let command = command(Delivery::Direct, None);
        let execution = Execution::create(&command, &thing(), Channel::Direct);
        let request = Request::new(&command, &execution, CREATED_AT).unwrap();
        let echo = format!("SUCCESS: command ran successfully from payload: b'{}'", request.body.escape_ascii());
        let report = Report::decode(request.response_topic.as_str(), echo.as_bytes()).unwrap();
        assert_eq!(report.execution, Some(execution.key.id));
    }

    #[test]
    fn the_largest_request_fits_a_message() {
        let mut command = command(Delivery::Direct, Some(600));
        let thing = ThingName::parse(&"t".repeat(128)).unwrap();
        command.definition.name = CommandName::parse(&"n".repeat(64)).unwrap();
        command.definition.payload = Payload::parse(&format!("\"{}\"", "x".repeat(Payload::MAX_BYTES - 2))).ok();
        let execution = Execution::create(&command, &thing, Channel::Direct);
        assert!(Request::new(&command, &execution, CREATED_AT).unwrap().body.len() <= 128 * 1024);
    }
}
