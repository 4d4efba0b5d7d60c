//! The shadow service, for one shadow: a document with a version.

use std::sync::Arc;

use domain::{ShadowRoute, ShadowUpdate};
use serde_json::{Map, Value, json};

use super::device::contains_text;

/// The text that marks entries of another writer.
pub const FOREIGN: &str = "elsewhere";

/// A write of a request that AWS applies late, but before this time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LateWrite {
    pub n: usize,
    pub attempt: u16,
    pub state: Arc<Value>,
    pub until: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shadow {
    pub version: u64,
    pub state: Arc<Value>,
}

impl Shadow {
    /// The document; none if the shadow does not exist yet.
    pub fn read(&self) -> Option<Vec<u8>> {
        (self.version > 0).then(|| format!(r#"{{"state":{},"version":{}}}"#, self.state, self.version).into_bytes())
    }

    /// Applies an update; false on a version conflict.
    pub fn update(&mut self, update: &ShadowUpdate) -> bool {
        let body: Value = serde_json::from_slice(&update.body).unwrap();
        if body.get("version").is_some_and(|version| *version != self.version) {
            return false;
        }
        self.merge(&body["state"]);
        true
    }

    /// Another writer adds an entry of its own.
    pub fn write_foreign(&mut self, route: Option<&ShadowRoute>) {
        let desired = match route {
            Some(ShadowRoute::Atlas) => {
                let mut commands = self.state["desired"]["command"].as_array().cloned().unwrap_or_default();
                commands.push(json!({ "reboot": { "message": "", "topic": FOREIGN, "ttl": 1 } }));
                json!({ "command": commands })
            }
            Some(ShadowRoute::State(_)) => json!({ "light": FOREIGN }),
            Some(ShadowRoute::Map(_)) | None => json!({ "c": { FOREIGN: {} } }),
        };
        self.merge(&json!({ "desired": desired }));
    }

    /// Whether the delta holds the command of this execution in the dialect atlas. A device executes foreign commands
    /// too, but these are not checked here.
    pub fn has_unreported_command(&self, id: &str) -> bool {
        let commands = |section: &str| {
            let commands = self.state[section]["command"].as_array().into_iter().flatten();
            commands.filter(|command| !contains_text(command, FOREIGN)).collect::<Vec<_>>()
        };
        let desired = commands("desired");
        desired.iter().any(|command| contains_text(command, id)) && desired != commands("reported")
    }

    pub fn has_foreign(&self) -> bool {
        contains_text(&self.state["desired"], FOREIGN)
    }

    pub fn merge(&mut self, change: &Value) {
        merge(Arc::make_mut(&mut self.state), change);
        self.version += 1;
    }
}

/// Merges as AWS IoT does: objects member by member, null removes, any other value is replaced.
fn merge(current: &mut Value, change: &Value) {
    let Value::Object(change) = change else {
        *current = change.clone();
        return;
    };
    if !current.is_object() {
        *current = Value::Object(Map::new());
    }
    let Some(current) = current.as_object_mut() else { return };
    for (name, value) in change {
        match value {
            Value::Null => drop(current.remove(name)),
            value => merge(current.entry(name.clone()).or_insert(Value::Null), value),
        }
    }
}
