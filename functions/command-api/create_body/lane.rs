//! The field `lane`: a name, or an object with a name and what happens on failure.

use std::borrow::Cow;

use domain::{Lane, LaneName, OnFailure};
use serde_json::value::RawValue;

use crate::command_api::{
    fields::{Fields, wrong_type},
    problem::Problem,
};

pub const EXAMPLE: &str = r#"a name such as "valve", or an object such as {"name": "valve", "onFailure": "skip"}"#;

pub fn decode(value: &RawValue) -> Result<Lane, Problem> {
    match value.get().bytes().next() {
        Some(b'"') => {
            let name: Cow<str> = serde_json::from_str(value.get()).map_err(|_| wrong_type("lane", EXAMPLE, value))?;
            Ok(Lane { name: decode_name("lane", &name)?, on_failure: OnFailure::default() })
        }
        Some(b'{') => {
            let mut fields = Fields::of_object("lane", value, r#"{"name": "valve", "onFailure": "skip"}"#)?;
            let name: Cow<str> = fields.require("name", "a text such as \"valve\"")?;
            let on_failure: Option<Cow<str>> = fields.take("onFailure", "stop or skip")?;
            fields.refuse_unknown("name, onFailure")?;
            let on_failure = match on_failure.as_deref() {
                None => OnFailure::default(),
                Some(word) => OnFailure::parse(word)
                    .ok_or_else(|| Problem::bad_request("lane.onFailure", "lane.onFailure must be stop or skip"))?,
            };
            Ok(Lane { name: decode_name("lane.name", &name)?, on_failure })
        }
        _ => Err(wrong_type("lane", EXAMPLE, value)),
    }
}

fn decode_name(field: &str, name: &str) -> Result<LaneName, Problem> {
    LaneName::parse(name).map_err(|error| Problem::bad_request(field, error.to_string()))
}
