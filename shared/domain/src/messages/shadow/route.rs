//! A shadow route: the shadow that a command is written to, and the dialect that it is written in.

use std::fmt;

use serde::Deserialize;

use crate::messages::shadow::document::{Document, Sections};
use crate::names::{NameError, ShadowName};

/// The shadow and the dialect of a command. Stored with the execution as `atlas`, `map/<shadow>`, `state` or
/// `state/<shadow>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ShadowRoute {
    /// `desired.command` of the classic shadow, in the dialect of AWS's IoT Atlas: one command at a time.
    Atlas,
    /// `desired.c.<execution id>` of a named shadow, in Flaghoist's dialect: any number of commands.
    Map(ShadowName),
    /// A desired state: the payload's members become attributes of `desired`, in the classic shadow or a named one.
    State(Option<ShadowName>),
}

/// Why a text is not a shadow route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShadowRouteError {
    /// The dialect is unknown, or takes no shadow's name.
    #[error("a shadow's dialect must be atlas, map, map/<shadow>, state or state/<shadow>: it is {0:?}")]
    Dialect(String),
    /// The name is not a shadow's name.
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
    /// Parses a route. `map` alone means the shadow `cmd`.
    ///
    /// # Errors
    ///
    /// [`ShadowRouteError`] if the dialect is unknown or the shadow's name is invalid.
    pub fn parse(text: &str) -> Result<Self, ShadowRouteError> {
        let (dialect, shadow) = match text.split_once('/') {
            None => (text, None),
            Some((dialect, shadow)) => (dialect, Some(ShadowName::parse(shadow).map_err(ShadowRouteError::Shadow)?)),
        };
        match (dialect, shadow) {
            ("atlas", None) => Ok(Self::Atlas),
            ("map", shadow) => Ok(Self::Map(shadow.unwrap_or_else(ShadowName::commands))),
            ("state", shadow) => Ok(Self::State(shadow)),
            _ => Err(ShadowRouteError::Dialect(text.chars().take(64).collect())),
        }
    }

    /// The route that a thing declares with the document of its shadow `cmd`: `map/cmd`, unless the member `dialect`
    /// says `atlas`.
    pub fn declared(document: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Declaration {
            dialect: String,
        }
        let Ok(document) = Document::parse(document) else { return Self::default() };
        let Sections { desired, reported } = document.sections();
        // What the device reports takes precedence over what an operator desires.
        let declared = [reported, desired]
            .into_iter()
            .flatten()
            .find_map(|section| serde_json::from_str::<Declaration>(section.get()).ok());
        if declared.is_some_and(|declared| declared.dialect == "atlas") { Self::Atlas } else { Self::default() }
    }

    /// The name of the shadow; `None` for the classic shadow.
    pub fn shadow(&self) -> Option<&ShadowName> {
        match self {
            Self::Atlas => None,
            Self::Map(shadow) => Some(shadow),
            Self::State(shadow) => shadow.as_ref(),
        }
    }

    /// Whether a removal depends on the shadow's current document, which has to be read first.
    pub fn needs_document(&self) -> bool {
        !matches!(self, Self::Map(_))
    }
}

#[cfg(test)]
mod tests;
