//! The fields `rollout`, `abortConfig` and `schedule`: how fast, until which failures and when a fleet command is sent.

use std::borrow::Cow;

use domain::{
    Abort, Rollout, Schedule, Timestamp,
    fleet::{CriterionOptions, NewRate, RolloutError, Window},
};
use runtime::time_format;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::command_api::{fields::Fields, problem::Problem};

pub const ROLLOUT: &str =
    r#"{"maximumPerMinute": 1000, "canary": {"things": 10}, "waves": {"percentages": [10, 50, 100]}}"#;
pub const RATE: &str = r#"{"maximumPerMinute": 1000}"#;
pub const ABORT: &str = "{\"criteriaList\": [{\"failureType\": \"FAILED\", \"action\": \"CANCEL\", \
                         \"thresholdPercentage\": 10, \"minNumberOfExecutedThings\": 100}]}";
pub const SCHEDULE: &str = r#"{"notBefore": "2030-01-01T22:00:00Z", "window": {"start": "22:00", "end": "04:00"}}"#;
const WINDOW: &str = r#"{"start": "22:00", "end": "04:00", "offset": "+02:00"}"#;
const TIME: &str = "a time such as \"2030-01-01T22:00:00Z\"";

/// Decodes a rollout that the caller gave under this name, which its errors use.
pub fn decode_rollout(name: &str, value: &RawValue) -> Result<Rollout, Problem> {
    Rollout::new(&decode_options(name, value, ROLLOUT)?).map_err(|error| rollout_problem(name, &error))
}

/// As [`decode_rollout`], for the new rate of a rollout.
pub fn decode_rate(name: &str, value: &RawValue) -> Result<NewRate, Problem> {
    NewRate::new(&decode_options(name, value, RATE)?).map_err(|error| rollout_problem(name, &error))
}

fn rollout_problem(name: &str, error: &RolloutError) -> Problem {
    let renamed = |text: &str| match text.strip_prefix("rollout ") {
        Some(rest) => format!("{name} {rest}"),
        None => text.replace("rollout.", &format!("{name}.")),
    };
    let field = if error.field() == "rollout" { name.to_owned() } else { renamed(error.field()) };
    Problem::unprocessable(&field, renamed(&error.to_string()))
}

pub fn decode_abort(value: &RawValue) -> Result<Abort, Problem> {
    let mut fields = Fields::of_object("abortConfig", value, ABORT)?;
    let criteria: &RawValue = fields.require("criteriaList", ABORT)?;
    fields.refuse_unknown("criteriaList")?;
    Ok(Abort::new(&decode_options::<Vec<CriterionOptions>>("abortConfig.criteriaList", criteria, ABORT)?)?)
}

pub fn decode_schedule(value: &RawValue) -> Result<Schedule, Problem> {
    let mut fields = Fields::of_object("schedule", value, SCHEDULE)?;
    let not_before = decode_time(fields.take("notBefore", TIME)?, "schedule.notBefore")?;
    let not_after = decode_time(fields.take("notAfter", TIME)?, "schedule.notAfter")?;
    let window: Option<&RawValue> = fields.take("window", SCHEDULE)?;
    fields.refuse_unknown("notBefore, notAfter, window")?;
    Ok(Schedule { not_before, not_after, window: window.map(decode_window).transpose()? })
}

fn decode_window(value: &RawValue) -> Result<Window, Problem> {
    let mut fields = Fields::of_object("schedule.window", value, WINDOW)?;
    let start: Cow<str> = fields.require("start", "a time of day such as \"22:00\"")?;
    let end: Cow<str> = fields.require("end", "a time of day such as \"04:00\"")?;
    let offset: Option<Cow<str>> = fields.take("offset", "an offset from UTC such as \"+02:00\"")?;
    fields.refuse_unknown("start, end, offset")?;
    Ok(Window::parse(&start, &end, offset.as_deref())?)
}

fn decode_time(text: Option<Cow<'_, str>>, path: &str) -> Result<Option<Timestamp>, Problem> {
    let parse = |text: Cow<str>| {
        time_format::parse(&text)
            .map_err(|_| Problem::bad_request(path, format!("{path} must be {TIME}: it is {text:?}")))
    };
    text.map(parse).transpose()
}

/// Decodes an object that has a type of `domain`. The error of the JSON parser names the wrong member.
fn decode_options<T: DeserializeOwned>(field: &str, value: &RawValue, example: &str) -> Result<T, Problem> {
    serde_json::from_str(value.get())
        .map_err(|error| Problem::bad_request(field, format!("{field} must be an object such as {example}: {error}")))
}
