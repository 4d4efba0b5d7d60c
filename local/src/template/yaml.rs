//! YAML to one JSON tree, with CloudFormation's short tags (`!Ref x`) in their long form (`{"Ref": "x"}`).

use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

use super::error::{TemplateError, bad};

/// Reads a whole template.
pub fn parse(text: &str) -> Result<Value, TemplateError> {
    convert(serde_yaml_ng::from_str::<Yaml>(text)?, "")
}

fn convert(yaml: Yaml, at: &str) -> Result<Value, TemplateError> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(b) => Value::Bool(b),
        Yaml::Number(n) => number(&n, at)?,
        Yaml::String(s) => Value::String(s),
        Yaml::Sequence(items) => Value::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(i, item)| convert(item, &format!("{at}[{i}]")))
                .collect::<Result<_, _>>()?,
        ),
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let key = match key {
                    Yaml::String(s) => s,
                    Yaml::Number(n) => n.to_string(),
                    Yaml::Bool(b) => b.to_string(),
                    _ => return Err(bad(at, "a key must be a plain word")),
                };
                let value = convert(value, &join(at, &key))?;
                map.insert(key, value);
            }
            Value::Object(map)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let tag = tag.trim_start_matches('!');
            let value = convert(tagged.value, at)?;
            match tag {
                "Ref" | "Condition" => json!({ tag: value }),
                _ => json!({ format!("Fn::{tag}"): value }),
            }
        }
    })
}

fn number(n: &serde_yaml_ng::Number, at: &str) -> Result<Value, TemplateError> {
    if let Some(n) = n.as_i64() {
        return Ok(n.into());
    }
    if let Some(n) = n.as_u64() {
        return Ok(n.into());
    }
    n.as_f64()
        .and_then(serde_json::Number::from_f64)
        .map(Value::Number)
        .ok_or_else(|| bad(at, format!("{n} is not a number that JSON can hold")))
}

fn join(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}
