//! A device's requests on MQTT topics, and their answers.

use local_broker::Message;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::device::{self, Answer, DocumentForm};
use super::device_error::{Code, DeviceError};
use super::transaction::Transaction;

/// The thing of a topic of Jobs, and what follows `jobs/`; `None` for every other topic, and for those that the service
/// itself publishes to.
pub(super) fn parse(topic: &str) -> Option<(&str, &str)> {
    let (thing, rest) = topic.strip_prefix("$aws/things/")?.split_once('/')?;
    let request = rest.strip_prefix("jobs/")?;
    let is_answer = request.ends_with("/accepted") || request.ends_with("/rejected");
    (!is_answer && !matches!(request, "notify" | "notify-next")).then_some((thing, request))
}

/// Executes the request on `topic`, and returns the answer to the client that asked.
pub(super) fn execute(
    transaction: &mut Transaction<'_>,
    topic: &str,
    (thing, request): (&str, &str),
    payload: &[u8],
) -> Message {
    let now_ms = transaction.now_ms;
    let mut token = None;
    let answer = read_members(payload).and_then(|members| {
        token = client_token(&members)?;
        run(transaction, thing, request, Value::Object(members))
    });
    let (suffix, mut body) = match answer {
        Ok(mut body) => {
            body["timestamp"] = now_ms.div_euclid(1_000).into();
            ("accepted", body)
        }
        Err(error) => ("rejected", error.payload(now_ms)),
    };
    if let Some(token) = token {
        body["clientToken"] = token.into();
    }
    Message::new(format!("{topic}/{suffix}"), body.to_string())
}

fn run(transaction: &mut Transaction<'_>, thing: &str, request: &str, members: Value) -> Answer {
    let form = DocumentForm::Json;
    match request.split('/').collect::<Vec<_>>().as_slice() {
        ["get"] => device::get_pending(transaction, thing),
        ["start-next"] => device::start_next(transaction, thing, read(members)?, form),
        [job_id, "get"] => device::describe(transaction, thing, job_id, &read(members)?, form),
        [job_id, "update"] => device::update(transaction, thing, job_id, read(members)?, form),
        _ => Err(DeviceError::new(Code::InvalidTopic, format!("jobs/{request} is not an operation of Jobs"))),
    }
}

/// The members of a payload; an empty one has none.
fn read_members(payload: &[u8]) -> Result<Map<String, Value>, DeviceError> {
    if payload.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(payload) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(DeviceError::invalid("The payload is not an object")),
        Err(error) => Err(DeviceError::new(Code::InvalidJson, format!("The payload is not JSON: {error}"))),
    }
}

fn client_token(members: &Map<String, Value>) -> Result<Option<String>, DeviceError> {
    match members.get("clientToken") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(token)) => Ok(Some(token.clone())),
        Some(_) => Err(DeviceError::invalid("clientToken is not a string")),
    }
}

fn read<T: DeserializeOwned>(members: Value) -> Result<T, DeviceError> {
    serde_json::from_value(members).map_err(|error| DeviceError::invalid(error.to_string()))
}
