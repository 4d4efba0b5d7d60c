//! A resolved value with its path in the template, and typed reads whose errors name the path.

use serde_json::Value;

use super::error::{TemplateError, invalid};

/// A resolved value and its path in the template.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    pub value: &'a Value,
    pub at: String,
}

impl<'a> Node<'a> {
    pub fn new(value: &'a Value, at: impl Into<String>) -> Self {
        Self { value, at: at.into() }
    }

    pub fn invalid(&self, why: impl std::fmt::Display) -> TemplateError {
        invalid(&self.at, why)
    }

    /// An optional property; null counts as absent.
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        let value = self.value.get(key).filter(|v| !v.is_null())?;
        Some(Node::new(value, self.below(key)))
    }

    fn below(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }

    /// A required property.
    pub fn required(&self, key: &str) -> Result<Node<'a>, TemplateError> {
        self.get(key).ok_or_else(|| self.invalid(format!("{key} is required")))
    }

    /// A property at a path of optional properties.
    pub fn find(&self, path: &[&str]) -> Option<Node<'a>> {
        path.iter().try_fold(self.clone(), |node, key| node.get(key))
    }

    /// The text of a scalar. As in CloudFormation, `5` equals `"5"` and `true` equals `"true"`.
    pub fn text(&self) -> Result<String, TemplateError> {
        match self.value {
            Value::String(s) => Ok(s.clone()),
            Value::Number(n) => Ok(n.to_string()),
            Value::Bool(b) => Ok(b.to_string()),
            _ => Err(self.invalid("must be a string")),
        }
    }

    /// An integer within a range.
    pub fn integer(&self, range: std::ops::RangeInclusive<u64>) -> Result<u64, TemplateError> {
        self.text()
            .ok()
            .and_then(|text| text.parse().ok())
            .filter(|n| range.contains(n))
            .ok_or_else(|| self.invalid(format!("must be a whole number from {} to {}", range.start(), range.end())))
    }

    pub fn boolean(&self) -> Result<bool, TemplateError> {
        match self.text().as_deref() {
            Ok("true") => Ok(true),
            Ok("false") => Ok(false),
            _ => Err(self.invalid("must be true or false")),
        }
    }

    pub fn items(&self) -> Result<Vec<Node<'a>>, TemplateError> {
        let items = self.value.as_array().ok_or_else(|| self.invalid("must be a list"))?;
        Ok(items.iter().enumerate().map(|(i, item)| Node::new(item, format!("{}[{i}]", self.at))).collect())
    }

    pub fn entries(&self) -> Result<Vec<(&'a str, Node<'a>)>, TemplateError> {
        let map = self.value.as_object().ok_or_else(|| self.invalid("must be a map"))?;
        Ok(map.iter().map(|(key, v)| (key.as_str(), Node::new(v, self.below(key)))).collect())
    }

    /// Key and value of a map with a single key, such as an action of a rule.
    pub fn single_entry(&self) -> Result<(&'a str, Node<'a>), TemplateError> {
        let mut entries = self.entries()?;
        match (entries.pop(), entries.is_empty()) {
            (Some(entry), true) => Ok(entry),
            _ => Err(self.invalid("must have exactly one key")),
        }
    }
}
