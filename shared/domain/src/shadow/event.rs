//! A shadow has changed, and what its device says in it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ShadowRoute, atlas, document, document::Sections};
use crate::{ExecutionId, Key, NameError, Report, ReportError, ResponseTopic, ShadowName, ThingName, Timestamp};

/// A shadow as it is now: `current` of a message on `update/documents`, as the shadow rules select it.
#[derive(Clone, Debug)]
pub struct ShadowEvent {
    /// Whose.
    pub thing: ThingName,
    /// Which; none is the classic shadow.
    pub shadow: Option<ShadowName>,
    /// Which state of it.
    pub version: u64,
    /// When the rule saw it.
    pub received_at: Timestamp,
    reported: Option<Box<RawValue>>,
}

/// Why an event is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ShadowEventError {
    /// Not what the shadow rules select.
    #[error("not the event of a shadow rule")]
    Event(#[source] serde_json::Error),
    /// About nothing that there is.
    #[error("no such thing or shadow")]
    Name(#[source] NameError),
    /// A state that is none.
    #[error("the state is not a shadow's")]
    State(#[source] serde_json::Error),
}

/// What devices say in a shadow, and what of it makes no sense.
#[derive(Debug, Default)]
pub struct ShadowReports {
    /// What they say.
    pub reports: Vec<ShadowReport>,
    /// What makes no sense.
    pub refused: Vec<ShadowReportError>,
}

/// What a device says in its shadow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowReport {
    /// How the command must have got there. Some devices echo whatever they find in their shadow: it is a report only on an execution that
    /// was sent by this very route.
    pub route: ShadowRoute,
    /// The report.
    pub report: Report,
}

/// An entry that is not a report.
#[derive(Debug, thiserror::Error)]
pub enum ShadowReportError {
    /// A device answers for another.
    #[error("reported.command of {thing} answers for {other}")]
    Foreign {
        /// Whose shadow it is.
        thing: ThingName,
        /// Whose topic it names.
        other: ThingName,
    },
    /// It says nothing that a report can say.
    #[error("reported.c[{entry:?}] is not a report")]
    Report {
        /// Its name.
        entry: String,
        /// Why.
        source: ReportError,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow)]
    thing: Cow<'a, str>,
    #[serde(borrow)]
    shadow: Option<Cow<'a, str>>,
    version: u64,
    received_at: i64,
    #[serde(borrow)]
    state: Option<&'a RawValue>,
}

impl ShadowEvent {
    /// The event, from `{"thing", "shadow", "version", "receivedAt", "state"}`; the classic shadow has no name, a cleared one no state.
    pub fn decode(event: &str) -> Result<Self, ShadowEventError> {
        let event: Event = serde_json::from_str(event).map_err(ShadowEventError::Event)?;
        let sections = match event.state {
            None => Sections::default(),
            Some(state) => serde_json::from_str(state.get()).map_err(ShadowEventError::State)?,
        };
        let shadow = event.shadow.map(|name| ShadowName::parse(&name)).transpose().map_err(ShadowEventError::Name)?;
        Ok(Self {
            thing: ThingName::parse(&event.thing).map_err(ShadowEventError::Name)?,
            shadow,
            version: event.version,
            received_at: Timestamp::from_millis(event.received_at),
            reported: sections.reported.map(ToOwned::to_owned),
        })
    }

    /// All that the device has reported in this shadow, as JSON.
    pub fn reported(&self) -> Option<&RawValue> {
        self.reported.as_deref()
    }

    /// What the device says about executions. It says so again whenever anything in the shadow changes.
    pub fn reports(&self) -> ShadowReports {
        let mut all = ShadowReports::default();
        match (&self.reported, &self.shadow) {
            (None, _) => {}
            (Some(reported), None) => self.relayed(reported, &mut all),
            (Some(reported), Some(shadow)) => self.entries(reported, shadow, &mut all),
        }
        all
    }

    /// `reported.command`, in the Atlas' dialect: what is in there has been done.
    fn relayed(&self, reported: &RawValue, all: &mut ShadowReports) {
        for echo in atlas::entries(reported).into_iter().flat_map(atlas::echoes) {
            // Whatever answers elsewhere is not ours.
            match ResponseTopic::parse(&echo.topic) {
                Ok(ResponseTopic { thing, execution: Some(id) }) if thing == self.thing => {
                    let report = Report::of_relay(Key { thing, id }, echo.message);
                    all.reports.push(ShadowReport { route: ShadowRoute::Atlas, report });
                }
                Ok(ResponseTopic { thing: other, .. }) if other != self.thing => {
                    all.refused.push(ShadowReportError::Foreign { thing: self.thing.clone(), other });
                }
                _ => {}
            }
        }
    }

    /// `reported.c.<execution id>`, in our own dialect.
    fn entries(&self, reported: &RawValue, shadow: &ShadowName, all: &mut ShadowReports) {
        let Some(entries) = document::member(reported, "c") else { return };
        for (name, entry) in document::members(entries) {
            let report = ExecutionId::parse(&name)
                .map_err(ReportError::Id)
                .and_then(|id| Report::in_shadow(Key { thing: self.thing.clone(), id }, entry.get()));
            match report {
                Ok(report) => all.reports.push(ShadowReport { route: ShadowRoute::Map(shadow.clone()), report }),
                Err(source) => {
                    let entry = name.chars().take(64).collect();
                    all.refused.push(ShadowReportError::Report { entry, source });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
