//! What the payload of a report says, before it is joined with what its topic or its place in a shadow says.

use serde_json::value::RawValue;

use crate::ids::ExecutionId;
use crate::messages::report::reason_code::ReasonCode;
use crate::messages::report::reported_status::ReportedStatus;
use crate::messages::report::result::ReportResult;

/// At most this much of a device's description is kept.
pub(super) const MAX_DESCRIPTION_BYTES: usize = 512;

/// At most this much of an unknown status is quoted in an error.
pub(super) const MAX_QUOTED_STATUS_BYTES: usize = 64;

pub(super) struct ReportContent {
    pub(super) execution: Option<ExecutionId>,
    pub(super) attempt: Option<u64>,
    pub(super) reported: ReportedStatus,
    pub(super) code: Option<ReasonCode>,
    pub(super) description: Option<String>,
    pub(super) result: Option<ReportResult>,
    pub(super) is_relayed: bool,
    pub(super) echo: Option<Vec<u8>>,
}

impl ReportContent {
    /// The content of a relayed message. Devices of the AWS IoT Atlas dialect relay the message as the last step of a
    /// command, so it means success.
    pub(super) fn relayed(message: Option<&RawValue>) -> Self {
        let result = message.map(|message| ReportResult::new(message.get()));
        Self {
            execution: None,
            attempt: None,
            reported: ReportedStatus::Succeeded,
            code: None,
            description: None,
            result,
            is_relayed: true,
            echo: None,
        }
    }
}
