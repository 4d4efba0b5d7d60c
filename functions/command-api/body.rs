//! The body of `POST /commands`: what is asked for, once it is known to make sense.

use std::{borrow::Cow, time::Duration};

use domain::{CommandName, Deadlines, Definition, Delivery, Lane, LaneName, OnFailure, Payload, Retry, ShadowRoute};
use serde_json::value::RawValue;

use super::{
    fields::{Fields, wrong},
    fleet::{FleetBody, Names},
    problem::Problem,
};
use crate::failure::chain;

/// What is designed, and still to come.
const NOT_OFFERED: [&str; 1] = ["format"];

const KNOWN: &str = "name, payload, target, delivery, shadow, ttl, timeout, heartbeat, retry, lane, supersede, rollout, abortConfig, schedule, broadcast, dryRun, waitSeconds";
const SECONDS: &str = "a whole number of seconds";
pub const TARGET: &str = r#"{"things": ["pump-7"]}, {"groups": ["pumps"]} or {"query": "attributes.model:p1"}"#;
const RETRY: &str = r#"{"attempts": 3, "on": ["NO_RESPONSE"], "wait": 30, "backoff": {"base": 5, "cap": 300}}"#;
const LANE: &str = r#"a name such as "valve", or an object such as {"name": "valve", "onFailure": "skip"}"#;

/// Someone waits for at most this long, in seconds; API Gateway itself gives up at 30.
const LONGEST_WAIT: u64 = 25;

/// What a body asks for.
#[derive(Debug)]
pub struct Asked {
    /// What.
    pub definition: Definition,
    /// The names in its target, which are stored apart.
    pub names: Names,
    /// How long the caller waits for the outcome.
    pub wait: Duration,
    /// Whether it is only to be said what would happen.
    pub dry_run: bool,
}

/// What this body asks for.
pub fn decode(body: &[u8], broadcast_topic: Option<&str>) -> Result<Asked, Problem> {
    let mut fields = Fields::of_body(body)?;
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
    let fleet = FleetBody::take(&mut fields)?;
    let dry_run = fields.take("dryRun", "true or false")?.unwrap_or(false);
    for field in NOT_OFFERED {
        fields.take::<&RawValue>(field, "left out")?;
    }
    fields.end(KNOWN)?;

    let deadlines = Deadlines::new(ttl, timeout, heartbeat)?;
    let delivery_asked = delivery.as_deref().map(Delivery::parse).transpose()?;
    let (target, names) = fleet.decode(target, delivery_asked, deadlines.ttl(), dry_run, broadcast_topic)?;
    let of_fleet = if target.fleet().is_some() { Delivery::Topic } else { Delivery::default() };
    let definition = Definition {
        name: CommandName::parse(&name).map_err(|error| Problem::bad_request("name", error.to_string()))?,
        payload: payload.map(|json| Payload::parse(json.get())).transpose()?,
        target,
        delivery: delivery_asked.unwrap_or(of_fleet),
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
    let wait = decode_wait(wait)?;
    if definition.target.fleet().is_some() && !wait.is_zero() {
        let why = "many things do not end together: leave waitSeconds out, and read how the command stands";
        return Err(Problem::unprocessable("waitSeconds", why));
    }
    Ok(Asked { definition, names, wait, dry_run })
}

fn decode_wait(wait: Option<i64>) -> Result<Duration, Problem> {
    match u64::try_from(wait.unwrap_or(0)) {
        Ok(seconds @ 0..=LONGEST_WAIT) => Ok(Duration::from_secs(seconds)),
        _ => Err(Problem::bad_request("waitSeconds", format!("waitSeconds must be 0 to {LONGEST_WAIT}"))),
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
    Ok(Retry::new(&domain::Asked { attempts, on, wait, base, cap }, ttl)?)
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
