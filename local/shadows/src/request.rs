//! Reads and checks the body of a shadow request.

use serde_json::{Map, Value};

use super::{Limits, ShadowError};

const MAX_CLIENT_TOKEN_BYTES: usize = 64;

/// A request body: a JSON object with a valid client token. Empty for `get` and `delete` without a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    fields: Map<String, Value>,
    /// `clientToken`, which the answer repeats.
    pub client_token: Option<String>,
}

impl Body {
    /// Parses a body. Of duplicate keys, the last one counts.
    ///
    /// # Errors
    /// The payload is not UTF-8, not a JSON object, nested too deep, or `clientToken` is invalid.
    pub fn parse(payload: &[u8], limits: &Limits) -> Result<Self, ShadowError> {
        let json = std::str::from_utf8(payload).map_err(|_| ShadowError::NotUtf8)?;
        if limits.is_too_deep(json) {
            return Err(ShadowError::TooDeep(limits.max_depth));
        }
        let fields: Map<String, Value> = serde_json::from_str(json).map_err(|_| ShadowError::InvalidJson)?;
        let client_token = match fields.get("clientToken") {
            None => None,
            Some(Value::String(token)) if token.len() <= MAX_CLIENT_TOKEN_BYTES => Some(token.clone()),
            Some(_) => return Err(ShadowError::InvalidClientToken),
        };
        Ok(Self { fields, client_token })
    }

    /// As [`Body::parse`]; an empty payload is valid.
    ///
    /// # Errors
    /// As [`Body::parse`].
    pub fn parse_optional(payload: &[u8], limits: &Limits) -> Result<Self, ShadowError> {
        if payload.is_empty() { Ok(Self::default()) } else { Self::parse(payload, limits) }
    }
}

/// A valid update. Keys other than `state`, `version` and `clientToken` are ignored.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// Null, or an object with `desired` and `reported`, each absent, null or an object.
    state: Value,
    /// The expected current version of the shadow.
    pub version: Option<u64>,
    /// `clientToken`, which every answer repeats.
    pub client_token: Option<String>,
}

/// The effect of an update on a section.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SectionChange<'a> {
    /// The section is absent from the update and stays unchanged.
    Keep,
    /// The section is null and is removed.
    Clear,
    /// The object is merged into the section.
    Merge(&'a Map<String, Value>),
}

impl Update {
    /// Checks the fields of an update.
    ///
    /// # Errors
    /// `state` is missing or invalid, or `version` is not a positive integer.
    pub fn new(body: Body) -> Result<Self, ShadowError> {
        let Body { mut fields, client_token } = body;
        let state = fields.remove("state").ok_or(ShadowError::MissingState)?;
        check_state(&state)?;
        let version = match fields.get("version") {
            None => None,
            Some(version) => Some(version.as_u64().filter(|version| *version > 0).ok_or(ShadowError::InvalidVersion)?),
        };
        Ok(Self { state, version, client_token })
    }

    /// The request's `state`, which an accepted answer repeats, nulls included.
    pub fn state(&self) -> &Value {
        &self.state
    }

    /// The change of `desired`.
    pub fn desired(&self) -> SectionChange<'_> {
        self.section_change("desired")
    }

    /// The change of `reported`.
    pub fn reported(&self) -> SectionChange<'_> {
        self.section_change("reported")
    }

    fn section_change(&self, section: &str) -> SectionChange<'_> {
        let Value::Object(sections) = &self.state else { return SectionChange::Clear };
        match sections.get(section) {
            None => SectionChange::Keep,
            Some(Value::Object(patch)) => SectionChange::Merge(patch),
            Some(_) => SectionChange::Clear,
        }
    }
}

fn check_state(state: &Value) -> Result<(), ShadowError> {
    let sections = match state {
        Value::Null => return Ok(()),
        Value::Object(sections) => sections,
        _ => return Err(ShadowError::StateNotObject),
    };
    for (name, section) in sections {
        let not_an_object = match name.as_str() {
            "desired" => ShadowError::DesiredNotObject,
            "reported" => ShadowError::ReportedNotObject,
            _ => return Err(ShadowError::InvalidNode(name.clone())),
        };
        match section {
            Value::Null => {}
            Value::Object(_) => reject_nulls_in_arrays(name, section)?,
            _ => return Err(not_an_object),
        }
    }
    Ok(())
}

