//! Shadows in the field: how things declare theirs, look into them, and who else writes there.

use serde_json::{Value, json};

use crate::{history::Left, plan::Dialect, world::World};

/// No report has this number.
const NO_REPORT: u16 = u16::MAX;

impl World<'_> {
    /// Things say that they take commands in a shadow.
    pub fn declare(&mut self) {
        for device in &self.devices {
            let Some(dialect) = device.thing.dialect else { continue };
            let word = if dialect == Dialect::Map { "map" } else { "atlas" };
            let update = json!({"state": {"reported": {"dialect": word}}}).to_string();
            self.shadows.update(&device.thing.name, Some("cmd"), update.as_bytes()).expect("a shadow");
        }
    }

    /// A device asks for its shadows, or for one of them.
    pub fn look(&mut self, thing: usize, only: Option<&str>) {
        let device = &self.devices[thing];
        let Some(connection) = device.connection.as_ref().filter(|_| device.is_ready) else { return };
        for shadow in device.shadows() {
            if only.is_none_or(|only| only == shadow) {
                connection.publish(&format!("{shadow}/get"), b"", NO_REPORT);
            }
        }
    }

    /// A device hears of a shadow: that it has changed, or all that is in it.
    pub fn on_shadow(&mut self, thing: usize, topic: &str, text: &str) {
        if let Some(shadow) = topic.strip_suffix("/update/delta") {
            return self.look(thing, Some(shadow));
        }
        let document: Value = serde_json::from_str(text).expect("a document");
        let at_ms = self.now_ms();
        let acts = self.devices[thing].on_document(topic, &document, at_ms, &mut self.dice);
        self.tell(|| format!("{topic}: {text}"));
        self.act(thing, acts);
    }

    /// Someone else writes into a thing's shadows, and is none of the functions' business.
    pub fn meddle(&mut self, thing: usize) {
        let name = self.devices[thing].thing.name.clone();
        let update = json!({"state": {"reported": {"seen": self.now_ms()}, "desired": {"other": thing}}}).to_string();
        for shadow in [None, Some("cmd"), Some("config")] {
            if shadow != Some("cmd") || self.devices[thing].thing.dialect.is_some() {
                self.shadows.update(&name, shadow, update.as_bytes()).expect("a shadow");
            }
        }
        self.tell(|| format!("somebody writes into the shadows of {name}"));
    }

    /// What is left of executions in shadows, when all is over.
    pub fn look_into_shadows(&mut self) {
        for device in &self.devices {
            let thing = &device.thing.name;
            let state = |shadow| self.shadows.get(thing, shadow).map(|document| document["state"].clone());
            for section in ["desired", "reported"] {
                let mut found: Vec<String> = Vec::new();
                if let Ok(state) = state(Some("cmd")) {
                    let entries = state[section]["c"].as_object().cloned().unwrap_or_default();
                    found.extend(entries.into_iter().map(|(id, _)| id));
                }
                if let Ok(state) = state(None) {
                    let entries = state[section]["command"].as_array().cloned().unwrap_or_default();
                    let topics =
                        entries.iter().filter_map(|entry| entry.as_object()?.values().next()?["topic"].as_str());
                    found.extend(topics.filter_map(|topic| topic.rsplit('/').next()).map(str::to_owned));
                }
                let left = found.into_iter().map(|execution| Left { thing: thing.clone(), execution, section });
                self.history.left.extend(left);
            }
        }
    }
}
