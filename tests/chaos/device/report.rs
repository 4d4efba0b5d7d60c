//! The report about an execution, in the format of the device.

use serde_json::json;

use super::{Device, KnownExecution, OutgoingReport};
use crate::{history::ReportedStatus, scenario::ReportFormat};

impl Device {
    /// The report about an execution in its current status.
    pub(super) fn report(&self, id: &str) -> OutgoingReport {
        let KnownExecution { request, request_text, came_in_shadow, status, seq } = &self.memory[id];
        let attempt = request.attempt;
        if *came_in_shadow && self.config.reports_in_shadow {
            let mut body = json!({"attempt": attempt, "status": status.as_str()});
            if *status == ReportedStatus::InProgress {
                body["seq"] = (*seq).into();
            }
            let payload = json!({"state": {"reported": {"c": {id: body}}}}).to_string();
            let topic = format!("$aws/things/{}/shadow/name/cmd/update", self.config.name);
            return OutgoingReport {
                topic,
                payload,
                execution: id.to_owned(),
                attempt,
                status: *status,
                is_named: true,
            };
        }
        let word = match status {
            ReportedStatus::Succeeded => "SUCCESS",
            ReportedStatus::Failed => "FAILURE",
            ReportedStatus::InProgress => "RUNNING",
            other => other.as_str(),
        };
        let topic = request.response_topic.clone();
        let (topic, payload, names_attempt) = match self.config.report_format {
            ReportFormat::Json => {
                let mut body = json!({"executionId": id, "attempt": attempt, "status": status.as_str()});
                match status {
                    ReportedStatus::InProgress if *seq > 0 => body["seq"] = (*seq).into(),
                    ReportedStatus::Succeeded => body["result"] = json!({"seq": seq}),
                    ReportedStatus::InProgress => {}
                    _ => body["statusReason"] = json!({"reasonCode": "LOW_BATTERY"}),
                }
                (topic, body.to_string(), true)
            }
            ReportFormat::Text => (topic, format!("{word} {id}"), false),
            ReportFormat::Echo => (topic, format!("{word}: command ran from payload: b'{request_text}'"), true),
            ReportFormat::IdInTopic => (format!("{topic}/{id}"), word.to_owned(), false),
            ReportFormat::WordOnly => (topic, word.to_owned(), false),
        };
        let names_execution = self.config.report_format != ReportFormat::WordOnly;
        let is_named = names_execution && (names_attempt || attempt == 1);
        OutgoingReport { topic, payload, execution: id.to_owned(), attempt, status: *status, is_named }
    }
}
