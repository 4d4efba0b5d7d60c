//! An execution as the API shows it.

use aws::DeviceConnection;
use domain::{Execution, Key, Timestamp, UnusableReport, UnusableReports};
use runtime::time_format;
use serde::Serialize;
use serde_json::{Value, value::RawValue};

use super::{parts, progress::ProgressView};
use crate::command_api::history::Entry;

/// One command on one thing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionView {
    command_id: String,
    execution_id: String,
    thing: String,
    name: String,
    status: &'static str,
    delivery_status: &'static str,
    reason: Option<String>,
    reason_description: Option<String>,
    attempt: u16,
    via: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lane: Option<Value>,
    late: bool,
    result: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    result_cut: bool,
    created_at: String,
    created_by: String,
    deadline: String,
    finish_by: String,
    next_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    /// Reports about the execution, or perhaps about it, that changed nothing. Shown with the explanation.
    #[serde(skip_serializing_if = "Option::is_none")]
    unusable_reports: Option<Vec<UnusableReportView>>,
    /// The device's connection now. Shown with the explanation of one execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<ConnectionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<ProgressView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_confirmed: Option<bool>,
    history: Vec<Entry>,
}

impl ExecutionView {
    /// The execution as it is at `now`. `explain` adds the explanation of its status.
    pub fn new(execution: &Execution, now: Timestamp, explain: bool) -> Self {
        let execution = &execution.observe(now);
        let explanation = execution.explain(now);
        let Key { thing, id } = &execution.key;
        let outcome = execution.outcome.as_ref();
        let result = outcome.and_then(|outcome| outcome.result.as_ref());
        Self {
            command_id: execution.command.to_string(),
            execution_id: id.to_string(),
            thing: thing.to_string(),
            name: execution.name.to_string(),
            status: execution.status.as_str(),
            delivery_status: execution.delivery_status.as_str(),
            reason: execution.reason_code().map(str::to_owned),
            reason_description: outcome.and_then(|outcome| outcome.description.clone()),
            attempt: execution.attempt,
            via: execution.channel.to_string(),
            retry: execution.retry.as_ref().map(parts::retry),
            lane: execution.lane.as_ref().map(parts::lane),
            late: execution.is_late(),
            result: result.and_then(parts::result),
            result_cut: result.is_some_and(|result| result.truncated),
            created_at: time_format::show(execution.created_at),
            created_by: execution.created_by.to_string(),
            deadline: time_format::show(execution.start_by),
            finish_by: time_format::show(execution.finish_by),
            next_at: explanation.next.as_ref().map(|next| time_format::show(next.at)),
            explanation: explain.then(|| explanation.text(time_format::show)),
            unusable_reports: None,
            connection: None,
            stop_confirmed: execution.stop_confirmed(),
            progress: execution.interim.as_ref().map(ProgressView::of),
            history: execution.timeline(now).into_iter().map(Entry::from).collect(),
        }
    }
}

impl ExecutionView {
    /// The view with those of the thing's unusable reports that are about this execution, or may be.
    pub fn with_unusable(self, execution: &Execution, reports: &UnusableReports) -> Self {
        let reports: Vec<_> = reports.about(execution).map(UnusableReportView::from).collect();
        let explanation = match (self.explanation, reports.last()) {
            (Some(explanation), Some(last)) => {
                let UnusableReportView { received_at, reason, .. } = last;
                Some(format!("{explanation} A report of {received_at} could not be used: {reason}."))
            }
            (explanation, _) => explanation,
        };
        Self { explanation, unusable_reports: Some(reports), ..self }
    }
}

impl ExecutionView {
    /// The view with the device's connection. The explanation of an execution that has not ended says since when its device
    /// has been offline.
    pub fn with_connection(self, execution: &Execution, connection: Option<&DeviceConnection>) -> Self {
        let since = connection.and_then(|connection| connection.since).map(time_format::show);
        let connected = connection.is_some_and(|connection| connection.connected);
        let explanation = match (self.explanation, &since) {
            (Some(explanation), Some(since)) if !connected && !execution.is_terminal() => {
                Some(format!("{explanation} {} has been offline since {since}.", execution.key.thing))
            }
            (explanation, _) => explanation,
        };
        let disconnect_reason = connection.and_then(|connection| connection.disconnect_reason.clone());
        let connection = ConnectionView { connected, since, disconnect_reason };
        Self { explanation, connection: Some(connection), ..self }
    }
}

/// A device's connection.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ConnectionView {
    connected: bool,
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_reason: Option<String>,
}

/// A report that could not be used.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UnusableReportView {
    received_at: String,
    reason: String,
    excerpt: String,
}

impl From<&UnusableReport> for UnusableReportView {
    fn from(report: &UnusableReport) -> Self {
        let received_at = time_format::show(report.received_at);
        Self { received_at, reason: report.reason.clone(), excerpt: report.excerpt.clone() }
    }
}

/// A page of executions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionList {
    pub executions: Vec<ExecutionView>,
    pub next_token: Option<String>,
}
