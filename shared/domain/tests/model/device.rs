//! A device that follows the protocol, and one that knows nothing of it and does whatever it sees in its shadow.

use domain::{ShadowRoute, Via};
use serde_json::{Value, json};

use super::{
    rules,
    scenario::{BORN, Scenario, TOLERANCE},
    shadow::FOREIGN,
    world::{Down, Said, Word, World},
};

/// What it knows of one execution, over a reboot too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Device {
    pub attempt: u16,
    pub state: State,
    /// The attempts that it has begun, one bit each: only a rule looks at it.
    pub begun: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    #[default]
    Unknown,
    Running(u8),
    Ended(Word),
    Canceled,
}

impl Device {
    /// Whether a request for this attempt is new, and nothing of an earlier one stands against it.
    fn admits(&self, attempt: u16) -> bool {
        match self.state {
            State::Unknown => true,
            State::Ended(Word::Failed | Word::Rejected) | State::Canceled => attempt > self.attempt,
            State::Running(_) | State::Ended(_) => false,
        }
    }

    fn answer(&self, n: usize) -> Option<Said> {
        let word = match self.state {
            State::Running(_) => Word::Running(0),
            State::Ended(word) => word,
            State::Unknown | State::Canceled => return None,
        };
        Some(Said { n, attempt: self.attempt, word, at: None })
    }
}

impl World {
    /// A message has reached the device.
    pub fn reach(&mut self, scenario: &Scenario, down: Down) {
        match down {
            Down::Cancel { n, attempt } => {
                let device = &mut self.devices[n];
                let over = matches!(device.state, State::Ended(_)) || device.attempt > attempt;
                if !over {
                    (device.attempt, device.state) = (attempt, State::Canceled);
                }
            }
            Down::Request { n, attempt, expires_at } => self.consider(scenario, n, attempt, expires_at),
        }
    }

    fn consider(&mut self, scenario: &Scenario, n: usize, attempt: u16, expires_at: i64) {
        if !self.devices[n].admits(attempt) {
            self.up.extend(self.devices[n].answer(n));
            return;
        }
        if self.now < expires_at + TOLERANCE {
            self.begin(scenario, n, attempt);
            if scenario.quiet {
                return;
            }
        } else {
            self.devices[n] = Device { attempt, state: State::Ended(Word::Rejected), ..self.devices[n] };
        }
        self.up.extend(self.devices[n].answer(n));
    }

    fn begin(&mut self, scenario: &Scenario, n: usize, attempt: u16) {
        self.break_rule(rules::of_beginning(scenario, self, n, attempt));
        let begun = self.devices[n].begun | 1 << attempt;
        self.devices[n] = Device { attempt, state: State::Running(0), begun };
    }

    /// The device says that it still runs.
    pub fn beat(&mut self, scenario: &Scenario, n: usize) {
        if let State::Running(seq) = self.devices[n].state {
            // One that answers in text can't count.
            let said = self.devices[n]
                .answer(n)
                .map(|said| if scenario.counts { Said { word: Word::Running(seq + 1), ..said } } else { said });
            self.devices[n].state = State::Running(seq + 1);
            self.up.extend(said);
        }
    }

    /// The device is done with it.
    pub fn end(&mut self, scenario: &Scenario, n: usize, word: Word) {
        self.devices[n].state = State::Ended(word);
        self.up.extend(self.devices[n].answer(n));
        if scenario.via == Via::Shadow(ShadowRoute::Atlas) {
            let mut reported = self.shadow.state["desired"]["command"].clone();
            if reported.is_null() {
                reported = json!([]);
            }
            self.shadow.merge(&json!({ "reported": { "command": reported } }));
        }
    }

    /// What ran has failed, and every answer is given again.
    pub fn reboot(&mut self) {
        for n in 0..self.devices.len() {
            if let State::Running(_) = self.devices[n].state {
                self.devices[n].state = State::Ended(Word::Failed);
            }
            self.up.extend(self.devices[n].answer(n));
        }
    }

    /// Whether the device would find something new in its shadow about this execution, and what.
    pub fn in_shadow(&self, scenario: &Scenario, n: usize) -> Option<(u16, i64)> {
        let row = self.rows[n].as_ref()?;
        let state = &self.shadow.state;
        match row.via.shadow()? {
            ShadowRoute::Map(_) => {
                let entry = &state["desired"]["c"][row.key.id.as_str()];
                let attempt = u16::try_from(entry["attempt"].as_u64()?).ok()?;
                let expires_at = entry["expiresAt"].as_i64()? - BORN.as_seconds();
                self.devices[n].admits(attempt).then_some((attempt, expires_at))
            }
            // It knows no ids and no deadlines: what is there and not reported is done, again if it comes again.
            ShadowRoute::Atlas => {
                let ours = names(&state["desired"], row.key.id.as_str());
                // Nor does it know who wants what, but others' commands are not what is looked at here.
                let known = |section: &str| {
                    let commands = state[section]["command"].as_array().into_iter().flatten();
                    commands.filter(|command| !names(command, FOREIGN)).cloned().collect::<Vec<_>>()
                };
                let news = known("desired") != known("reported");
                let idle = !matches!(self.devices[n].state, State::Running(_));
                (ours && news && idle && scenario.via == row.via).then_some((1, i64::MAX - TOLERANCE))
            }
            ShadowRoute::State(_) => None,
        }
    }

    /// The device reads its shadow.
    pub fn read_shadow(&mut self, scenario: &Scenario, n: usize) {
        let Some((attempt, expires_at)) = self.in_shadow(scenario, n) else { return };
        match scenario.via {
            Via::Shadow(ShadowRoute::Atlas) => self.begin(scenario, n, attempt),
            _ => self.consider(scenario, n, attempt, expires_at),
        }
    }
}

/// Whether this is anywhere in a section of a shadow.
pub fn names(section: &Value, id: &str) -> bool {
    match section {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.contains(id),
        Value::Array(values) => values.iter().any(|value| names(value, id)),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains(id) || names(value, id)),
    }
}
