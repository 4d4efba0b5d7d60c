//! A resolved value together with its place in the template, and typed reads that name that place when they fail.

use serde_json::Value;

use super::error::{TemplateError, bad};

/// A resolved value and where it stands.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    pub value: &'a Value,
    pub at: String,
}

impl<'a> Node<'a> {
    pub fn new(value: &'a Value, at: impl Into<String>) -> Self {
        Self { value, at: at.into() }
    }

    pub fn bad(&self, why: impl std::fmt::Display) -> TemplateError {
        bad(&self.at, why)
    }

    /// A property that may be absent; an explicit null counts as absent.
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        let value = self.value.get(key).filter(|v| !v.is_null())?;
        Some(Node::new(value, self.below(key)))
    }

    fn below(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }

    /// A property that has to be there.
    pub fn need(&self, key: &str) -> Result<Node<'a>, TemplateError> {
        self.get(key).ok_or_else(|| self.bad(format!("{key} is required")))
    }

    /// A property on a path of which any step may be absent.
    pub fn find(&self, path: &[&str]) -> Option<Node<'a>> {
        path.iter().try_fold(self.clone(), |node, key| node.get(key))
    }

    /// The text of a scalar: CloudFormation takes `5`, `"5"`, `true` and `"true"` for the same.
    pub fn text(&self) -> Result<String, TemplateError> {
        match self.value {
            Value::String(s) => Ok(s.clone()),
            Value::Number(n) => Ok(n.to_string()),
            Value::Bool(b) => Ok(b.to_string()),
            _ => Err(self.bad("must be a string")),
        }
    }

    /// A whole number within a range.
    pub fn whole(&self, range: std::ops::RangeInclusive<u64>) -> Result<u64, TemplateError> {
        self.text()
            .ok()
            .and_then(|text| text.parse().ok())
            .filter(|n| range.contains(n))
            .ok_or_else(|| self.bad(format!("must be a whole number from {} to {}", range.start(), range.end())))
    }

    pub fn flag(&self) -> Result<bool, TemplateError> {
        match self.text().as_deref() {
            Ok("true") => Ok(true),
            Ok("false") => Ok(false),
            _ => Err(self.bad("must be true or false")),
        }
    }

    pub fn items(&self) -> Result<Vec<Node<'a>>, TemplateError> {
        let items = self.value.as_array().ok_or_else(|| self.bad("must be a list"))?;
        Ok(items.iter().enumerate().map(|(i, item)| Node::new(item, format!("{}[{i}]", self.at))).collect())
    }

    pub fn entries(&self) -> Result<Vec<(&'a str, Node<'a>)>, TemplateError> {
        let map = self.value.as_object().ok_or_else(|| self.bad("must be a map"))?;
        Ok(map.iter().map(|(key, v)| (key.as_str(), Node::new(v, self.below(key)))).collect())
    }

    /// The one key of a map that says what kind of thing it is, such as an action of a rule.
    pub fn only(&self) -> Result<(&'a str, Node<'a>), TemplateError> {
        let mut entries = self.entries()?;
        match (entries.pop(), entries.is_empty()) {
            (Some(entry), true) => Ok(entry),
            _ => Err(self.bad("must have exactly one key")),
        }
    }
}
