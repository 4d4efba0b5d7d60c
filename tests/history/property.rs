//! The properties that every history must have, and a violation of one.

use std::fmt::{Display, Formatter, Result};

/// A property of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    ExcludedIsNotAsked,
    MeantIsAsked,
    CountsAreExact,
    AcceptedIsStored,
    ExecutionEnds,
    NothingStaysDue,
    TransitionIsLegal,
    AttemptRunsOnce,
    RunStartsInTime,
    RequestMatchesRow,
    ReportIsStored,
    FinalStatusWasReported,
    LaneKeepsOrder,
    RequestIsClaimed,
    CancelIsKept,
    ApiShowsRow,
    ShadowIsClean,
    EndedLeavesLane,
}

impl Display for Property {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::ExcludedIsNotAsked => "an excluded thing is not asked",
            Self::MeantIsAsked => "each thing of a command has an execution",
            Self::CountsAreExact => "the counts of a command are those of its executions",
            Self::AcceptedIsStored => "an accepted execution has a row",
            Self::ExecutionEnds => "every execution ends",
            Self::NothingStaysDue => "no due entry remains at the end",
            Self::TransitionIsLegal => "a row changes only as its progress allows",
            Self::AttemptRunsOnce => "a device runs an attempt at most once",
            Self::RunStartsInTime => "no run can start after its expiry",
            Self::RequestMatchesRow => "requests and runs belong to a stored attempt",
            Self::ReportIsStored => "a final report is in the row",
            Self::FinalStatusWasReported => "a final status was reported by the device",
            Self::LaneKeepsOrder => "a lane sends one execution at a time and stops after a failure",
            Self::RequestIsClaimed => "a request is claimed before it is sent",
            Self::CancelIsKept => "a cancel notice follows a cancel, and no run follows it",
            Self::ApiShowsRow => "the API shows the stored status",
            Self::ShadowIsClean => "no shadow holds an ended execution",
            Self::EndedLeavesLane => "an ended execution leaves its lane",
        })
    }
}

/// A violation of a property by one execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub property: Property,
    /// The execution, as `thing/execution id`.
    pub execution: String,
    /// The entries of the history that contradict the property.
    pub entries: String,
}

impl Violation {
    pub fn new(property: Property, thing: &str, execution: &str, entries: String) -> Self {
        Self { property, execution: format!("{thing}/{execution}"), entries }
    }
}

impl Display for Violation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} violates \"{}\": {}", self.execution, self.property, self.entries)
    }
}
