//! What is said to a device.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Command, Execution, Timestamp, Topic};

/// A message that asks a device to do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where to.
    pub topic: Topic,
    /// Where the answer is expected.
    pub response_topic: Topic,
    /// The execution, as MQTT's correlation data.
    pub correlation: String,
    /// Not worth delivering after this many seconds.
    pub expiry: u32,
    /// JSON.
    pub body: Vec<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    // The id comes first: a device that echoes only the beginning of what it got still says which execution it means.
    execution_id: &'a str,
    attempt: u16,
    command: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
    ttl: u32,
    expires_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<u32>,
    response_topic: &'a str,
}

impl Request {
    /// The type of every request's body.
    pub const CONTENT_TYPE: &'static str = "application/json";

    /// The request for this execution of this command, sent at this time.
    pub fn new(command: &Command, execution: &Execution, now: Timestamp) -> Result<Self, serde_json::Error> {
        let thing = &execution.key.thing;
        let response_topic = Topic::response(thing);
        let body = serde_json::to_vec(&Envelope {
            execution_id: execution.key.id.as_str(),
            attempt: execution.attempt,
            command: command.definition.name.as_str(),
            payload: command.definition.payload.as_ref().map(|payload| payload.as_json()),
            ttl: command.definition.deadlines.ttl(),
            expires_at: execution.start_by.as_seconds(),
            heartbeat: execution.heartbeat,
            response_topic: response_topic.as_str(),
        })?;
        Ok(Self {
            topic: Topic::request(thing),
            correlation: execution.key.id.to_string(),
            expiry: now.seconds_until(execution.start_by).max(1),
            response_topic,
            body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Delivery, Payload, Report,
        execution::tests::{BORN, command},
    };

    #[test]
    fn the_envelope_is_as_devices_know_it() {
        let mut command = command(Delivery::Direct, Some(30));
        command.definition.payload = Payload::parse(r#"{"delay": 5.0}"#).ok();
        let execution = Execution::create(&command, &crate::execution::tests::thing(), crate::Via::Direct, 60);
        let request = Request::new(&command, &execution, BORN.plus_seconds(10)).unwrap();
        let id = execution.key.id.as_str();
        let expected = format!(
            r#"{{"executionId":"{id}","attempt":1,"command":"reboot","payload":{{"delay": 5.0}},"ttl":60,"expiresAt":1700000060,"heartbeat":30,"responseTopic":"cmd/pump-7/resp"}}"#
        );
        assert_eq!(String::from_utf8(request.body).unwrap(), expected);
        assert_eq!((request.topic.as_str(), request.expiry), ("cmd/pump-7/req", 50));
        assert_eq!((request.correlation.as_str(), request.response_topic.as_str()), (id, "cmd/pump-7/resp"));
    }

    #[test]
    fn what_is_not_given_is_left_out() {
        let command = command(Delivery::Topic, None);
        let execution = Execution::create(&command, &crate::execution::tests::thing(), crate::Via::Direct, 60);
        let body = Request::new(&command, &execution, BORN.plus_seconds(999)).unwrap();
        let text = String::from_utf8(body.body).unwrap();
        assert!(!text.contains("payload") && !text.contains("heartbeat"), "{text}");
        assert_eq!(body.expiry, 1, "0 would mean never");
    }

    #[test]
    fn a_device_that_echoes_it_has_answered() {
        let command = command(Delivery::Direct, None);
        let execution = Execution::create(&command, &crate::execution::tests::thing(), crate::Via::Direct, 60);
        let request = Request::new(&command, &execution, BORN).unwrap();
        let echo = format!("SUCCESS: command ran successfully from payload: b'{}'", request.body.escape_ascii());
        let report = Report::decode(request.response_topic.as_str(), echo.as_bytes()).unwrap();
        assert_eq!(report.execution, Some(execution.key.id));
    }

    #[test]
    fn the_largest_request_fits_a_message() {
        let mut command = command(Delivery::Direct, Some(600));
        let thing = crate::ThingName::parse(&"t".repeat(128)).unwrap();
        command.definition.name = crate::CommandName::parse(&"n".repeat(64)).unwrap();
        command.definition.payload = Payload::parse(&format!("\"{}\"", "x".repeat(Payload::LARGEST - 2))).ok();
        let execution = Execution::create(&command, &thing, crate::Via::Direct, 60);
        assert!(Request::new(&command, &execution, BORN).unwrap().body.len() <= 128 * 1024);
    }
}
