//! Attributes of things and groups: names with values, replaced or merged.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::check;
use super::error::Error;

/// Names with values.
pub(super) type Attributes = BTreeMap<String, String>;

/// How a request gives attributes.
#[derive(Debug, Default, Deserialize)]
pub(super) struct AttributePayload {
    attributes: Option<Attributes>,
    merge: Option<bool>,
}

impl AttributePayload {
    /// The attributes after this payload: in place of the `present` ones or merged with them. An empty value removes.
    pub(super) fn applied_to(self, present: &Attributes, most: usize) -> Result<Attributes, Error> {
        let mut after = if self.merge.unwrap_or(false) { present.clone() } else { Attributes::new() };
        for (name, value) in self.attributes.unwrap_or_default() {
            check::attribute_name(&name)?;
            check::attribute_value(&value)?;
            if value.is_empty() {
                after.remove(&name);
            } else {
                after.insert(name, value);
            }
        }
        within(&after, most)?;
        Ok(after)
    }
}

/// Fails when there are more than `most` attributes.
pub(super) fn within(attributes: &Attributes, most: usize) -> Result<(), Error> {
    match attributes.len() {
        count if count > most => Err(Error::invalid(format!("{count} attributes exceed the limit of {most}"))),
        _ => Ok(()),
    }
}
