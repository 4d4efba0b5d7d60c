//! The calls of a handler that applies a report.

use domain::{Change, Condition, Report, ReportedStatus, Timestamp};

use super::{
    call::Call,
    change_rules,
    handler::Handler,
    messages::ReportStatus,
    scenario::{Scenario, at},
    world::{Row, World},
};

impl Handler {
    pub fn report_call(mut self, world: &mut World, scenario: &Scenario) -> Option<Self> {
        match self.call {
            Call::ApplyReport => {
                let report = self.report(scenario)?;
                if !matches!(report.reported, ReportedStatus::InProgress { seq } if seq > 0) {
                    self.row = world.row(self.n);
                    return self.apply_to_row(scenario);
                }
                let change = report.change(self.row.key.clone(), self.arrived_at()?);
                let (row, written) = self.write_report(world, &change);
                self.row = row;
                if written { self.move_due_earlier() } else { self.apply_to_row(scenario) }
            }
            Call::WriteActive => {
                let change = self.active_change(&self.report(scenario)?, self.arrived_at()?)?;
                if !self.write_report(world, &change).1 {
                    return self.apply_to_row(scenario);
                }
                if let Condition::Running { .. } = change.condition {
                    // A heartbeat of an earlier attempt must not keep this one alive.
                    let of_other_attempt = self.report(scenario)?.attempt != world.row(self.n).attempt;
                    world.report_violation(of_other_attempt.then_some(change_rules::ILLEGAL));
                    world.sent[self.n].heartbeat_only = true;
                }
                self.move_due_earlier()
            }
            Call::MoveDueEarlier => {
                let earlier = self.row.earlier_due()?;
                self.write(world, &earlier);
                None
            }
            Call::Finish { shadow_cleaned } => {
                let change = self.row.finish(&self.report(scenario)?, self.arrived_at()?, shadow_cleaned)?;
                if self.write_report(world, &change).1 { self.next_action() } else { self.finish(scenario) }
            }
            _ => None,
        }
    }

    fn arrived_at(&self) -> Option<Timestamp> {
        self.report_message?.arrived_at.map(at)
    }

    fn report(&self, scenario: &Scenario) -> Option<Report> {
        let report = self.report_message?.report(scenario);
        Some(Report { attempt: self.applied_attempt.unwrap_or(report.attempt), ..report })
    }

    /// Writes the change of a report, and checks that the report was to be applied.
    fn write_report(&mut self, world: &mut World, change: &Change) -> (Row, bool) {
        let was_sent = self.report_message.is_some_and(|message| message.attempt <= world.row(self.n).attempt);
        let written = self.write(world, change);
        // A repeated failure must not be applied as the failure of another attempt.
        let failure = self.report_message.filter(|message| message.status == ReportStatus::Failed && written);
        let failed = failure.map_or(0, |message| 1 << message.attempt);
        let repeated = world.sent[self.n].failed & failed != 0;
        world.sent[self.n].failed |= failed;
        // A desired state is satisfied only once the device has reported it.
        let unsatisfied = self.reported_state.is_some() && world.devices[self.n].started == 0;
        let illegal = written && (!was_sent || repeated || unsatisfied);
        world.report_violation(illegal.then_some(change_rules::ILLEGAL));
        (world.row(self.n), written)
    }

    /// Applies the report to the row that was read.
    fn apply_to_row(mut self, scenario: &Scenario) -> Option<Self> {
        let report = self.report(scenario)?;
        self.applied_attempt = self.row.as_current_attempt(&report).map(|report| report.attempt);
        let (report, arrived_at) = (self.report(scenario)?, self.arrived_at()?);
        match report.change(self.row.key.clone(), arrived_at).is_terminal() {
            true => self.finish(scenario),
            false => self.active_change(&report, arrived_at).is_some().then_some(self)?.to(Call::WriteActive),
        }
    }

    fn active_change(&self, report: &Report, arrived_at: Timestamp) -> Option<Change> {
        let change = report.change(self.row.key.clone(), arrived_at);
        if self.row.apply(&change).is_some() { Some(change) } else { self.row.active_again(&change) }
    }

    fn move_due_earlier(self) -> Option<Self> {
        self.row.earlier_due().is_some().then_some(self)?.to(Call::MoveDueEarlier)
    }

    /// Applies a report that ends the execution or its attempt.
    pub fn finish(mut self, scenario: &Scenario) -> Option<Self> {
        let (report, arrived_at) = (self.report(scenario)?, self.arrived_at()?);
        if self.row.finish(&report, arrived_at, false).is_none() {
            return if self.row.is_terminal() { self.next_action() } else { None };
        }
        self.cleans_before_end = self.row.leaves_one_cleanup(&report, arrived_at);
        let shadow_first = self.cleans_before_end;
        self.to(if shadow_first { Call::ReadShadow { again: false } } else { Call::Finish { shadow_cleaned: false } })
    }
}
