//! The fields `rollout`, `abortConfig` and `schedule`: how fast, until which failures and when a fleet command is sent.

use std::borrow::Cow;

use domain::{
    Abort, Rollout, Schedule, Timestamp,
    fleet::{
        CanaryOptions, CriterionOptions, IncreaseOptions, NewRate, RateOptions, RolloutError, RolloutOptions,
        WavesOptions, Window,
    },
};
use runtime::time_format;
use serde_json::value::RawValue;

use crate::command_api::{
    fields::{Fields, Whole},
    problem::Problem,
};

pub const ROLLOUT: &str =
    r#"{"maximumPerMinute": 1000, "canary": {"things": 10}, "waves": {"percentages": [10, 50, 100]}}"#;
pub const RATE: &str = r#"{"maximumPerMinute": 1000}"#;
pub const ABORT: &str = "{\"criteriaList\": [{\"failureType\": \"FAILED\", \"action\": \"CANCEL\", \
                         \"thresholdPercentage\": 10, \"minNumberOfExecutedThings\": 100}]}";
const CRITERION: &str = "{\"failureType\": \"FAILED\", \"action\": \"CANCEL\", \"thresholdPercentage\": 10, \
                         \"minNumberOfExecutedThings\": 100}";
const EXPONENTIAL: &str = "{\"baseRatePerMinute\": 50, \"incrementFactor\": 2, \
                           \"rateIncreaseCriteria\": {\"numberOfSucceededThings\": 500}}";
const INCREASE: &str = r#"{"numberOfNotifiedThings": 1000} or {"numberOfSucceededThings": 500}"#;
const CANARY: &str = r#"{"things": 10, "successPercentage": 90}"#;
const WAVES: &str = r#"{"percentages": [10, 50, 100], "successPercentage": 90}"#;
const THINGS: &str = "a whole number of things";
const PERCENTAGE: &str = "a whole number, 1 to 100";
pub const SCHEDULE: &str = r#"{"notBefore": "2030-01-01T22:00:00Z", "window": {"start": "22:00", "end": "04:00"}}"#;
const WINDOW: &str = r#"{"start": "22:00", "end": "04:00", "offset": "+02:00"}"#;
const TIME: &str = "a time such as \"2030-01-01T22:00:00Z\"";

/// Decodes a rollout that the caller gave under this name, which its errors use.
pub fn decode_rollout(name: &str, value: &RawValue) -> Result<Rollout, Problem> {
    Rollout::new(&decode_rollout_options(name, value, ROLLOUT)?).map_err(|error| rollout_problem(name, &error))
}

/// As [`decode_rollout`], for the new rate of a rollout.
pub fn decode_rate(name: &str, value: &RawValue) -> Result<NewRate, Problem> {
    NewRate::new(&decode_rollout_options(name, value, RATE)?).map_err(|error| rollout_problem(name, &error))
}

fn rollout_problem(name: &str, error: &RolloutError) -> Problem {
    let renamed = |text: &str| match text.strip_prefix("rollout ") {
        Some(rest) => format!("{name} {rest}"),
        None => text.replace("rollout.", &format!("{name}.")),
    };
    let field = if error.field() == "rollout" { name.to_owned() } else { renamed(error.field()) };
    Problem::unprocessable(&field, renamed(&error.to_string()))
}

fn decode_rollout_options(name: &str, value: &RawValue, example: &str) -> Result<RolloutOptions, Problem> {
    let mut fields = Fields::of_object(name, value, example)?;
    let options = RolloutOptions {
        maximum_per_minute: fields.take_whole("maximumPerMinute", THINGS)?,
        exponential_rate: fields.take_object("exponentialRate", EXPONENTIAL, decode_exponential_rate)?,
        canary: fields.take_object("canary", CANARY, decode_canary)?,
        waves: fields.take_object("waves", WAVES, decode_waves)?,
    };
    fields.refuse_unknown("maximumPerMinute, exponentialRate, canary, waves")?;
    Ok(options)
}

fn decode_exponential_rate(mut fields: Fields<'_>) -> Result<RateOptions, Problem> {
    let options = RateOptions {
        base_rate_per_minute: fields.require::<Whole>("baseRatePerMinute", THINGS)?.0,
        increment_factor: fields.require("incrementFactor", "a number such as 1.5")?,
        rate_increase_criteria: fields
            .take_object("rateIncreaseCriteria", INCREASE, |mut fields| {
                let options = IncreaseOptions {
                    number_of_notified_things: fields.take_whole("numberOfNotifiedThings", THINGS)?,
                    number_of_succeeded_things: fields.take_whole("numberOfSucceededThings", THINGS)?,
                };
                fields.refuse_unknown("numberOfNotifiedThings, numberOfSucceededThings")?;
                Ok(options)
            })?
            .unwrap_or_default(),
    };
    fields.refuse_unknown("baseRatePerMinute, incrementFactor, rateIncreaseCriteria")?;
    Ok(options)
}

fn decode_canary(mut fields: Fields<'_>) -> Result<CanaryOptions, Problem> {
    let things = fields.require::<Whole>("things", THINGS)?.0;
    let success_percentage = fields.take_whole("successPercentage", PERCENTAGE)?;
    fields.refuse_unknown("things, successPercentage")?;
    Ok(CanaryOptions { things, success_percentage })
}

fn decode_waves(mut fields: Fields<'_>) -> Result<WavesOptions, Problem> {
    let percentages: Vec<Whole> = fields.require("percentages", "a list of whole numbers such as [10, 50, 100]")?;
    let success_percentage = fields.take_whole("successPercentage", PERCENTAGE)?;
    fields.refuse_unknown("percentages, successPercentage")?;
    Ok(WavesOptions { percentages: percentages.into_iter().map(|whole| whole.0).collect(), success_percentage })
}

pub fn decode_abort(value: &RawValue) -> Result<Abort, Problem> {
    let mut fields = Fields::of_object("abortConfig", value, ABORT)?;
    let criteria: Vec<&RawValue> =
        fields.require("criteriaList", "a list of objects such as [{\"failureType\": ..}]")?;
    fields.refuse_unknown("criteriaList")?;
    let criteria = criteria.into_iter().enumerate().map(|(number, value)| {
        decode_criterion(Fields::of_object(&format!("abortConfig.criteriaList[{number}]"), value, CRITERION)?)
    });
    Ok(Abort::new(&criteria.collect::<Result<Vec<_>, _>>()?)?)
}

fn decode_criterion(mut fields: Fields<'_>) -> Result<CriterionOptions, Problem> {
    let options = CriterionOptions {
        failure_type: fields.require("failureType", "FAILED, REJECTED, TIMED_OUT, NO_RESPONSE or ALL")?,
        action: fields.require("action", "CANCEL or PAUSE")?,
        threshold_percentage: fields.require("thresholdPercentage", "a number such as 5 or 0.5")?,
        min_number_of_executed_things: fields.require::<Whole>("minNumberOfExecutedThings", THINGS)?.0,
    };
    fields.refuse_unknown("failureType, action, thresholdPercentage, minNumberOfExecutedThings")?;
    Ok(options)
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