/// Rejects nulls in arrays: a null deletes a key, and an array has no keys.
fn reject_nulls_in_arrays(name: &str, value: &Value) -> Result<(), ShadowError> {
    match value {
        Value::Array(items) if items.contains(&Value::Null) => Err(ShadowError::InvalidNode(name.to_owned())),
        Value::Array(items) => items.iter().try_for_each(|item| reject_nulls_in_arrays(name, item)),
        Value::Object(map) => map.iter().try_for_each(|(key, value)| reject_nulls_in_arrays(key, value)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(payload: &str) -> Result<Update, ShadowError> {
        Body::parse(payload.as_bytes(), &Limits::default()).and_then(Update::new)
    }

    #[test]
    fn each_invalid_request_has_its_own_error() {
        let long = format!(r#"{{"state":{{}},"clientToken":"{}é"}}"#, "x".repeat(63));
        for (payload, error) in [
            ("", ShadowError::InvalidJson),
            ("{", ShadowError::InvalidJson),
            ("[]", ShadowError::InvalidJson),
            (r#"{"state":{}} x"#, ShadowError::InvalidJson),
            ("{}", ShadowError::MissingState),
            (r#"{"state":[]}"#, ShadowError::StateNotObject),
            (r#"{"state":{"desired":1}}"#, ShadowError::DesiredNotObject),
            (r#"{"state":{"reported":"x"}}"#, ShadowError::ReportedNotObject),
            (r#"{"state":{"delta":{}}}"#, ShadowError::InvalidNode("delta".into())),
            (r#"{"state":{"desired":{"a":{"b":[1,[null]]}}}}"#, ShadowError::InvalidNode("b".into())),
            (r#"{"state":{},"version":0}"#, ShadowError::InvalidVersion),
            (r#"{"state":{},"version":-1}"#, ShadowError::InvalidVersion),
            (r#"{"state":{},"version":1.0}"#, ShadowError::InvalidVersion),
            (r#"{"state":{},"version":"1"}"#, ShadowError::InvalidVersion),
            (r#"{"state":{},"version":null}"#, ShadowError::InvalidVersion),
            (r#"{"state":{},"clientToken":1}"#, ShadowError::InvalidClientToken),
            (&long, ShadowError::InvalidClientToken),
        ] {
            assert_eq!(update(payload), Err(error), "{payload}");
        }
        assert_eq!(Body::parse(b"{\"a\":\"\xff\"}", &Limits::default()), Err(ShadowError::NotUtf8));
    }

    #[test]
    fn sections_are_kept_cleared_or_merged() {
        let change = |payload| update(payload).map(|u| format!("{:?} {:?}", u.desired(), u.reported()));
        assert_eq!(change(r#"{"state":null}"#).unwrap(), "Clear Clear");
        assert_eq!(change(r#"{"state":{}}"#).unwrap(), "Keep Keep");
        assert_eq!(change(r#"{"state":{"desired":null},"other":[null]}"#).unwrap(), "Clear Keep");
        assert!(change(r#"{"state":{"reported":{"a":1}}}"#).unwrap().starts_with("Keep Merge"));
    }

    #[test]
    fn eight_levels_are_accepted_and_nine_are_not() {
        let nested = |levels: usize| {
            format!(r#"{{"state":{{"desired":{}1{}}}}}"#, r#"{"a":"#.repeat(levels), "}".repeat(levels))
        };
        assert!(update(&nested(8)).is_ok());
        assert_eq!(update(&nested(9)), Err(ShadowError::TooDeep(8)));
        assert_eq!(update(&nested(40_000)), Err(ShadowError::TooDeep(8)));
        assert_eq!(update(&"[".repeat(120_000)), Err(ShadowError::TooDeep(8)));
    }

    #[test]
    fn a_get_may_have_no_body_and_a_token_may_have_64_bytes() {
        let limits = Limits::default();
        assert_eq!(Body::parse_optional(b"", &limits).unwrap().client_token, None);
        let token = "x".repeat(64);
        let body = Body::parse_optional(format!(r#"{{"clientToken":"{token}"}}"#).as_bytes(), &limits).unwrap();
        assert_eq!(body.client_token, Some(token));
    }

    #[test]
    fn last_of_duplicate_keys_is_used() {
        assert_eq!(update(r#"{"state":{"desired":{"a":1,"a":2}}}"#), update(r#"{"state":{"desired":{"a":2}}}"#));
    }
}
