//! A device that follows the protocol, and one that knows nothing of it and executes what it finds in its shadow.

use domain::ShadowRoute;
use serde_json::{Value, json};

use super::{
    messages::{ReportMessage, ReportStatus, ToDevice},
    scenario::{CLOCK_TOLERANCE, CREATED_AT, Scenario},
    send_rules,
    world::World,
};

/// What the device knows of one execution; a reboot does not lose it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Device {
    pub attempt: u16,
    pub state: State,
    /// The attempts that the device has started, one bit each; only rules read it.
    pub started: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    #[default]
    Unknown,
    /// With the number of heartbeats.
    Running(u8),
    Ended(ReportStatus),
    Canceled,
}

impl Device {
    /// Whether the device starts this attempt: it is new, and no earlier one runs or has succeeded.
    fn accepts(&self, attempt: u16) -> bool {
        match self.state {
            State::Unknown => true,
            State::Ended(ReportStatus::Failed | ReportStatus::Rejected) | State::Canceled => attempt > self.attempt,
            State::Running(_) | State::Ended(_) => false,
        }
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended(_))
    }

    fn report(&self, n: usize) -> Option<ReportMessage> {
        let status = match self.state {
            State::Running(_) => ReportStatus::InProgress(0),
            State::Ended(status) => status,
            State::Unknown | State::Canceled => return None,
        };
        Some(ReportMessage { n, attempt: self.attempt, status, arrived_at: None })
    }
}

impl World {
    /// A message arrives at the device.
    pub fn receive(&mut self, scenario: &Scenario, message: ToDevice) {
        match message {
            ToDevice::CancelNotice { n, attempt } => {
                let device = &mut self.devices[n];
                let over = matches!(device.state, State::Ended(_)) || device.attempt > attempt;
                if !over {
                    (device.attempt, device.state) = (attempt, State::Canceled);
                }
            }
            ToDevice::Request { n, attempt, expires_at } => self.consider(scenario, n, attempt, expires_at),
        }
    }

    fn consider(&mut self, scenario: &Scenario, n: usize, attempt: u16, expires_at: i64) {
        if !self.devices[n].accepts(attempt) {
            self.reports.extend(self.devices[n].report(n));
            return;
        }
        if self.now < expires_at + CLOCK_TOLERANCE {
            self.start(scenario, n, attempt);
            if scenario.no_start_report {
                return;
            }
        } else {
            let state = State::Ended(ReportStatus::Rejected);
            self.devices[n] = Device { attempt, state, ..self.devices[n] };
        }
        self.reports.extend(self.devices[n].report(n));
    }

    fn start(&mut self, scenario: &Scenario, n: usize, attempt: u16) {
        self.report_violation(send_rules::start_violation(scenario, self, n, attempt));
        let started = self.devices[n].started | 1 << attempt;
        self.devices[n] = Device { attempt, state: State::Running(0), started };
    }

    /// The device sends a heartbeat.
    pub fn send_heartbeat(&mut self, scenario: &Scenario, n: usize) {
        if let State::Running(seq) = self.devices[n].state {
            let report = self.devices[n].report(n).map(|report| match scenario.numbered_heartbeats {
                true => ReportMessage { status: ReportStatus::InProgress(seq + 1), ..report },
                false => report,
            });
            self.devices[n].state = State::Running(seq + 1);
            self.reports.extend(report);
        }
    }

    /// The device ends the execution.
    pub fn end_at_device(&mut self, scenario: &Scenario, n: usize, status: ReportStatus) {
        self.devices[n].state = State::Ended(status);
        self.reports.extend(self.devices[n].report(n));
        if scenario.route(n) == Some(&ShadowRoute::Atlas) {
            let mut reported = self.shadow.state["desired"]["command"].clone();
            if reported.is_null() {
                reported = json!([]);
            }
            self.shadow.merge(&json!({ "reported": { "command": reported } }));
        }
    }

    /// The device reboots: running executions fail, and it sends all reports again.
    pub fn reboot(&mut self) {
        for n in 0..self.devices.len() {
            if let State::Running(_) = self.devices[n].state {
                self.devices[n].state = State::Ended(ReportStatus::Failed);
            }
            self.reports.extend(self.devices[n].report(n));
        }
    }

    /// The attempt and expiry of a request that the device would find in its shadow and start.
    pub fn request_in_shadow(&self, n: usize) -> Option<(u16, i64)> {
        let row = self.rows[n].as_ref()?;
        let state = &self.shadow.state;
        match row.channel.shadow()? {
            ShadowRoute::Map(_) => {
                let entry = &state["desired"]["c"][row.key.id.as_str()];
                let attempt = u16::try_from(entry["attempt"].as_u64()?).ok()?;
                let expires_at = entry["expiresAt"].as_i64()? - CREATED_AT.as_seconds();
                self.devices[n].accepts(attempt).then_some((attempt, expires_at))
            }
            // The device knows no ids and no deadlines: it executes each desired command that it has not reported,
            // again if the command is put there again.
            ShadowRoute::Atlas => {
                let idle = !matches!(self.devices[n].state, State::Running(_));
                let news = self.shadow.has_unreported_command(row.key.id.as_str());
                (news && idle).then_some((1, i64::MAX - CLOCK_TOLERANCE))
            }
            ShadowRoute::State(_) => None,
        }
    }

    /// The shadow was written, and AWS sends its whole delta: a device runs a command of the dialect atlas in it, also
    /// one that it runs already. `sent`: the request that was put there, which it may be sent again.
    pub fn repeat_delta(&mut self, sent: Option<usize>) {
        let runs_again = |n: usize| {
            let row = self.rows[n].as_ref().filter(|_| self.devices[n].started != 0 && sent != Some(n));
            row.is_some_and(|row| self.shadow.has_unreported_command(row.key.id.as_str()))
        };
        let runs_again = (0..self.rows.len()).any(runs_again);
        self.report_violation(runs_again.then_some(send_rules::STARTED_TWICE));
    }

    /// The device reads its shadow.
    pub fn read_shadow(&mut self, scenario: &Scenario, n: usize) {
        let Some((attempt, expires_at)) = self.request_in_shadow(n) else { return };
        match scenario.route(n) {
            Some(ShadowRoute::Atlas) => self.start(scenario, n, attempt),
            _ => self.consider(scenario, n, attempt, expires_at),
        }
    }
}

/// Whether a text occurs in any name or string of a section of a shadow.
pub fn contains_text(section: &Value, text: &str) -> bool {
    match section {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(string) => string.contains(text),
        Value::Array(values) => values.iter().any(|value| contains_text(value, text)),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains(text) || contains_text(value, text)),
    }
}
