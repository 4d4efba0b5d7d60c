//! Merges an update into a section, and records the timestamp of each value.

use serde_json::{Map, Value, json};

use super::document::Section;

impl Section {
    /// Merges `patch`: objects key by key; null deletes a key; any other value replaces the old one. `now_s`: seconds
    /// since 1970.
    pub(super) fn merge(&mut self, patch: &Map<String, Value>, now_s: i64) {
        merge(&mut self.state, &mut self.metadata, patch, now_s);
    }
}

fn merge(state: &mut Map<String, Value>, metadata: &mut Map<String, Value>, patch: &Map<String, Value>, now_s: i64) {
    for (key, value) in patch {
        match (value, state.get_mut(key), metadata.get_mut(key)) {
            (Value::Null, ..) => {
                state.remove(key);
                metadata.remove(key);
            }
            (Value::Object(patch), Some(Value::Object(state)), Some(Value::Object(metadata))) => {
                merge(state, metadata, patch, now_s);
            }
            _ => {
                let value = without_nulls(value);
                metadata.insert(key.clone(), timestamps(&value, now_s));
                state.insert(key.clone(), value);
            }
        }
    }
}

/// Removes null members: in a new value there is no key for a null to delete.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        leaf => leaf.clone(),
    }
}

/// The metadata of a value written at `now_s`: its shape, with a timestamp in place of every leaf.
pub(super) fn timestamps(value: &Value, now_s: i64) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), timestamps(value, now_s))).collect(),
        Value::Array(items) => items.iter().map(|item| timestamps(item, now_s)).collect(),
        _ => json!({ "timestamp": now_s }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(patches: &[Value]) -> Section {
        let mut section = Section::default();
        for (now_s, patch) in (1..).zip(patches) {
            section.merge(patch.as_object().unwrap(), now_s);
        }
        section
    }

    fn state(patches: &[Value]) -> Value {
        Value::Object(merged(patches).state)
    }

    #[test]
    fn values_replace_and_objects_merge() {
        let old = json!({"a": 1, "b": {"c": 2, "d": [1, 2]}});
        assert_eq!(state(&[old.clone(), json!({"b": {"d": [3]}})]), json!({"a": 1, "b": {"c": 2, "d": [3]}}));
        assert_eq!(state(&[old.clone(), json!({"a": {"x": 1}, "b": 5})]), json!({"a": {"x": 1}, "b": 5}));
        assert_eq!(state(&[old.clone(), json!({"b": [{"c": 1}]})]), json!({"a": 1, "b": [{"c": 1}]}));
        assert_eq!(state(&[old.clone(), json!({"b": {"d": {"0": 3}}})]), json!({"a": 1, "b": {"c": 2, "d": {"0": 3}}}));
        assert_eq!(state(&[old.clone(), json!({})]), old);
    }

    #[test]
    fn null_deletes_and_is_never_stored() {
        assert_eq!(state(&[json!({"a": 1, "b": 2}), json!({"a": null, "z": null})]), json!({"b": 2}));
        assert_eq!(state(&[json!({"a": {"b": null, "c": 1}})]), json!({"a": {"c": 1}}));
        assert_eq!(state(&[json!({"a": [{"b": null, "c": 1}]})]), json!({"a": [{"c": 1}]}));
        assert_eq!(state(&[json!({"b": {"c": 2}}), json!({"b": {"c": null}})]), json!({"b": {}}));
    }

    #[test]
    fn an_empty_object_is_a_value() {
        assert_eq!(state(&[json!({"c": 3}), json!({"c": {}, "d": {}})]), json!({"c": {}, "d": {}}));
        assert_eq!(state(&[json!({"c": {"x": 1}}), json!({"c": {}})]), json!({"c": {"x": 1}}));
    }

    #[test]
    fn every_leaf_has_the_timestamp_of_its_last_write() {
        let section = merged(&[
            json!({"a": 1, "b": {"c": 2, "d": 3}, "e": [1, {"f": 2}, [3]], "g": {}}),
            json!({"a": 1, "b": {"c": 9}}),
        ]);
        let at = |s| json!({ "timestamp": s });
        let expected = json!({"a": at(2), "b": {"c": at(2), "d": at(1)}, "e": [at(1), {"f": at(1)}, [at(1)]], "g": {}});
        assert_eq!(Value::Object(section.metadata), expected);
    }

    #[test]
    fn a_key_named_timestamp_is_an_ordinary_key() {
        let section = merged(&[json!({"timestamp": 5}), json!({"timestamp": {"timestamp": 6}})]);
        assert_eq!(Value::Object(section.metadata), json!({"timestamp": {"timestamp": {"timestamp": 2}}}));
    }
}
