//! Builds the expressions of one UpdateItem, clause by clause. Every attribute has a placeholder, since many names are
//! reserved words.

use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, error::SdkError, operation::update_item::UpdateItemError, types::AttributeValue};

use crate::item::Item;

#[derive(Default)]
pub(crate) struct Update {
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
    pub names: HashMap<String, String>,
    pub values: HashMap<String, AttributeValue>,
}

impl Update {
    /// Updates an item. Returns false, and writes nothing, if the condition does not hold.
    pub async fn write(self, client: &Client, table: &str, key: Item) -> Result<bool, SdkError<UpdateItemError>> {
        let written = client
            .update_item()
            .table_name(table)
            .set_key(Some(key))
            .update_expression(self.expression())
            .condition_expression(self.condition())
            .set_expression_attribute_names(Some(self.names))
            .set_expression_attribute_values(Some(self.values))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(error),
            },
        }
    }

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

    /// Sets an attribute only if it does not exist.
    pub fn set_once(&mut self, attribute: &str, value: AttributeValue) {
        let name = self.name(attribute);
        let clause = format!("{name} = if_not_exists({name}, {})", self.value(value));
        self.sets.push(clause);
    }

    /// Sets an attribute to `value` plus another attribute `added`, or plus `default` if that does not exist. All are
    /// numbers.
    pub fn set_sum(&mut self, attribute: &str, value: AttributeValue, added: &str, default: AttributeValue) {
        let clause = format!(
            "{} = if_not_exists({}, {}) + {}",
            self.name(attribute),
            self.name(added),
            self.value(default),
            self.value(value)
        );
        self.sets.push(clause);
    }

    /// Appends a value to a list, which need not exist.
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

    /// Cancels a `remove`: an update must not remove and set the same attribute.
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

    /// The attribute `existing` exists, or `attribute` compares.
    pub fn if_exists_or_compares(&mut self, existing: &str, attribute: &str, comparison: &str, value: AttributeValue) {
        let clause = format!(
            "(attribute_exists({}) OR {} {comparison} {})",
            self.name(existing),
            self.name(attribute),
            self.value(value)
        );
        self.conditions.push(clause);
    }

    /// The attribute does not exist, or compares.
    pub fn if_absent_or_compares(&mut self, attribute: &str, comparison: &str, value: AttributeValue) {
        let condition = self.absent_or_compares(attribute, comparison, value);
        self.if_any([condition]);
    }

    /// A condition for [`Self::if_any`]: the attribute does not exist, or compares.
    pub fn absent_or_compares(&mut self, attribute: &str, comparison: &str, value: AttributeValue) -> String {
        let name = self.name(attribute);
        format!("attribute_not_exists({name}) OR {name} {comparison} {}", self.value(value))
    }

    /// A condition for [`Self::if_any`]: the attribute has one of these values, of which there is at least one.
    pub fn equals_any(&mut self, attribute: &str, values: impl IntoIterator<Item = AttributeValue>) -> String {
        let values: Vec<_> = values.into_iter().map(|value| self.value(value)).collect();
        format!("{} IN ({})", self.name(attribute), values.join(", "))
    }

    /// One of these conditions holds.
    pub fn if_any<const N: usize>(&mut self, conditions: [String; N]) {
        self.conditions.push(format!("({})", conditions.join(" OR ")));
    }

    /// The attribute has this value; none: it does not exist.
    pub fn if_equals(&mut self, attribute: &str, value: Option<AttributeValue>) {
        match value {
            Some(value) => self.if_compares(attribute, "=", value),
            None => self.if_absent(attribute),
        }
    }

    /// The update expression.
    pub fn expression(&self) -> String {
        let clause = |word: &str, parts: &[String]| match parts {
            [] => String::new(),
            parts => format!("{word} {} ", parts.join(", ")),
        };
        (clause("SET", &self.sets) + &clause("REMOVE", &self.removes)).trim_end().to_owned()
    }

    /// The condition expression: all conditions together.
    pub fn condition(&self) -> String {
        self.conditions.join(" AND ")
    }
}
