//! The field `retry`: when a failed attempt is retried.

use std::borrow::Cow;

use domain::{Retry, RetryOptions};
use serde_json::value::RawValue;

use crate::command_api::{fields::Fields, problem::Problem};

pub const EXAMPLE: &str = r#"{"attempts": 3, "on": ["NO_RESPONSE"], "wait": 30, "backoff": {"base": 5, "cap": 300}}"#;
const SECONDS: &str = "a whole number of seconds";

pub fn decode(value: &RawValue, ttl_seconds: u32) -> Result<Retry, Problem> {
    let mut fields = Fields::of_object("retry", value, EXAMPLE)?;
    let attempts = fields.take("attempts", "a whole number")?;
    let on: Option<Vec<Cow<str>>> = fields.take("on", "a list of reasons such as [\"NO_RESPONSE\", \"FAILED\"]")?;
    let wait = fields.take("wait", SECONDS)?;
    let backoff: Option<&RawValue> = fields.take("backoff", "an object")?;
    fields.refuse_unknown("attempts, on, wait, backoff")?;
    let (base, cap) = match backoff {
        None => (None, None),
        Some(value) => {
            let mut fields = Fields::of_object("retry.backoff", value, r#"{"base": 5, "cap": 300}"#)?;
            let limits = (fields.take("base", SECONDS)?, fields.take("cap", SECONDS)?);
            fields.refuse_unknown("base, cap")?;
            limits
        }
    };
    let on = on.as_ref().map(|on| on.iter().map(AsRef::as_ref).collect());
    Ok(Retry::new(&RetryOptions { attempts, on, wait, base, cap }, ttl_seconds)?)
}
