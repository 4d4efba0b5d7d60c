//! The template's `Parameters`: defaults, overrides and constraints.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::Value;

use super::error::{TemplateError, invalid};
use super::node::Node;

/// Parameter name to the value of its `Ref`: a string or a list of strings.
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
        return Err(invalid(unknown, format!("the template has no such parameter; it has: {}", known.join(", "))));
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
        (None, None) => return Err(parameter.invalid("has no Default: a value is required")),
    };
    let kind = parameter.required("Type")?;
    let is_list = match kind.text()?.as_str() {
        "String" | "Number" => false,
        "CommaDelimitedList" | "List<Number>" => true,
        other => {
            return Err(kind.invalid(format!(
                "{other} is not supported by the local stack; use String, Number, CommaDelimitedList or List<Number>"
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
            return Err(parameter.invalid(format!("{text:?} is not allowed; use one of {}", allowed.join(", "))));
        }
    }
    let bound = |key| parameter.get(key).map(|bound| number(&bound, &bound.text()?)).transpose();
    if is_number {
        let n = number(parameter, text)?;
        if let Some(min) = bound("MinValue")?.filter(|min| n < *min) {
            return Err(parameter.invalid(format!("{text} is less than MinValue {min}")));
        }
        if let Some(max) = bound("MaxValue")?.filter(|max| n > *max) {
            return Err(parameter.invalid(format!("{text} is more than MaxValue {max}")));
        }
    }
    if let Some(pattern) = parameter.get("AllowedPattern") {
        let text_of_pattern = pattern.text()?;
        // CloudFormation matches the whole value.
        let whole = Regex::new(&format!("^(?:{text_of_pattern})$")).map_err(|error| pattern.invalid(error))?;
        if !whole.is_match(text) {
            let described = parameter.get("ConstraintDescription").map(|description| description.text()).transpose()?;
            let must = described.unwrap_or_else(|| format!("must match {text_of_pattern}"));
            return Err(parameter.invalid(format!("{text:?} is not allowed: {must}")));
        }
    }
    let length = text.chars().count() as f64;
    if let Some(min) = bound("MinLength")?.filter(|min| length < *min) {
        return Err(parameter.invalid(format!("{text:?} is shorter than MinLength {min}")));
    }
    if let Some(max) = bound("MaxLength")?.filter(|max| length > *max) {
        return Err(parameter.invalid(format!("{text:?} is longer than MaxLength {max}")));
    }
    Ok(())
}

fn number(at: &Node<'_>, text: &str) -> Result<f64, TemplateError> {
    text.parse::<f64>().ok().filter(|n| n.is_finite()).ok_or_else(|| at.invalid(format!("{text:?} is not a number")))
}
