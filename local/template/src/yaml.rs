//! Parser from YAML to JSON that converts CloudFormation's short tags (`!Ref x`) to the long form (`{"Ref": "x"}`).

use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, json};
use serde_saphyr::Tagged;
use serde_saphyr::options::MergeKeyPolicy;

use super::error::TemplateError;

/// The values of the texts that this process has parsed: tests start hundreds of stacks from one template, and parsing it
/// takes 50 ms without optimization.
static PARSED: LazyLock<Mutex<HashMap<String, Value>>> = LazyLock::new(Mutex::default);

/// Parses the text of a template, or returns the value of an earlier call with the same text.
pub fn parse(text: &str) -> Result<Value, TemplateError> {
    // The lock is never held while something can panic, so a poisoned map is intact.
    let parsed = || PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(value) = parsed().get(text) {
        return Ok(value.clone());
    }
    let value = parse_yaml(text)?;
    parsed().insert(text.to_owned(), value.clone());
    Ok(value)
}

fn parse_yaml(text: &str) -> Result<Value, TemplateError> {
    // YAML 1.2: `y`, `on` and `012345678901` are strings, and `<<` is an ordinary key.
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        with_snippet: false,
    };
    let TaggedValue(value) = serde_saphyr::from_str_with_options(text, options).map_err(Box::new)?;
    Ok(value)
}

/// A value with its tag converted to a key.
struct TaggedValue(Value);

/// A value without its tag.
struct UntaggedValue(Value);

impl<'de> Deserialize<'de> for TaggedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Tagged(UntaggedValue(value), tag) = Tagged::deserialize(deserializer)?;
        // Tags without `!` are YAML's own, such as `!!str`.
        Ok(Self(match tag.as_deref().and_then(|tag| tag.strip_prefix('!')) {
            None => value,
            Some(tag @ ("Ref" | "Condition")) => json!({ tag: value }),
            Some(tag) => json!({ format!("Fn::{tag}"): value }),
        }))
    }
}

impl<'de> Deserialize<'de> for UntaggedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor).map(Self)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with a JSON form")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).map(Value::Number);
        number.ok_or_else(|| E::custom(format!("{value} is not a JSON number")))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(TaggedValue(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some((key, TaggedValue(value))) = entries.next_entry()? {
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_become_keys_at_any_depth() {
        for (yaml, expected) in [
            ("a: !Ref b", json!({"a": {"Ref": "b"}})),
            ("a: !Condition b", json!({"a": {"Condition": "b"}})),
            ("a: !GetAtt B.Arn", json!({"a": {"Fn::GetAtt": "B.Arn"}})),
            ("a: !Sub |\n  x\n  ${y}", json!({"a": {"Fn::Sub": "x\n${y}\n"}})),
            ("- !Sub\n  - ${x}\n  - {x: !Ref y}", json!([{"Fn::Sub": ["${x}", {"x": {"Ref": "y"}}]}])),
            ("{a: [!If [B, !Ref c, !Join ['', [!Ref d]]]]}", {
                let join = json!({"Fn::Join": ["", [{"Ref": "d"}]]});
                json!({"a": [{"Fn::If": ["B", {"Ref": "c"}, join]}]})
            }),
            ("a: !!str 5", json!({"a": "5"})),
        ] {
            assert_eq!(parse(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}")), expected, "{yaml}");
        }
    }

    #[test]
    fn scalars_are_those_of_yaml_1_2() {
        for (yaml, expected) in [
            ("[true, False, null, ~, ]", json!([true, false, null, null])),
            ("[yes, on, y, n]", json!(["yes", "on", "y", "n"])),
            ("[5, -5, 0x1F, 0o17, 1.5, 1e3]", json!([5, -5, 31, 15, 1.5, 1000.0])),
            ("[000000000000, 012, 1_000]", json!(["000000000000", "012", "1_000"])),
            ("[2010-09-09, 12:30:45, '5', \"x\"]", json!(["2010-09-09", "12:30:45", "5", "x"])),
            ("{1: a, true: b, <<: {c: d}}", json!({"1": "a", "true": "b", "<<": {"c": "d"}})),
            ("a: &x 1\nb: *x", json!({"a": 1, "b": 1})),
        ] {
            assert_eq!(parse(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}")), expected, "{yaml}");
        }
    }

    #[test]
    fn errors_have_line_and_column() {
        for (yaml, place) in [
            ("a: {", "line 1, column 4"),
            ("a: 1\na: 2", "line 2, column 1"),
            ("x: 1\na: .nan", "line 2, column 4"),
            ("? [a]\n: b", "line 1, column 3"),
            ("~: x", "line 1, column 1"),
            ("--- 1\n--- 2", "line 2, column 5"),
        ] {
            let error = parse(yaml).expect_err(yaml).to_string();
            assert!(error.starts_with("not valid YAML: ") && error.contains(place), "{yaml}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
