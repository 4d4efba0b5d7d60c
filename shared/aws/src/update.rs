//! One UpdateItem, put together a clause at a time. Every attribute goes by a placeholder, since many are reserved words.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

#[derive(Default)]
pub(crate) struct Update {
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
    pub names: HashMap<String, String>,
    pub values: HashMap<String, AttributeValue>,
}

impl Update {
    fn name(&mut self, attribute: &str) -> String {
        let name = format!("#{attribute}");
        self.names.insert(name.clone(), attribute.to_owned());
        name
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let name = format!(":v{}", self.values.len());
        self.values.insert(name.clone(), value);
        name
    }

    pub fn set(&mut self, attribute: &str, value: AttributeValue) {
        let clause = format!("{} = {}", self.name(attribute), self.value(value));
        self.sets.push(clause);
    }

    /// Keeps what is there: the first of several reports tells when it began.
    pub fn set_once(&mut self, attribute: &str, value: AttributeValue) {
        let name = self.name(attribute);
        let clause = format!("{name} = if_not_exists({name}, {})", self.value(value));
        self.sets.push(clause);
    }

    /// A number more than another attribute; much more, where that is absent.
    pub fn set_later(&mut self, attribute: &str, by: &str, than: AttributeValue, absent: AttributeValue) {
        let clause = format!(
            "{} = if_not_exists({}, {}) + {}",
            self.name(attribute),
            self.name(by),
            self.value(absent),
            self.value(than)
        );
        self.sets.push(clause);
    }

    /// One more at the end of a list, which need not be there.
    pub fn append(&mut self, attribute: &str, value: AttributeValue) {
        let name = self.name(attribute);
        let clause = format!(
            "{name} = list_append(if_not_exists({name}, {}), {})",
            self.value(AttributeValue::L(Vec::new())),
            self.value(AttributeValue::L(vec![value]))
        );
        self.sets.push(clause);
    }

    pub fn remove(&mut self, attribute: &str) {
        let name = self.name(attribute);
        self.removes.push(name);
    }

    /// Takes back that it is removed: it is set instead.
    pub fn unremove(&mut self, attribute: &str) {
        let name = format!("#{attribute}");
        self.removes.retain(|removed| *removed != name);
    }

    pub fn if_exists(&mut self, attribute: &str) {
        let name = self.name(attribute);
        self.conditions.push(format!("attribute_exists({name})"));
    }

    pub fn if_absent(&mut self, attribute: &str) {
        let name = self.name(attribute);
        self.conditions.push(format!("attribute_not_exists({name})"));
    }

    pub fn if_compares(&mut self, attribute: &str, comparison: &str, value: AttributeValue) {
        let clause = format!("{} {comparison} {}", self.name(attribute), self.value(value));
        self.conditions.push(clause);
    }

    /// One attribute is there, or another compares so.
    pub fn if_exists_or_compares(&mut self, there: &str, attribute: &str, comparison: &str, value: AttributeValue) {
        let clause = format!(
            "(attribute_exists({}) OR {} {comparison} {})",
            self.name(there),
            self.name(attribute),
            self.value(value)
        );
        self.conditions.push(clause);
    }

    /// One attribute is absent, or compares so.
    pub fn if_absent_or_compares(&mut self, attribute: &str, comparison: &str, value: AttributeValue) {
        let name = self.name(attribute);
        let clause = format!("(attribute_not_exists({name}) OR {name} {comparison} {})", self.value(value));
        self.conditions.push(clause);
    }

    /// The attribute is still this, or still absent.
    pub fn if_still(&mut self, attribute: &str, value: Option<AttributeValue>) {
        match value {
            Some(value) => self.if_compares(attribute, "=", value),
            None => self.if_absent(attribute),
        }
    }

    pub fn expression(&self) -> String {
        let clause = |word: &str, parts: &[String]| match parts {
            [] => String::new(),
            parts => format!("{word} {} ", parts.join(", ")),
        };
        (clause("SET", &self.sets) + &clause("REMOVE", &self.removes)).trim_end().to_owned()
    }

    pub fn condition(&self) -> String {
        self.conditions.join(" AND ")
    }
}
