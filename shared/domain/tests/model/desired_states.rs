//! Desired states: a device that takes on what its shadow desires, and the handler that finds the executions it
//! satisfies.

use std::sync::Arc;

use domain::{Payload, ShadowRoute, desired_state_reached, desired_states_overlap};
use serde_json::{Map, Value, json};

use super::{
    call::Call,
    handler::Handler,
    messages::{ReportMessage, ReportStatus},
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

impl Scenario {
    pub fn desired_state(&self, n: usize) -> Option<&Payload> {
        self.commands[n].definition.payload.as_ref()
    }

    /// Whether two desired states set the same attribute.
    pub fn overlap(&self, a: usize, b: usize) -> bool {
        self.desired_state(a).zip(self.desired_state(b)).is_some_and(|(a, b)| desired_states_overlap(a, b))
    }

    fn attributes(&self, n: usize) -> Map<String, Value> {
        let state = self.desired_state(n);
        state.and_then(|state| serde_json::from_str(state.as_json().get()).ok()).unwrap_or_default()
    }
}

impl World {
    fn is_desired_state(&self, n: usize) -> bool {
        let route = self.rows[n].as_ref().and_then(|row| row.channel.shadow());
        matches!(route, Some(ShadowRoute::State(_)))
    }

    /// The desired attributes that the device does not report.
    pub fn delta(&self) -> Map<String, Value> {
        let state = &self.shadow.state;
        let desired = state["desired"].as_object().cloned().unwrap_or_default();
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
        for n in 0..self.rows.len() {
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
        if !self.is_desired_state(n) {
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

impl Handler {
    /// The handler of a reported state.
    pub fn matching(state: ReportedState, world: &World) -> Self {
        let row = world.row(0);
        Self { reported_state: Some(state), ..Self::new(0, row, world.now, Call::MatchDesiredState) }
    }

    /// Completes the first desired-state execution in the lane that the reported state satisfies. Overlapping desired
    /// states can't both be satisfied.
    pub fn match_desired_state(mut self, world: &World, scenario: &Scenario) -> Option<Self> {
        let state = self.reported_state.clone()?;
        let is_satisfied = |n: usize| {
            let sent = world.row(n).sent_at.is_some_and(|sent| sent <= at(state.at));
            sent && scenario.desired_state(n).is_some_and(|desired| desired_state_reached(desired, &state.reported))
        };
        let n = world.queue.ids.iter().filter_map(|id| world.index_of(id)).find(|n| is_satisfied(*n))?;
        (self.n, self.row) = (n, world.row(n));
        let (attempt, status) = (self.row.attempt, ReportStatus::Succeeded);
        self.report_message = Some(ReportMessage { n, attempt, status, arrived_at: Some(state.at) });
        self.finish(scenario)
    }
}
