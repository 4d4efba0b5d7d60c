//! Reports in a shadow: what a device says about executions in the `reported` section.

use serde_json::value::RawValue;

use crate::execution::key::Key;
use crate::ids::ExecutionId;
use crate::messages::report::device_report::Report;
use crate::messages::report::error::ReportError;
use crate::messages::shadow::event::ShadowEvent;
use crate::messages::shadow::route::ShadowRoute;
use crate::messages::shadow::{atlas, document};
use crate::names::{ShadowName, ThingName};
use crate::topic::ResponseTopic;

/// An execution id in an error is cut here.
const MAX_ENTRY_CHARS: usize = 64;

/// The reports in a shadow, and the entries that are not reports.
#[derive(Debug, Default)]
pub struct ShadowReports {
    /// The reports.
    pub reports: Vec<ShadowReport>,
    /// The entries that are not reports.
    pub refused: Vec<ShadowReportError>,
}

/// A report in a shadow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowReport {
    /// The route that its command must have been sent on. Some devices echo everything in their shadow, so that the
    /// entry is a report only about an execution on this route.
    pub route: ShadowRoute,
    /// The report.
    pub report: Report,
}

/// Why an entry of a shadow is not a report.
#[derive(Debug, thiserror::Error)]
pub enum ShadowReportError {
    /// A device reports on the response topic of another thing.
    #[error("reported.command of {thing} answers for {other}")]
    Foreign {
        /// The thing that the shadow belongs to.
        thing: ThingName,
        /// The thing that the topic names.
        other: ThingName,
    },
    /// The entry is not a report in JSON.
    #[error("reported.c[{entry:?}] is not a report")]
    Report {
        /// The entry's name: the id of an execution.
        entry: String,
        /// Why the entry is not a report.
        source: ReportError,
    },
}

impl ShadowReportError {
    /// The execution that the entry is about, if its name is the id of one.
    pub fn execution(&self) -> Option<ExecutionId> {
        match self {
            Self::Foreign { .. } => None,
            Self::Report { entry, .. } => ExecutionId::parse(entry).ok(),
        }
    }
}

impl ShadowEvent {
    /// The reports in this shadow. A device reports each of them again with every later change of the shadow.
    pub fn reports(&self) -> ShadowReports {
        let mut found = ShadowReports::default();
        match (self.reported(), &self.shadow) {
            (None, _) => {}
            (Some(reported), None) => self.collect_atlas(reported, &mut found),
            (Some(reported), Some(shadow)) => self.collect_map(reported, shadow, &mut found),
        }
        found
    }

    /// `reported.command` in the IoT Atlas dialect: a command that the device echoes has succeeded.
    fn collect_atlas(&self, reported: &RawValue, found: &mut ShadowReports) {
        for command in atlas::entries(reported).into_iter().flat_map(atlas::commands_of) {
            match ResponseTopic::parse(&command.topic) {
                Ok(ResponseTopic { thing, execution: Some(id) }) if thing == self.thing => {
                    let report = Report::relayed(Key { thing, id }, command.message);
                    found.reports.push(ShadowReport { route: ShadowRoute::Atlas, report });
                }
                Ok(ResponseTopic { thing: other, .. }) if other != self.thing => {
                    found.refused.push(ShadowReportError::Foreign { thing: self.thing.clone(), other });
                }
                // Flaghoist sent no command with this topic.
                _ => {}
            }
        }
    }

    /// `reported.c.<execution id>` in Flaghoist's dialect.
    fn collect_map(&self, reported: &RawValue, shadow: &ShadowName, found: &mut ShadowReports) {
        let Some(entries) = document::member(reported, "c") else { return };
        for (name, entry) in document::members(entries) {
            let report = ExecutionId::parse(&name)
                .map_err(ReportError::Id)
                .and_then(|id| Report::decode_in_shadow(Key { thing: self.thing.clone(), id }, entry.get()));
            match report {
                Ok(report) => found.reports.push(ShadowReport { route: ShadowRoute::Map(shadow.clone()), report }),
                Err(source) => {
                    let entry = name.chars().take(MAX_ENTRY_CHARS).collect();
                    found.refused.push(ShadowReportError::Report { entry, source });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
