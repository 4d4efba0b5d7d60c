//! A shadow event: the current document of a shadow that has changed, as the shadow rules select it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::messages::shadow::document::Sections;
use crate::names::{NameError, ShadowName, ThingName};
use crate::timestamp::Timestamp;

/// The current document of a shadow that has changed: `current` of a message on `update/documents`.
#[derive(Clone, Debug)]
pub struct ShadowEvent {
    /// The thing that the shadow belongs to.
    pub thing: ThingName,
    /// The name of the shadow; `None` for the classic shadow.
    pub shadow: Option<ShadowName>,
    /// The version of the document.
    pub version: u64,
    /// The time at which AWS IoT received the change.
    pub received_at: Timestamp,
    reported: Option<Box<RawValue>>,
}

/// Why a text is not a shadow event.
#[derive(Debug, thiserror::Error)]
pub enum ShadowEventError {
    /// The event does not have the members that the shadow rules select.
    #[error("not the event of a shadow rule")]
    Event(#[source] serde_json::Error),
    /// The name of the thing or of the shadow is invalid.
    #[error("no such thing or shadow")]
    Name(#[source] NameError),
    /// The state is not an object with sections.
    #[error("the state is not a shadow's")]
    State(#[source] serde_json::Error),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow)]
    thing: Cow<'a, str>,
    #[serde(borrow)]
    shadow: Option<Cow<'a, str>>,
    version: u64,
    received_at: i64,
    #[serde(borrow)]
    state: Option<&'a RawValue>,
}

impl ShadowEvent {
    /// Decodes `{"thing", "shadow", "version", "receivedAt", "state"}`. The event of a classic shadow has no `shadow`;
    /// that of an empty shadow has no `state`.
    ///
    /// # Errors
    ///
    /// [`ShadowEventError`] if a member is missing or of the wrong type, or a name is invalid.
    pub fn decode(event: &str) -> Result<Self, ShadowEventError> {
        let event: Event = serde_json::from_str(event).map_err(ShadowEventError::Event)?;
        let sections = match event.state {
            None => Sections::default(),
            Some(state) => serde_json::from_str(state.get()).map_err(ShadowEventError::State)?,
        };
        let shadow = event.shadow.map(|name| ShadowName::parse(&name)).transpose().map_err(ShadowEventError::Name)?;
        Ok(Self {
            thing: ThingName::parse(&event.thing).map_err(ShadowEventError::Name)?,
            shadow,
            version: event.version,
            received_at: Timestamp::from_millis(event.received_at),
            reported: sections.reported.map(ToOwned::to_owned),
        })
    }

    /// The `reported` section as JSON.
    pub fn reported(&self) -> Option<&RawValue> {
        self.reported.as_deref()
    }
}

#[cfg(test)]
mod tests;
