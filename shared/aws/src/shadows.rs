//! The shadows of things.

use aws_sdk_iotdataplane::{
    Client,
    operation::{get_thing_shadow::GetThingShadowError, update_thing_shadow::UpdateThingShadowError},
    primitives::Blob,
};
use domain::{ShadowName, ShadowUpdate, ThingName};

use crate::Error;

/// The device shadow service.
#[derive(Clone, Debug)]
pub struct Shadows {
    client: Client,
}

/// What came of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// It is in the shadow.
    Done,
    /// Someone else was faster: the shadow has another version than the update was made for.
    Conflict,
    /// There is no room for it: a shadow holds 8 KB.
    TooLarge,
}

impl Shadows {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The document of a shadow; none if there is no such shadow.
    pub async fn get(&self, thing: &ThingName, shadow: Option<&ShadowName>) -> Result<Option<Vec<u8>>, Error> {
        let asked = self.client.get_thing_shadow().thing_name(thing.as_str());
        let answer = asked.set_shadow_name(shadow.map(ToString::to_string)).send().await;
        match answer {
            Ok(answer) => Ok(answer.payload.map(Blob::into_inner)),
            Err(error) => match error.as_service_error() {
                Some(GetThingShadowError::ResourceNotFoundException(_)) => Ok(None),
                _ => Err(Error::sdk("reading a shadow", thing, error)),
            },
        }
    }

    /// Updates a shadow.
    pub async fn update(&self, update: &ShadowUpdate) -> Result<Updated, Error> {
        let asked = self.client.update_thing_shadow().thing_name(update.thing.as_str());
        let shadow = update.shadow.as_ref().map(ToString::to_string);
        let answer = asked.set_shadow_name(shadow).payload(Blob::new(update.body.clone())).send().await;
        match answer {
            Ok(_) => Ok(Updated::Done),
            Err(error) => match error.as_service_error() {
                Some(UpdateThingShadowError::ConflictException(_)) => Ok(Updated::Conflict),
                Some(UpdateThingShadowError::RequestEntityTooLargeException(_)) => Ok(Updated::TooLarge),
                _ => Err(Error::sdk("updating a shadow", &update.thing, error)),
            },
        }
    }
}
