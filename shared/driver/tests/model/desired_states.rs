//! Desired states: a device that takes on what its shadow desires.

use std::sync::Arc;

use domain::{Payload, ShadowEvent, ShadowRoute};
use serde_json::{Map, Value, json};

use super::{
    messages::shadow_event,
    scenario::{Scenario, at},
    send_rules,
    shadow::FOREIGN,
    world::World,
};

/// The reported state of the shadow, as a rule forwards it to a handler.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportedState {
    pub at: i64,
    pub reported: Arc<str>,
}

impl ReportedState {
    /// The event of the classic shadow.
    pub fn event(&self) -> ShadowEvent {
        shadow_event(None, &serde_json::from_str(&self.reported).unwrap(), at(self.at))
    }
}

impl Scenario {
    pub fn desired_state(&self, n: usize) -> Option<&Payload> {
        self.setting.commands[n].definition.payload.as_ref()
    }

    /// Whether the n-th command sets a desired state.
    pub fn is_state(&self, n: usize) -> bool {
        matches!(self.route(n), Some(ShadowRoute::State(_)))
    }

    pub fn attributes(&self, n: usize) -> Map<String, Value> {
        let state = self.desired_state(n);
        state.and_then(|state| serde_json::from_str(state.as_json().get()).ok()).unwrap_or_default()
    }
}

impl World {
    /// The desired attributes that the device does not report. Commands of the dialect atlas are none.
    pub fn delta(&self) -> Map<String, Value> {
        let state = &self.shadow.state;
        let mut desired = state["desired"].as_object().cloned().unwrap_or_default();
        desired.remove("command");
        desired.into_iter().filter(|(name, value)| state["reported"][name] != *value).collect()
    }

    /// The device takes on one desired attribute, and reports it.
    pub fn take_on(&mut self, scenario: &Scenario, name: &str) {
        let mut delta = self.delta();
        delta.retain(|other, _| other == name);
        for (name, value) in delta.iter().filter(|(_, value)| *value != FOREIGN) {
            let sets = |n: usize| self.sent[n].attempt > 0 && scenario.attributes(n).get(name) == Some(value);
            let late = |n: usize| send_rules::is_late(scenario, self, n);
            let timely = (0..self.rows.len()).any(|n| sets(n) && !late(n));
            self.report_violation((!timely).then_some(send_rules::LATE));
        }
        self.shadow.merge(&json!({ "reported": delta }));
        self.forward_reported(scenario);
    }

    /// The shadow has changed, and the rule forwards its reported state. Only the last one is on its way: earlier
    /// ones are lost.
    pub fn forward_reported(&mut self, scenario: &Scenario) {
        let reported: Arc<str> = self.shadow.state["reported"].to_string().into();
        for n in (0..self.rows.len()).filter(|n| scenario.is_state(*n)) {
            let reports = |(name, value): (&String, &Value)| self.shadow.state["reported"][name] == *value;
            let reached = self.sent[n].attempt > 0 && scenario.attributes(n).iter().all(reports);
            self.devices[n].started |= u8::from(reached) << 1;
        }
        if &*reported != "null" {
            self.reported_states.clear();
            self.reported_states.push(ReportedState { at: self.now, reported });
        }
    }

    /// Whether no attribute that only this execution desired is left in the delta.
    pub fn is_removed_from_delta(&self, scenario: &Scenario, n: usize) -> bool {
        if !scenario.is_state(n) {
            return true;
        }
        let delta = self.delta();
        let others = || (0..self.rows.len()).filter(|other| *other != n && self.sent[*other].attempt > 0);
        scenario.attributes(n).iter().filter(|(name, value)| delta.get(*name) == Some(value)).all(|(name, value)| {
            others().any(|other| {
                self.rows[other].as_ref().is_some_and(|row| !row.is_terminal() || row.shadow_cleanup_pending)
                    && scenario.attributes(other).get(name) == Some(value)
            })
        })
    }
}
