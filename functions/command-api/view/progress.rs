//! The last interim report of a device as the API shows it.

use domain::InterimReport;
use runtime::time_format;
use serde::Serialize;
use serde_json::value::RawValue;

use super::parts;

/// What a device reported last of its run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgressView {
    at: String,
    attempt: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    result_cut: bool,
}

impl ProgressView {
    pub fn of(interim: &InterimReport) -> Self {
        Self {
            at: time_format::show(interim.at),
            attempt: interim.attempt,
            reason: interim.code.as_ref().map(ToString::to_string),
            reason_description: interim.description.clone(),
            result: interim.result.as_ref().and_then(parts::result),
            result_cut: interim.result.as_ref().is_some_and(|result| result.truncated),
        }
    }
}
