//! The field `retry`: when a failed attempt is retried.

use std::borrow::Cow;

use domain::{Retry, RetryOptions};
use serde_json::value::RawValue;

use crate::command_api::{fields::Fields, problem::Problem};

pub const EXAMPLE: &str = r#"{"attempts": 3, "on": ["NO_RESPONSE"], "wait": 30, "backoff": {"base": 5, "cap": 300}}"#;
const SECONDS: &str = "a whole number of seconds";

pub fn decode(value: &RawValue, ttl_seconds: u32) -> Result<Retry, Problem> {
    let mut fields = Fields::of_object("retry", value, EXAMPLE)?;
    let attempts = fields.take_whole("attempts", "a whole number")?;
    let on: Option<Vec<Cow<str>>> = fields.take("on", "a list of reasons such as [\"NO_RESPONSE\", \"FAILED\"]")?;
    let wait = fields.take_whole("wait", SECONDS)?;
    let backoff = fields.take_object("backoff", r#"{"base": 5, "cap": 300}"#, |mut fields| {
        let limits = (fields.take_whole("base", SECONDS)?, fields.take_whole("cap", SECONDS)?);
        fields.refuse_unknown("base, cap")?;
        Ok(limits)
    })?;
    fields.refuse_unknown("attempts, on, wait, backoff")?;
    let (base, cap) = backoff.unwrap_or_default();
    let on = on.as_ref().map(|on| on.iter().map(AsRef::as_ref).collect());
    Ok(Retry::new(&RetryOptions { attempts, on, wait, base, cap }, ttl_seconds)?)
}
