//! The update that removes an execution from a shadow.

use crate::command::payload::Payload;
use crate::execution::key::Key;
use crate::messages::shadow::error::ShadowError;
use crate::messages::shadow::route::ShadowRoute;
use crate::messages::shadow::update::ShadowUpdate;
use crate::messages::shadow::{atlas, map, state};

impl ShadowRoute {
    /// The update that removes everything of an execution from the shadow; `None` if the shadow holds nothing of it.
    ///
    /// `payload` is the command's. `document` is the current document of the shadow, `None` if there is no such shadow;
    /// after a 409 it has to be read again. Without it, a route that does not [need it](Self::needs_document) removes what
    /// any document may hold.
    ///
    /// # Errors
    ///
    /// [`ShadowError::Document`] if `document` is not a shadow document.
    pub fn removal_update(
        &self,
        key: &Key,
        payload: Option<&Payload>,
        document: Option<&[u8]>,
    ) -> Result<Option<ShadowUpdate>, ShadowError> {
        match (self, document) {
            (Self::Map(shadow), document) => map::removal_update(shadow, key, document),
            (_, None) => Ok(None),
            (Self::Atlas, Some(document)) => atlas::removal_update(key, document),
            (Self::State(shadow), Some(document)) => state::removal_update(shadow.as_ref(), key, payload, document),
        }
    }
}

#[cfg(test)]
mod tests;
