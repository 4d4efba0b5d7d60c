//! `DescribeEndpoint`: the host name that devices and applications connect to.

use serde::Deserialize;
use serde_json::json;

use super::error::Error;
use super::http::Outcome;
use super::store::{Context, Store};

const TYPES: [&str; 6] =
    ["iot:Data", "iot:Data-ATS", "iot:Data-Beta", "iot:CredentialProvider", "iot:Jobs", "iot:DeviceAdvisor"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeEndpoint {
    endpoint_type: Option<String>,
}

impl Store {
    /// Every endpoint type has the same address: one endpoint serves all protocols of the local stack.
    pub(super) fn describe_endpoint(&self, context: &Context<'_>, request: DescribeEndpoint) -> Outcome {
        match request.endpoint_type.as_deref() {
            Some(other) if !TYPES.contains(&other) => {
                Err(Error::invalid(format!("Unknown endpoint type {other}: it is one of {}", TYPES.join(", "))))
            }
            _ => Ok(json!({ "endpointAddress": context.scope.data_endpoint })),
        }
    }
}
