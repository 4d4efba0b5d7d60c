//! SAM's `Globals`: default properties of the functions and APIs of a template.

use serde_json::{Map, Value};

/// Merges as SAM does: maps by key, lists concatenated with the global items first, other values replaced by the local
/// one.
pub fn merge(global: &Value, local: &Value) -> Value {
    match (global, local) {
        (Value::Object(a), Value::Object(b)) if !is_intrinsic(a) && !is_intrinsic(b) => {
            let mut merged = a.clone();
            for (key, value) in b {
                let value = merged.get(key).map_or_else(|| value.clone(), |global| merge(global, value));
                merged.insert(key.clone(), value);
            }
            Value::Object(merged)
        }
        (Value::Array(a), Value::Array(b)) => Value::Array(a.iter().chain(b).cloned().collect()),
        (_, local) => local.clone(),
    }
}

/// Whether a map is an intrinsic function, `{"Ref": ..}` or `{"Fn::..": ..}`, which SAM never merges.
fn is_intrinsic(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.keys().all(|key| key == "Ref" || key.starts_with("Fn::"))
}
