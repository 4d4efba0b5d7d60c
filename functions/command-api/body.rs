//! The body of `POST /commands`, a field at a time, so that every error names its field.

use std::{collections::BTreeMap, time::Duration};

use domain::{CommandName, Deadlines, Definition, Delivery, Payload, ThingName};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::problem::Problem;

/// What is designed, and still to come.
const NOT_OFFERED: [&str; 4] = ["retry", "lane", "supersede", "format"];
const NOT_OFFERED_TARGETS: [&str; 3] = ["groups", "query", "exclude"];

/// Someone waits for at most this long, in seconds; API Gateway itself gives up at 30.
const LONGEST_WAIT: u64 = 25;

/// What this body asks for, and how long the caller waits for the outcome.
pub fn decode(body: &[u8]) -> Result<(Definition, Duration), Problem> {
    let text = std::str::from_utf8(body).map_err(|_| Problem::bad_request("body", "the body is not UTF-8"))?;
    let mut fields = Fields::parse("body", text)?;
    if let Some(field) = NOT_OFFERED.iter().find(|field| fields.0.contains_key(**field)) {
        return Err(Problem::unprocessable(field, format!("{field} is not offered yet")));
    }
    let name: String = fields.take("name")?.ok_or_else(|| missing("name", "\"reboot\""))?;
    let target: &RawValue = fields.take("target")?.ok_or_else(|| missing("target", "{\"things\": [\"pump-7\"]}"))?;
    let delivery: Option<String> = fields.take("delivery")?;
    let payload: Option<&RawValue> = fields.take("payload")?;
    let (ttl, timeout, heartbeat) = (fields.take("ttl")?, fields.take("timeout")?, fields.take("heartbeat")?);
    let wait: Option<u64> = fields.take("waitSeconds")?;
    fields.end("name, payload, target, delivery, ttl, timeout, heartbeat, waitSeconds")?;
    let wait = match wait.unwrap_or(0) {
        seconds @ 0..=LONGEST_WAIT => Duration::from_secs(seconds),
        _ => return Err(Problem::bad_request("waitSeconds", format!("waitSeconds must be 0 to {LONGEST_WAIT}"))),
    };
    let definition = Definition {
        name: CommandName::parse(&name).map_err(|error| Problem::bad_request("name", error.to_string()))?,
        payload: payload.map(|json| Payload::parse(json.get())).transpose()?,
        thing: decode_target(target.get())?,
        delivery: delivery.as_deref().map(Delivery::parse).transpose()?.unwrap_or_default(),
        shadow: None,
        deadlines: Deadlines::new(ttl, timeout, heartbeat)?,
        retry: None,
        lane: None,
        supersede: false,
    };
    Ok((definition, wait))
}

fn decode_target(text: &str) -> Result<ThingName, Problem> {
    let mut fields = Fields::parse("target", text)?;
    if let Some(field) = NOT_OFFERED_TARGETS.iter().find(|field| fields.0.contains_key(**field)) {
        return Err(Problem::unprocessable("target", format!("a target with {field} is not offered yet")));
    }
    let things: Vec<String> = fields.take("things")?.ok_or_else(|| missing("target.things", "[\"pump-7\"]"))?;
    fields.end("things")?;
    match things.as_slice() {
        [] => Err(Problem::unprocessable("target.things", "a command needs a thing")),
        [thing] => ThingName::parse(thing).map_err(|error| Problem::unprocessable("target.things", error.to_string())),
        more => Err(Problem::unprocessable(
            "target.things",
            format!("a command for {} things is not offered yet: name one", more.len()),
        )),
    }
}

/// The fields of an object that nobody has asked for yet.
struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    fn parse(what: &str, text: &'a str) -> Result<Self, Problem> {
        serde_json::from_str(text)
            .map(Self)
            .map_err(|error| Problem::bad_request(what, format!("{what} must be a JSON object: {error}")))
    }

    /// The field, if it is there and not null.
    fn take<T: Deserialize<'a>>(&mut self, field: &str) -> Result<Option<T>, Problem> {
        match self.0.remove(field) {
            None => Ok(None),
            Some(raw) => serde_json::from_str(raw.get())
                .map_err(|error| Problem::bad_request(field, format!("{field} has the wrong type: {error}"))),
        }
    }

    fn end(self, known: &str) -> Result<(), Problem> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(field) => {
                let shown: String = field.chars().take(64).collect();
                Err(Problem::bad_request(&shown, format!("{shown:?} is not a field here; known are: {known}")))
            }
        }
    }
}

fn missing(field: &str, example: &str) -> Problem {
    Problem::bad_request(field, format!("{field} is missing, such as {example}"))
}
