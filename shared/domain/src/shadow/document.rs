//! A shadow's document, as far as it matters here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ShadowError;

/// What was read.
#[derive(Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow)]
    state: Option<Sections<'a>>,
    /// Which state of the shadow this is: an update that names it is refused once it is another.
    pub(super) version: u64,
}

/// Its sections; one that is empty is not there.
#[derive(Clone, Copy, Default, Deserialize)]
pub(super) struct Sections<'a> {
    #[serde(borrow)]
    pub(super) desired: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) reported: Option<&'a RawValue>,
}

impl<'a> Document<'a> {
    pub(super) fn parse(document: &'a [u8]) -> Result<Self, ShadowError> {
        serde_json::from_slice(document).map_err(ShadowError::Document)
    }

    pub(super) fn sections(&self) -> Sections<'a> {
        self.state.unwrap_or_default()
    }
}

/// The members of an object, each as text; of what is no object, none.
pub(super) fn members(object: &RawValue) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(object.get()).unwrap_or_default()
}

/// One member's text.
pub(super) fn member<'a>(object: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    members(object).remove(name)
}
