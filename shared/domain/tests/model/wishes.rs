//! Wished states: a device that becomes what its shadow wishes, and whoever sees that it has.

use std::sync::Arc;

use domain::{
    Payload, ShadowRoute,
    shadow::{agrees, overlaps},
};
use serde_json::{Map, Value, json};

use super::{
    handler::{Call, Handler},
    rules,
    scenario::{Scenario, at},
    shadow::FOREIGN,
    world::{Said, Word, World},
};

/// What the device has reported in its shadow, as the rule saw it: on its way to whoever sees to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shown {
    pub at: i64,
    pub reported: Arc<str>,
}

impl Scenario {
    pub fn wish(&self, n: usize) -> Option<&Payload> {
        self.commands[n].definition.payload.as_ref()
    }

    /// Whether two of them wish the same attribute.
    pub fn overlap(&self, a: usize, b: usize) -> bool {
        self.wish(a).zip(self.wish(b)).is_some_and(|(a, b)| overlaps(a, b))
    }

    fn attributes(&self, n: usize) -> Map<String, Value> {
        self.wish(n).and_then(|wish| serde_json::from_str(wish.as_json().get()).ok()).unwrap_or_default()
    }
}

impl World {
    fn is_wish(&self, n: usize) -> bool {
        let route = self.rows[n].as_ref().and_then(|row| row.via.shadow());
        matches!(route, Some(ShadowRoute::State(_)))
    }

    /// What is wished of the device, and it is not.
    pub fn wished(&self) -> Map<String, Value> {
        let state = &self.shadow.state;
        let desired = state["desired"].as_object().cloned().unwrap_or_default();
        desired.into_iter().filter(|(name, value)| state["reported"][name] != *value).collect()
    }

    /// The device becomes so in one of its attributes, and says so.
    pub fn become_wished(&mut self, scenario: &Scenario, name: &str) {
        let mut delta = self.wished();
        delta.retain(|other, _| other == name);
        for (name, value) in delta.iter().filter(|(_, value)| *value != FOREIGN) {
            let wishes = |n: usize| self.sent[n].attempt > 0 && scenario.attributes(n).get(name) == Some(value);
            let late = |n: usize| rules::is_late(scenario, self, n);
            let timely = (0..self.rows.len()).any(|n| wishes(n) && !late(n));
            self.break_rule((!timely).then_some(rules::LATE));
        }
        self.shadow.merge(&json!({ "reported": delta }));
        self.show(scenario);
    }

    /// The shadow has changed, and the rule has seen what its device reports.
    pub fn show(&mut self, scenario: &Scenario) {
        let reported: Arc<str> = self.shadow.state["reported"].to_string().into();
        for n in 0..self.rows.len() {
            let shows = |(name, value): (&String, &Value)| self.shadow.state["reported"][name] == *value;
            let is_so = self.sent[n].attempt > 0 && scenario.attributes(n).iter().all(shows);
            self.devices[n].begun |= u8::from(is_so) << 1;
        }
        if &*reported != "null" {
            // Whatever was shown before is lost.
            self.shown.clear();
            self.shown.push(Shown { at: self.now, reported });
        }
    }

    /// Whether nothing that this one alone wished is still wished, though the device never became so.
    pub fn is_unwished(&self, scenario: &Scenario, n: usize) -> bool {
        if !self.is_wish(n) {
            return true;
        }
        let delta = self.wished();
        let others = || (0..self.rows.len()).filter(|other| *other != n && self.sent[*other].attempt > 0);
        scenario.attributes(n).iter().filter(|(name, value)| delta.get(*name) == Some(value)).all(|(name, value)| {
            others().any(|other| {
                self.rows[other].as_ref().is_some_and(|row| !row.is_terminal() || row.withdraw)
                    && scenario.attributes(other).get(name) == Some(value)
            })
        })
    }
}

impl Handler {
    /// What the device has shown has arrived.
    pub fn seeing(shown: Shown, world: &World) -> Self {
        let row = world.row(0);
        Self { shown: Some(shown), ..Self::new(0, row, world.now, Call::Wishes) }
    }

    /// Whoever is in the lane of wishes, and wished what the device is now, has succeeded. No two wishes that overlap can both be so.
    pub fn grant(mut self, world: &World, scenario: &Scenario) -> Option<Self> {
        let shown = self.shown.clone()?;
        let is_so = |n: usize| {
            let sent = world.row(n).sent_at.is_some_and(|sent| sent <= at(shown.at));
            sent && scenario.wish(n).is_some_and(|wish| agrees(wish, &shown.reported))
        };
        let n = world.queue.ids.iter().filter_map(|id| world.named(id)).find(|n| is_so(*n))?;
        (self.n, self.row) = (n, world.row(n));
        self.said = Some(Said { n, attempt: self.row.attempt, word: Word::Succeeded, at: Some(shown.at) });
        self.finish(scenario)
    }
}
