//! The things' shadows: how things declare their dialect and read their shadows, and what other writers do with them.

use serde_json::{Value, json};

use crate::{history::ShadowEntry, scenario::Dialect, world::World};

/// Packet identifier of shadow requests; no report uses it.
const SHADOW_REQUEST: u16 = u16::MAX;

impl World<'_> {
    /// Declares in the shadow `cmd` of each thing how it takes commands there.
    pub fn declare_dialects(&mut self) {
        for device in &self.devices {
            let Some(dialect) = device.config.dialect else { continue };
            let word = if dialect == Dialect::Map { "map" } else { "atlas" };
            let update = json!({"state": {"reported": {"dialect": word}}}).to_string();
            self.shadows.update(&device.config.name, Some("cmd"), update.as_bytes()).expect("the update is valid");
        }
    }

    /// Requests all shadows that a device reads, or only the one with this topic.
    pub fn request_shadows(&mut self, thing: usize, only: Option<&str>) {
        let device = &self.devices[thing];
        let Some(connection) = device.connection.as_ref().filter(|_| device.is_subscribed) else { return };
        for shadow in device.shadow_topics() {
            if only.is_none_or(|only| only == shadow) {
                connection.publish(&format!("{shadow}/get"), b"", SHADOW_REQUEST);
            }
        }
    }

    /// Handles a delta, which lets the device request the whole shadow, or a whole shadow.
    pub fn on_shadow_message(&mut self, thing: usize, topic: &str, text: &str) {
        if let Some(shadow) = topic.strip_suffix("/update/delta") {
            return self.request_shadows(thing, Some(shadow));
        }
        let document: Value = serde_json::from_str(text).expect("a shadow is JSON");
        let now_ms = self.now_ms();
        let actions = self.devices[thing].on_shadow_document(topic, &document, now_ms, &mut self.random);
        self.trace(|| format!("{topic}: {text}"));
        self.perform_actions(thing, actions);
    }

    /// Writes members that do not concern the functions into the shadows of a thing, as another application does.
    pub fn write_foreign_state(&mut self, thing: usize) {
        let name = self.devices[thing].config.name.clone();
        let update = json!({"state": {"reported": {"seen": self.now_ms()}, "desired": {"other": thing}}}).to_string();
        for shadow in [None, Some("cmd"), Some("config")] {
            if shadow != Some("cmd") || self.devices[thing].config.dialect.is_some() {
                self.shadows.update(&name, shadow, update.as_bytes()).expect("the update is valid");
            }
        }
        self.trace(|| format!("another application writes into the shadows of {name}"));
    }

    /// Adds the entries of executions that shadows still have to the history.
    pub fn record_shadow_entries(&mut self) {
        for device in &self.devices {
            let thing = &device.config.name;
            let state = |shadow| self.shadows.get(thing, shadow).map(|document| document["state"].clone());
            for section in ["desired", "reported"] {
                let mut executions: Vec<String> = Vec::new();
                if let Ok(state) = state(Some("cmd")) {
                    let entries = state[section]["c"].as_object().cloned().unwrap_or_default();
                    executions.extend(entries.into_iter().map(|(id, _)| id));
                }
                if let Ok(state) = state(None) {
                    let entries = state[section]["command"].as_array().cloned().unwrap_or_default();
                    let topics =
                        entries.iter().filter_map(|entry| entry.as_object()?.values().next()?["topic"].as_str());
                    executions.extend(topics.filter_map(|topic| topic.rsplit('/').next()).map(str::to_owned));
                }
                let entry = |execution| ShadowEntry { thing: thing.clone(), execution, section };
                self.history.shadow_entries.extend(executions.into_iter().map(entry));
            }
        }
    }
}
