//! The parts of a shadow document that commands need.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::messages::shadow::error::ShadowError;

/// A shadow document: the answer of GetThingShadow.
#[derive(Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow)]
    state: Option<Sections<'a>>,
    /// The version of the document. AWS IoT refuses an update that names any version but the current one.
    pub(super) version: u64,
}

/// The sections of a document. AWS IoT leaves out a section that is empty.
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

/// The members of an object as JSON text; empty if the value is not an object.
pub(super) fn members(object: &RawValue) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(object.get()).unwrap_or_default()
}

/// One member of an object as JSON text; `None` if the value is not an object or has no such member.
pub(super) fn member<'a>(object: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    members(object).remove(name)
}
