//! A handler: one invocation of a function, which makes one outside call after another, and may crash between any two
//! of them.

use std::hash::{DefaultHasher, Hash, Hasher};

use domain::{Actor, CancelNotice, Change, NextAction, Reason, Status};

use super::{
    call::{Call, LaneEntry, SendResult},
    change_rules,
    desired_states::ReportedState,
    messages::{ReportMessage, ToDevice},
    scenario::{Scenario, at},
    world::{Row, World},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Handler {
    /// The time of its event: a handler reads no clock.
    pub since: i64,
    /// The token of its claims, which no other handler has.
    pub token: u8,
    /// The execution, and its row as the handler has last read it.
    pub n: usize,
    pub row: Row,
    pub call: Call,
    /// The execution to go on with, after the next one of its lane is sent.
    pub outer: Option<(usize, Row)>,
    /// The report of its event, and the later attempt that the report is applied to.
    pub report_message: Option<ReportMessage>,
    pub applied_attempt: Option<u16>,
    /// Or the reported state of its event.
    pub reported_state: Option<ReportedState>,
    /// A reconciler postpones a row where its work fails.
    pub is_reconciler: bool,
    /// It cleans up the shadow before it writes the end.
    pub cleans_before_end: bool,
    pub lane_entry: LaneEntry,
}

/// The name of the functions in histories.
pub fn actor() -> Actor {
    Actor::function("model")
}

impl Handler {
    pub fn new(n: usize, row: Row, since: i64, call: Call) -> Self {
        Self {
            since,
            token: 0,
            n,
            row,
            call,
            outer: None,
            report_message: None,
            applied_attempt: None,
            reported_state: None,
            is_reconciler: false,
            cleans_before_end: false,
            lane_entry: LaneEntry::Other,
        }
    }

    /// The creator of a row, which has stored it: it sends the request, or enters the lane.
    pub fn creating(n: usize, row: Row, since: i64) -> Self {
        let call = if row.in_lane { Call::ReadToJoin } else { Call::Send };
        Self { lane_entry: LaneEntry::Create, ..Self::new(n, row, since, call) }
    }

    /// The handler of a report that arrives now, or has arrived at a handler that crashed.
    pub fn tracking(message: ReportMessage, row: Row, since: i64) -> Self {
        let message = ReportMessage { arrived_at: message.arrived_at.or(Some(since)), ..message };
        Self { report_message: Some(message), ..Self::new(message.n, row, since, Call::ApplyReport) }
    }

    /// A reconciler that has found a row; none if the row needs nothing.
    pub fn reconciling(n: usize, row: Row, since: i64) -> Option<Self> {
        Self { is_reconciler: true, ..Self::new(n, row, since, Call::WriteNextAction) }.next_action()
    }

    pub fn order(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    pub fn to(self, call: Call) -> Option<Self> {
        Some(Self { call, ..self })
    }

    /// Goes on with the next action of the row; none if there is none.
    pub fn next_action(self) -> Option<Self> {
        match self.row.next_action(at(self.since), &actor()) {
            NextAction::Nothing => None,
            NextAction::Write(_) => self.to(Call::WriteNextAction),
            NextAction::Send => self.to(Call::Claim),
            NextAction::TryLane => Self { lane_entry: LaneEntry::Check, ..self }.to(Call::ReadToJoin),
            NextAction::CleanUp { clean_shadow: true, .. } => self.to(Call::ReadShadow { again: false }),
            NextAction::CleanUp { leave_lane: true, .. } => self.to(Call::ReadToLeave),
            NextAction::CleanUp { .. } => self.to(Call::WriteCleanedUp),
        }
    }

    /// Writes a change on its condition. The handler's row is then its own row after the change, or the row of the
    /// conflict.
    pub fn write(&mut self, world: &mut World, change: &Change) -> bool {
        let (row, written) = world.write(self.n, change, self.since);
        let own = if written { self.row.apply(change) } else { None };
        self.row = own.map_or(row, Row::new);
        written
    }

    /// Makes the next call; none if the handler is done then.
    pub fn step(mut self, world: &mut World, scenario: &Scenario, result: SendResult) -> Option<Self> {
        let now = at(self.since);
        match self.call {
            Call::ApplyReport | Call::WriteActive | Call::MoveDueEarlier | Call::Finish { .. } => {
                self.report_call(world, scenario)
            }
            Call::Reroute | Call::Claim | Call::Send | Call::WriteResult(_) => self.send_call(world, scenario, result),
            Call::ReadShadow { .. } | Call::CleanShadow(_) | Call::WriteCleanedUp => self.cleanup_call(world, scenario),
            Call::ReadToJoin | Call::Join(_) | Call::CheckHead | Call::RemoveHead(_) | Call::WaitInLane => {
                self.enter_lane_call(world, scenario)
            }
            Call::ReadToLeave | Call::Leave(_) | Call::Settle(..) | Call::NextHead => {
                self.leave_lane_call(world, scenario)
            }
            Call::MatchDesiredState => self.match_desired_state(world, scenario),
            Call::Postpone => {
                let postponed = self.row.postpone_due(now)?;
                self.write(world, &postponed);
                None
            }
            Call::Cancel { force } => {
                let change = self.row.cancel(Reason::CanceledByOperator, now, force, actor()).ok()?;
                let runs_unforced = !force && self.row.status == Status::InProgress;
                world.report_violation(runs_unforced.then_some(change_rules::ILLEGAL));
                if self.write(world, &change) { self.to(Call::SendCancelNotice) } else { Some(self) }
            }
            Call::SendCancelNotice => {
                let notice = ToDevice::CancelNotice { n: self.n, attempt: self.row.attempt };
                world.to_device.extend(CancelNotice::of(&self.row).map(|_| notice));
                self.next_action()
            }
            Call::WriteNextAction => {
                let NextAction::Write(change) = self.row.next_action(now, &actor()) else { return None };
                self.write(world, &change);
                self.next_action()
            }
        }
    }
}
