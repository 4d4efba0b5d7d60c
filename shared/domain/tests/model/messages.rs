//! Messages on their way: requests and cancel notices to the device, reports from it.

use domain::{Channel, Report, ShadowRoute};

use super::scenario::{Scenario, thing};

/// A message to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ToDevice {
    Request { n: usize, attempt: u16, expires_at: i64 },
    CancelNotice { n: usize, attempt: u16 },
}

/// A report of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportMessage {
    pub n: usize,
    pub attempt: u16,
    pub status: ReportStatus,
    /// When it first arrived. A handler that crashes is started again with the same time.
    pub arrived_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportStatus {
    /// With the number of the heartbeat.
    InProgress(u8),
    Succeeded,
    Failed,
    Rejected,
}

impl ReportMessage {
    /// The report, decoded from its message.
    pub fn report(&self, scenario: &Scenario) -> Report {
        let key = scenario.commands[self.n].key_at(&thing());
        if matches!(scenario.channel, Channel::Shadow(ShadowRoute::State(_))) {
            return Report::desired_state(key, self.attempt);
        }
        let (status, seq) = match self.status {
            ReportStatus::InProgress(seq) => ("IN_PROGRESS", seq),
            ReportStatus::Succeeded => ("SUCCEEDED", 0),
            ReportStatus::Failed => ("FAILED", 0),
            ReportStatus::Rejected => ("REJECTED", 0),
        };
        let text =
            format!(r#"{{"executionId":"{}","attempt":{},"status":"{status}","seq":{seq}}}"#, key.id, self.attempt);
        Report::decode("cmd/pump-7/resp", text.as_bytes()).unwrap()
    }
}
