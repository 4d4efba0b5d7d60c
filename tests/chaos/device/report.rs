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
        let (member, named) = match &request.command_id {
            Some(command) => ("commandId", command.as_str()),
            None => ("executionId", id),
        };
        let format = self.config.report_format;
        let (topic, payload, names_attempt) = match format {
            ReportFormat::Json => {
                let mut body = json!({member: named, "attempt": attempt, "status": status.as_str()});
                match status {
                    ReportedStatus::InProgress if *seq > 0 => body["seq"] = (*seq).into(),
                    ReportedStatus::Succeeded => body["result"] = json!({"seq": seq}),
                    ReportedStatus::InProgress => {}
                    _ => body["statusReason"] = json!({"reasonCode": "LOW_BATTERY"}),
                }
                (topic, body.to_string(), true)
            }
            ReportFormat::Text => (topic, format!("{word} {named}"), false),
            ReportFormat::Echo => (topic, format!("{word}: command ran from payload: b'{request_text}'"), true),
            ReportFormat::IdInTopic => (format!("{topic}/{named}"), word.to_owned(), false),
            ReportFormat::WordOnly => (topic, word.to_owned(), false),
        };
        let names_execution = format != ReportFormat::WordOnly;
        // Any text may hold a UUID, so one in plain text is not taken for the id of a command.
        let names_execution = names_execution && (request.command_id.is_none() || format != ReportFormat::Text);
        let is_named = names_execution && (names_attempt || attempt == 1);
        OutgoingReport { topic, payload, execution: id.to_owned(), attempt, status: *status, is_named }
    }
}
