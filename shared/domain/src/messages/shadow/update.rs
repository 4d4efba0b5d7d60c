//! An update of a shadow: the request of UpdateThingShadow.

use serde::Serialize;

use crate::execution::key::Key;
use crate::messages::shadow::error::ShadowError;
use crate::names::{ShadowName, ThingName};

/// An update of one shadow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowUpdate {
    /// The thing that the shadow belongs to.
    pub thing: ThingName,
    /// The name of the shadow; `None` for the classic shadow.
    pub shadow: Option<ShadowName>,
    /// The JSON body. Where it holds a version, AWS IoT answers 409 if the shadow has changed since that version.
    pub body: Vec<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a, D, R> {
    state: State<D, R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
}

/// The changes of each section. `None` leaves the section as it is.
#[derive(Serialize)]
pub(super) struct State<D, R> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) desired: Option<D>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reported: Option<R>,
}

impl ShadowUpdate {
    /// An update that delivers a command. It names no version, so that every version of the shadow accepts it. Its
    /// client token is the execution's id, which devices echo.
    pub(super) fn delivering<D: Serialize, R: Serialize>(
        key: &Key,
        shadow: Option<&ShadowName>,
        state: State<D, R>,
    ) -> Result<Self, ShadowError> {
        Self::new(key, shadow, Body { state, client_token: Some(key.id.as_str()), version: None })
    }

    /// An update that removes a command. It has no client token, since it asks the device for no report.
    pub(super) fn removing<D: Serialize, R: Serialize>(
        key: &Key,
        shadow: Option<&ShadowName>,
        state: State<D, R>,
        version: Option<u64>,
    ) -> Result<Self, ShadowError> {
        Self::new(key, shadow, Body { state, client_token: None, version })
    }

    fn new(key: &Key, shadow: Option<&ShadowName>, body: impl Serialize) -> Result<Self, ShadowError> {
        let body = serde_json::to_vec(&body).map_err(ShadowError::Update)?;
        Ok(Self { thing: key.thing.clone(), shadow: shadow.cloned(), body })
    }
}
