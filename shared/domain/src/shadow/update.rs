//! What is written to a shadow.

use serde::Serialize;

use super::ShadowError;
use crate::{Key, ShadowName, ThingName};

/// An update of one shadow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowUpdate {
    /// Whose.
    pub thing: ThingName,
    /// Which; none is the classic shadow.
    pub shadow: Option<ShadowName>,
    /// JSON. It may hold a version: AWS IoT answers 409 when the shadow has changed since it was read.
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

/// What changes in each section; none leaves the section alone.
#[derive(Serialize)]
pub(super) struct State<D, R> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) desired: Option<D>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reported: Option<R>,
}

impl ShadowUpdate {
    /// An update whatever else has changed. Devices echo its token, and so tell which execution they mean.
    pub(super) fn delivering<D: Serialize, R: Serialize>(
        key: &Key,
        shadow: Option<&ShadowName>,
        state: State<D, R>,
    ) -> Result<Self, ShadowError> {
        Self::new(key, shadow, Body { state, client_token: Some(key.id.as_str()), version: None })
    }

    /// An update without a token: nobody is to answer to it.
    pub(super) fn withdrawing<D: Serialize, R: Serialize>(
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
