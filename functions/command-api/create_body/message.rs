//! What the requests of a command look like: `payload`, `format`, `contentType` and `topic`.

use std::borrow::Cow;

use domain::{Payload, RawPayload, RequestForm, RequestTopic};
use serde_json::value::RawValue;

use super::topics::Topics;
use crate::command_api::{fields::Fields, fields::wrong_type, problem::Problem};

/// Takes the fields. `topics`: those that the stack allows.
pub(super) fn take(fields: &mut Fields<'_>, topics: Topics<'_>) -> Result<(Option<Payload>, RequestForm), Problem> {
    let payload: Option<&RawValue> = fields.take("payload", "JSON")?;
    let format: Option<Cow<str>> = fields.take("format", "json or raw")?;
    let content_type: Option<Cow<str>> = fields.take("contentType", "a text such as \"text/plain\"")?;
    let topic: Option<Cow<str>> = fields.take("topic", "a text such as \"lights/{thing}/set\"")?;
    let is_raw = match format.as_deref() {
        None | Some("json") => false,
        Some("raw") => true,
        Some(other) => {
            let other: String = other.chars().take(64).collect();
            return Err(Problem::bad_request("format", format!("format must be json or raw: it is {other:?}")));
        }
    };
    if content_type.is_some() && !is_raw {
        let detail = "contentType is that of a raw request: leave it out, or add \"format\": \"raw\"";
        return Err(Problem::unprocessable("contentType", detail));
    }
    let topic = topic.map(|topic| find(topics, &topic)).transpose()?;
    let (payload, raw) = match is_raw {
        true => (None, Some(raw_payload(payload, content_type.as_deref())?)),
        false => (payload.map(|json| Payload::parse(json.get())).transpose()?, None),
    };
    Ok((payload, RequestForm { raw, topic }))
}

/// A raw request without a payload has no bytes.
fn raw_payload(payload: Option<&RawValue>, content_type: Option<&str>) -> Result<RawPayload, Problem> {
    let base64: Cow<str> = match payload {
        None => Cow::Borrowed(""),
        Some(payload) => serde_json::from_str::<Text>(payload.get())
            .map(|Text(text)| text)
            .map_err(|_| wrong_type("payload", "base64, as the request is raw", payload))?,
    };
    Ok(RawPayload::parse(&base64, content_type)?)
}

#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn find(topics: Topics<'_>, topic: &str) -> Result<RequestTopic, Problem> {
    let Some(found) = topics.request.find(topic) else {
        let detail = match topics.request.to_string() {
            none if none.is_empty() => {
                "no topics are allowed here: leave topic out, or deploy with RequestTopics".into()
            }
            list => format!("topic must be one of those that RequestTopics allows, as they stand there: {list}"),
        };
        return Err(Problem::unprocessable("topic", detail));
    };
    match topics.shared.filter(|shared| found.may_equal(shared.topic.as_str())) {
        None => Ok(found.clone()),
        Some(shared) => {
            let detail =
                format!("for some thing this would be the topic of broadcasts, {}: choose another", shared.topic);
            Err(Problem::unprocessable("topic", detail))
        }
    }
}
