//! Attributes of things and groups: replace and merge.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::check;
use super::error::Error;

/// Attribute name to value.
pub(super) type Attributes = BTreeMap<String, String>;

/// The `attributePayload` member of a request.
#[derive(Debug, Default, Deserialize)]
pub(super) struct AttributePayload {
    attributes: Option<Attributes>,
    merge: Option<bool>,
}

impl AttributePayload {
    /// The attributes that result from replacing the `present` ones by this payload, or from merging it into them. An
    /// empty value removes its attribute. At most `max` attributes may result.
    pub(super) fn applied_to(self, present: &Attributes, max: usize) -> Result<Attributes, Error> {
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
        check_count(&after, max)?;
        Ok(after)
    }
}

/// Fails if there are more than `max` attributes.
pub(super) fn check_count(attributes: &Attributes, max: usize) -> Result<(), Error> {
    match attributes.len() {
        count if count > max => Err(Error::invalid(format!("{count} attributes exceed the limit of {max}"))),
        _ => Ok(()),
    }
}
