//! The Device Shadow service.

use aws_sdk_iotdataplane::{
    Client,
    operation::{get_thing_shadow::GetThingShadowError, update_thing_shadow::UpdateThingShadowError},
    primitives::Blob,
};
use calls::ShadowWriteOutcome;
use domain::{ShadowName, ShadowUpdate, ThingName};

use crate::error::{Error, FromAnswer};

/// The shadows of things.
#[derive(Clone, Debug)]
pub struct Shadows {
    client: Client,
}

impl Shadows {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Reads the document of a shadow; none if the shadow does not exist. Without a name, it is the classic shadow.
    ///
    /// # Errors
    /// A failed read.
    pub async fn get(&self, thing: &ThingName, shadow: Option<&ShadowName>) -> Result<Option<Vec<u8>>, Error> {
        let request = self.client.get_thing_shadow().thing_name(thing.as_str());
        let answer = request.set_shadow_name(shadow.map(ToString::to_string)).send().await;
        match answer {
            Ok(answer) => Ok(answer.payload.map(Blob::into_inner)),
            Err(error) => match error.as_service_error() {
                Some(GetThingShadowError::ResourceNotFoundException(_)) => Ok(None),
                _ => Err(Error::sdk("reading a shadow", thing, error)),
            },
        }
    }

    /// Updates a shadow.
    ///
    /// # Errors
    /// A failed write.
    pub async fn update(&self, update: &ShadowUpdate) -> Result<ShadowWriteOutcome, Error> {
        let request = self.client.update_thing_shadow().thing_name(update.thing.as_str());
        let shadow = update.shadow.as_ref().map(ToString::to_string);
        let answer = request.set_shadow_name(shadow).payload(Blob::new(update.body.clone())).send().await;
        match answer {
            Ok(_) => Ok(ShadowWriteOutcome::Applied),
            Err(error) => match error.as_service_error() {
                Some(UpdateThingShadowError::ConflictException(_)) => Ok(ShadowWriteOutcome::Conflict),
                Some(UpdateThingShadowError::RequestEntityTooLargeException(_)) => Ok(ShadowWriteOutcome::TooLarge),
                _ => Err(Error::sdk("updating a shadow", &update.thing, error)),
            },
        }
    }
}
