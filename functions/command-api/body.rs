//! The body of `POST /commands`: what is asked for, once it is known to make sense.

use std::{borrow::Cow, time::Duration};

use domain::{
    Asked, CommandName, Deadlines, Definition, Delivery, Lane, LaneName, OnFailure, Payload, Retry, ShadowRoute,
    ThingName,
};
use serde_json::value::RawValue;

use super::{
    fields::{Fields, wrong},
    problem::Problem,
};
use crate::failure::chain;

/// What is designed, and still to come.
const NOT_OFFERED: [&str; 1] = ["format"];
const NOT_OFFERED_TARGETS: [&str; 3] = ["groups", "query", "exclude"];

const KNOWN: &str =
    "name, payload, target, delivery, shadow, ttl, timeout, heartbeat, retry, lane, supersede, waitSeconds";
const SECONDS: &str = "a whole number of seconds";
const TARGET: &str = r#"{"things": ["pump-7"]}"#;
const RETRY: &str = r#"{"attempts": 3, "on": ["NO_RESPONSE"], "wait": 30, "backoff": {"base": 5, "cap": 300}}"#;
const LANE: &str = r#"a name such as "valve", or an object such as {"name": "valve", "onFailure": "skip"}"#;

/// Someone waits for at most this long, in seconds; API Gateway itself gives up at 30.
const LONGEST_WAIT: u64 = 25;

/// What this body asks for, and how long the caller waits for the outcome.
pub fn decode(body: &[u8]) -> Result<(Definition, Duration), Problem> {
    let text = std::str::from_utf8(body).map_err(|_| Problem::bad_request("body", "the body is not UTF-8"))?;
    let mut fields = Fields::of_body(text)?;
    if let Some(field) = NOT_OFFERED.iter().find(|field| fields.has(field)) {
        return Err(Problem::unprocessable(field, format!("{field} is not offered yet")));
    }
    let name: Cow<str> = fields.need("name", "a text such as \"reboot\"")?;
    let target: &RawValue = fields.need("target", TARGET)?;
    let delivery: Option<Cow<str>> = fields.take("delivery", "direct, topic, shadow or auto")?;
    let shadow: Option<Cow<str>> = fields.take("shadow", "a text such as \"map\" or \"state/config\"")?;
    let payload: Option<&RawValue> = fields.take("payload", "JSON")?;
    let ttl = fields.take("ttl", SECONDS)?;
    let (timeout, heartbeat) = (fields.take("timeout", SECONDS)?, fields.take("heartbeat", SECONDS)?);
    let retry: Option<&RawValue> = fields.take("retry", RETRY)?;
    let lane: Option<&RawValue> = fields.take("lane", LANE)?;
    let supersede = fields.take("supersede", "true or false")?.unwrap_or(false);
    let wait: Option<i64> = fields.take("waitSeconds", SECONDS)?;
    for field in NOT_OFFERED {
        fields.take::<&RawValue>(field, "left out")?;
    }
    fields.end(KNOWN)?;

    let deadlines = Deadlines::new(ttl, timeout, heartbeat)?;
    let definition = Definition {
        name: CommandName::parse(&name).map_err(|error| Problem::bad_request("name", error.to_string()))?,
        payload: payload.map(|json| Payload::parse(json.get())).transpose()?,
        thing: decode_target(target)?,
        delivery: delivery.as_deref().map(Delivery::parse).transpose()?.unwrap_or_default(),
        shadow: shadow.as_deref().map(decode_shadow).transpose()?,
        retry: retry.map(|retry| decode_retry(retry, deadlines.ttl())).transpose()?,
        lane: lane.map(decode_lane).transpose()?,
        supersede,
        deadlines,
    };
    if definition.shadow.is_some() && definition.delivery != Delivery::Shadow {
        return Err(Problem::unprocessable("shadow", "shadow says in which shadow: it needs delivery shadow"));
    }
    if definition.supersede && definition.lane.is_none() {
        return Err(Problem::unprocessable(
            "supersede",
            "supersede takes the place of what waits in a lane: name a lane",
        ));
    }
    Ok((definition, decode_wait(wait)?))
}

fn decode_wait(wait: Option<i64>) -> Result<Duration, Problem> {
    match u64::try_from(wait.unwrap_or(0)) {
        Ok(seconds @ 0..=LONGEST_WAIT) => Ok(Duration::from_secs(seconds)),
        _ => Err(Problem::bad_request("waitSeconds", format!("waitSeconds must be 0 to {LONGEST_WAIT}"))),
    }
}

fn decode_target(value: &RawValue) -> Result<ThingName, Problem> {
    let mut fields = Fields::of("target", value, TARGET)?;
    if let Some(field) = NOT_OFFERED_TARGETS.iter().find(|field| fields.has(field)) {
        return Err(Problem::unprocessable("target", format!("a target with {field} is not offered yet")));
    }
    for field in NOT_OFFERED_TARGETS {
        fields.take::<&RawValue>(field, "left out")?;
    }
    let things: Vec<Cow<str>> = fields.need("things", "a list such as [\"pump-7\"]")?;
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

fn decode_shadow(text: &str) -> Result<ShadowRoute, Problem> {
    ShadowRoute::parse(text).map_err(|error| Problem::bad_request("shadow", chain(&error)))
}

fn decode_retry(value: &RawValue, ttl: u32) -> Result<Retry, Problem> {
    let mut fields = Fields::of("retry", value, RETRY)?;
    let attempts = fields.take("attempts", "a whole number")?;
    let on: Option<Vec<Cow<str>>> = fields.take("on", "a list of reasons such as [\"NO_RESPONSE\", \"FAILED\"]")?;
    let wait = fields.take("wait", SECONDS)?;
    let backoff: Option<&RawValue> = fields.take("backoff", "an object")?;
    fields.end("attempts, on, wait, backoff")?;
    let (base, cap) = match backoff {
        None => (None, None),
        Some(value) => {
            let mut fields = Fields::of("retry.backoff", value, r#"{"base": 5, "cap": 300}"#)?;
            let limits = (fields.take("base", SECONDS)?, fields.take("cap", SECONDS)?);
            fields.end("base, cap")?;
            limits
        }
    };
    let on = on.as_ref().map(|on| on.iter().map(AsRef::as_ref).collect());
    Ok(Retry::new(&Asked { attempts, on, wait, base, cap }, ttl)?)
}

fn decode_lane(value: &RawValue) -> Result<Lane, Problem> {
    let named =
        |field: &str, name: &str| LaneName::parse(name).map_err(|error| Problem::bad_request(field, error.to_string()));
    match value.get().bytes().next() {
        Some(b'"') => {
            let name: Cow<str> = serde_json::from_str(value.get()).map_err(|_| wrong("lane", LANE, value))?;
            Ok(Lane { name: named("lane", &name)?, on_failure: OnFailure::default() })
        }
        Some(b'{') => {
            let mut fields = Fields::of("lane", value, r#"{"name": "valve", "onFailure": "skip"}"#)?;
            let name: Cow<str> = fields.need("name", "a text such as \"valve\"")?;
            let on_failure: Option<Cow<str>> = fields.take("onFailure", "stop or skip")?;
            fields.end("name, onFailure")?;
            let on_failure = match on_failure.as_deref() {
                None => OnFailure::default(),
                Some(word) => OnFailure::parse(word)
                    .ok_or_else(|| Problem::bad_request("lane.onFailure", "lane.onFailure must be stop or skip"))?,
            };
            Ok(Lane { name: named("lane.name", &name)?, on_failure })
        }
        _ => Err(wrong("lane", LANE, value)),
    }
}
