//! `CreateBody`: all of a body, validated.

use std::{borrow::Cow, time::Duration};

use domain::{
    CommandName, Deadlines, Definition, Delivery, ShadowRoute,
    fleet::{SelectionNames, SelectionOptions},
};
use runtime::handler_error::chain;
use serde_json::value::RawValue;

use super::{fleet::FleetFields, lane, message, retry, topics::Topics};
use crate::command_api::{fields::Fields, problem::Problem};

const KNOWN: &str = "name, payload, format, contentType, topic, target, delivery, shadow, ttl, timeout, heartbeat, retry, lane, supersede, \
                     rollout, abortConfig, schedule, broadcast, dryRun, strict, waitSeconds";
const SECONDS: &str = "a whole number of seconds";
const TARGET: &str = SelectionOptions::EXAMPLE;

/// Longest time that a request waits for the outcome. API Gateway itself gives up after 30 seconds.
const MAX_WAIT_SECONDS: u64 = 25;

/// A validated body.
#[derive(Debug)]
pub struct CreateBody {
    /// The command.
    pub definition: Definition,
    /// The names in the target of a fleet command, which are stored apart.
    pub names: SelectionNames,
    /// How long the caller waits for the outcome.
    pub wait: Duration,
    /// Whether the caller asks only for an estimate.
    pub dry_run: bool,
    /// Whether a listed thing that the registry does not have is refused.
    pub strict: bool,
}

/// Decodes and validates a body. `topics`: those that the stack allows.
pub fn decode(body: &[u8], topics: Topics<'_>) -> Result<CreateBody, Problem> {
    let mut fields = Fields::of_body(body)?;
    let name: Cow<str> = fields.require("name", "a text such as \"reboot\"")?;
    let target: &RawValue = fields.require("target", TARGET)?;
    let delivery: Option<Cow<str>> = fields.take("delivery", "direct, topic, shadow, auto or broadcast")?;
    let shadow: Option<Cow<str>> = fields.take("shadow", "a text such as \"map\" or \"state/config\"")?;
    let (payload, form) = message::take(&mut fields, topics)?;
    let ttl = fields.take_whole("ttl", SECONDS)?;
    let (timeout, heartbeat) = (fields.take_whole("timeout", SECONDS)?, fields.take_whole("heartbeat", SECONDS)?);
    let retry: Option<&RawValue> = fields.take("retry", retry::EXAMPLE)?;
    let lane: Option<&RawValue> = fields.take("lane", lane::EXAMPLE)?;
    let supersede = fields.take("supersede", "true or false")?.unwrap_or(false);
    let wait = fields.take_whole("waitSeconds", SECONDS)?;
    let fleet = FleetFields::take(&mut fields)?;
    let dry_run = fields.take("dryRun", "true or false")?.unwrap_or(false);
    let strict = fields.take("strict", "true or false")?.unwrap_or(false);
    fields.refuse_unknown(KNOWN)?;

    let deadlines = Deadlines::new(ttl, timeout, heartbeat)?;
    let ttl_seconds = deadlines.ttl_seconds();
    let delivery = delivery.as_deref().map(Delivery::parse).transpose()?;
    let (target, names) = fleet.decode_target(target, delivery, ttl_seconds, dry_run, topics.shared)?;
    let definition = Definition {
        name: CommandName::parse(&name).map_err(|error| Problem::bad_request("name", error.to_string()))?,
        payload,
        form,
        delivery: delivery.unwrap_or(Delivery::default_for(&target)),
        target,
        shadow: shadow.as_deref().map(decode_shadow).transpose()?,
        retry: retry.map(|retry| retry::decode(retry, ttl_seconds)).transpose()?,
        lane: lane.map(lane::decode).transpose()?,
        supersede,
        deadlines,
    };
    definition.check()?;
    let wait = decode_wait(wait)?;
    if definition.target.fleet().is_some() && !wait.is_zero() {
        let detail = "the executions of a fleet command do not end together: leave waitSeconds out, and read the state \
                      of the command";
        return Err(Problem::unprocessable("waitSeconds", detail));
    }
    Ok(CreateBody { definition, names, wait, dry_run, strict })
}

fn decode_wait(wait: Option<i64>) -> Result<Duration, Problem> {
    match u64::try_from(wait.unwrap_or(0)) {
        Ok(seconds @ 0..=MAX_WAIT_SECONDS) => Ok(Duration::from_secs(seconds)),
        _ => Err(Problem::bad_request("waitSeconds", format!("waitSeconds must be 0 to {MAX_WAIT_SECONDS}"))),
    }
}

fn decode_shadow(text: &str) -> Result<ShadowRoute, Problem> {
    ShadowRoute::parse(text).map_err(|error| Problem::bad_request("shadow", chain(&error)))
}
