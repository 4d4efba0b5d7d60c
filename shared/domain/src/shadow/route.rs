//! In which shadow, and in which dialect, a command reaches its device.

use std::fmt;

use serde::Deserialize;

use super::{ShadowError, ShadowUpdate, atlas, document, document::Document, map, state};
use crate::{Command, Execution, Key, NameError, Payload, ShadowName, Timestamp};

/// The dialect and the shadow. It is stored with the execution, as `atlas`, `map/<shadow>`, `state` or `state/<shadow>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ShadowRoute {
    /// The only entry of `desired.command` in the classic shadow, for the devices of AWS's IoT Atlas: one at a time.
    Atlas,
    /// `desired.c.<execution id>` in a named shadow: any number, each removable by itself.
    Map(ShadowName),
    /// The payload's attributes in `desired`, of the classic shadow or a named one: not a command, but a wanted state.
    State(Option<ShadowName>),
}

/// Not a route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownRoute {
    /// No such dialect.
    #[error("a shadow's dialect must be atlas, map, map/<shadow>, state or state/<shadow>: it is {0:?}")]
    Dialect(String),
    /// No such shadow.
    #[error("no shadow can have this name")]
    Shadow(#[source] NameError),
}

impl Default for ShadowRoute {
    fn default() -> Self {
        Self::Map(ShadowName::commands())
    }
}

impl fmt::Display for ShadowRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Atlas => f.write_str("atlas"),
            Self::Map(shadow) => write!(f, "map/{shadow}"),
            Self::State(None) => f.write_str("state"),
            Self::State(Some(shadow)) => write!(f, "state/{shadow}"),
        }
    }
}

impl ShadowRoute {
    /// The route that this text says; `map` alone means the shadow `cmd`.
    pub fn parse(text: &str) -> Result<Self, UnknownRoute> {
        let (dialect, shadow) = match text.split_once('/') {
            None => (text, None),
            Some((dialect, shadow)) => (dialect, Some(ShadowName::parse(shadow).map_err(UnknownRoute::Shadow)?)),
        };
        match (dialect, shadow) {
            ("atlas", None) => Ok(Self::Atlas),
            ("map", shadow) => Ok(Self::Map(shadow.unwrap_or_else(ShadowName::commands))),
            ("state", shadow) => Ok(Self::State(shadow)),
            _ => Err(UnknownRoute::Dialect(text.chars().take(64).collect())),
        }
    }

    /// The route that a thing declares by having the shadow `cmd`: `map`, unless `dialect` in it says `atlas`.
    pub fn declared(document: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Declaration {
            dialect: String,
        }
        let Ok(document) = Document::parse(document) else { return Self::default() };
        let document::Sections { desired, reported } = document.sections();
        // What the device itself says counts more than what is wished of it.
        let declared = [reported, desired]
            .into_iter()
            .flatten()
            .find_map(|section| serde_json::from_str::<Declaration>(section.get()).ok());
        if declared.is_some_and(|declared| declared.dialect == "atlas") { Self::Atlas } else { Self::default() }
    }

    /// Which shadow; none is the classic one.
    pub fn shadow(&self) -> Option<&ShadowName> {
        match self {
            Self::Atlas => None,
            Self::Map(shadow) => Some(shadow),
            Self::State(shadow) => shadow.as_ref(),
        }
    }

    /// What to write so that the device gets this command, now. It may be written again.
    pub fn delivery(
        &self,
        command: &Command,
        execution: &Execution,
        now: Timestamp,
    ) -> Result<ShadowUpdate, ShadowError> {
        match self {
            Self::Atlas => atlas::delivery(command, execution, now),
            Self::Map(shadow) => map::delivery(shadow, command, execution),
            Self::State(shadow) => {
                state::delivery(shadow.as_ref(), &execution.key, command.definition.payload.as_ref())
            }
        }
    }

    /// What to write so that nothing of this execution is left in the shadow; none if there is nothing.
    ///
    /// `wanted` is the command's payload. `document` is the shadow as it was read just now, none if there is no such shadow; after a 409 it
    /// has to be read again.
    pub fn withdrawal(
        &self,
        key: &Key,
        wanted: Option<&Payload>,
        document: Option<&[u8]>,
    ) -> Result<Option<ShadowUpdate>, ShadowError> {
        match (self, document) {
            (Self::Map(shadow), _) => map::withdrawal(shadow, key).map(Some),
            (_, None) => Ok(None),
            (Self::Atlas, Some(document)) => atlas::withdrawal(key, document),
            (Self::State(shadow), Some(document)) => state::withdrawal(shadow.as_ref(), key, wanted, document),
        }
    }

    /// Whether the shadow has to be read before a command can be withdrawn from it.
    pub fn needs_document(&self) -> bool {
        !matches!(self, Self::Map(_))
    }
}

#[cfg(test)]
mod tests;
