//! What must be written once a report has been handled.

use domain::HistoryEntry;

use super::{
    call::{Answer, Call},
    messages::{ReportMessage, ReportStatus},
    node::Node,
    scenario::Scenario,
    world::World,
};

pub const SUCCESS_IGNORED: &str = "a success that the device reports is applied";
pub const FAILURE_IGNORED: &str = "a failure of the last run that a device has begun is applied";
pub const IGNORED: &str = "a report that says something new is applied";

/// The rule that the handler of a report breaks which is done.
pub fn violation(scenario: &Scenario, world: &World, node: &Node, message: ReportMessage) -> Option<&'static str> {
    let row = world.row(message.n);
    if message.attempt > row.attempt {
        return None;
    }
    if message.status == ReportStatus::Succeeded && row.outcome.is_none() {
        return Some(SUCCESS_IGNORED);
    }
    let written =
        |(call, answer): (&Call, &Answer)| matches!((call, answer), (Call::WriteExecution(_), Answer::Applied(_)));
    if node.answers().any(written) {
        return None;
    }
    // Nothing was written, so its last answer showed the row as it is.
    let is_failure = matches!(message.status, ReportStatus::Failed | ReportStatus::Rejected);
    let is_last_run = !scenario.unfounded_reports && world.devices[message.n].attempt == message.attempt;
    let is_recorded = |entry: &HistoryEntry| {
        entry.attempt >= message.attempt && ["FAILED", "REJECTED"].iter().any(|end| entry.event.starts_with(end))
    };
    if is_failure && is_last_run && row.outcome.is_none() && !row.history.iter().any(is_recorded) {
        return Some(FAILURE_IGNORED);
    }
    let report = message.report(&scenario.setting.commands);
    let report = row.as_current_attempt(&report).unwrap_or(report);
    let change = report.change(row.key.clone(), node.event.time());
    // A device repeats all reports in its shadow with every change of it, and most say nothing.
    let in_shadow = scenario.route(message.n).is_some();
    let news = row.apply(&change).is_some() || (!in_shadow && row.active_again(&change).is_some());
    news.then_some(IGNORED)
}
