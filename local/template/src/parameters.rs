//! The template's `Parameters`: defaults, overrides, and what they may be.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::{TemplateError, bad};
use super::node::Node;

/// The value of every parameter, as `Ref` gives it: a string, or a list of strings.
pub fn read(
    template: &Node<'_>,
    overrides: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>, TemplateError> {
    let declared = match template.get("Parameters") {
        Some(parameters) => parameters.entries()?,
        None => Vec::new(),
    };
    if let Some(unknown) = overrides.keys().find(|name| declared.iter().all(|(known, _)| known != name)) {
        let known: Vec<_> = declared.iter().map(|(name, _)| *name).collect();
        return Err(bad(unknown, format!("the template has no such parameter; it has: {}", known.join(", "))));
    }
    declared
        .into_iter()
        .map(|(name, parameter)| Ok((name.to_owned(), value(&parameter, overrides.get(name))?)))
        .collect()
}

fn value(parameter: &Node<'_>, given: Option<&String>) -> Result<Value, TemplateError> {
    let text = match (given, parameter.get("Default")) {
        (Some(given), _) => given.clone(),
        (None, Some(default)) => default.text()?,
        (None, None) => return Err(parameter.bad("has no Default: give it a value")),
    };
    let kind = parameter.need("Type")?;
    let is_list = match kind.text()?.as_str() {
        "String" | "Number" => false,
        "CommaDelimitedList" | "List<Number>" => true,
        other => {
            return Err(kind.bad(format!(
                "{other} cannot be resolved on one machine; String, Number, CommaDelimitedList and List<Number> can"
            )));
        }
    };
    let numbers = kind.text()?.contains("Number");
    let parts: Vec<&str> = if is_list { text.split(',').map(str::trim).collect() } else { vec![&text] };
    for part in &parts {
        check(parameter, part, numbers)?;
    }
    Ok(match is_list {
        true => parts.into(),
        false => text.into(),
    })
}

fn check(parameter: &Node<'_>, text: &str, is_number: bool) -> Result<(), TemplateError> {
    if let Some(allowed) = parameter.get("AllowedValues") {
        let allowed = allowed.items()?.iter().map(Node::text).collect::<Result<Vec<_>, _>>()?;
        if !allowed.iter().any(|a| a == text) {
            return Err(parameter.bad(format!("{text:?} is not allowed; one of {} is", allowed.join(", "))));
        }
    }
    let bound = |key| parameter.get(key).map(|bound| number(&bound, &bound.text()?)).transpose();
    if is_number {
        let n = number(parameter, text)?;
        if let Some(min) = bound("MinValue")?.filter(|min| n < *min) {
            return Err(parameter.bad(format!("{text} is less than MinValue {min}")));
        }
        if let Some(max) = bound("MaxValue")?.filter(|max| n > *max) {
            return Err(parameter.bad(format!("{text} is more than MaxValue {max}")));
        }
    }
    let length = text.chars().count() as f64;
    if let Some(min) = bound("MinLength")?.filter(|min| length < *min) {
        return Err(parameter.bad(format!("{text:?} is shorter than MinLength {min}")));
    }
    if let Some(max) = bound("MaxLength")?.filter(|max| length > *max) {
        return Err(parameter.bad(format!("{text:?} is longer than MaxLength {max}")));
    }
    Ok(())
}

fn number(at: &Node<'_>, text: &str) -> Result<f64, TemplateError> {
    text.parse::<f64>().ok().filter(|n| n.is_finite()).ok_or_else(|| at.bad(format!("{text:?} is not a number")))
}
