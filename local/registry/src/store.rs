//! All that the registry knows, and what an operation is told besides its request.

use std::collections::BTreeMap;

use local_pki::Pki;
use serde::{Deserialize, Serialize};

use super::certificates::Certificate;
use super::groups::Group;
use super::policies::Policy;
use super::things::Thing;
use super::types::ThingType;

/// The registry's state. Certificates go by their id, everything else by its name.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Store {
    pub things: BTreeMap<String, Thing>,
    pub types: BTreeMap<String, ThingType>,
    pub groups: BTreeMap<String, Group>,
    pub certificates: BTreeMap<String, Certificate>,
    pub policies: BTreeMap<String, Policy>,
}

/// Where the registry is: region, account and the devices' endpoint.
#[derive(Debug)]
pub(super) struct Site {
    pub region: String,
    pub account: String,
    pub data_endpoint: String,
}

/// What an operation is told besides its request.
pub(super) struct Call<'a> {
    pub site: &'a Site,
    pub pki: &'a Pki,
    pub now_ms: i64,
}

impl Site {
    /// `arn:aws:iot:<region>:<account>:<kind>/<name>`
    pub(super) fn arn(&self, kind: &str, name: &str) -> String {
        format!("arn:aws:iot:{}:{}:{kind}/{name}", self.region, self.account)
    }

    /// The name in an ARN of this kind, region and account.
    pub(super) fn name_in<'a>(&self, kind: &str, arn: &'a str) -> Option<&'a str> {
        arn.strip_prefix(&self.arn(kind, "")).filter(|name| !name.is_empty())
    }
}

/// A time as the API writes it: seconds since 1970, with a fraction.
pub(super) fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// An id for something new.
pub(super) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
