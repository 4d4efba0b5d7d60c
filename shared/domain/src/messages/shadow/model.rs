//! A model of an AWS IoT shadow for tests: merge, delta, version. Where AWS documents no behaviour, the model takes the
//! one that is harder to handle.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::messages::shadow::update::ShadowUpdate;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shadow {
    pub(super) desired: Value,
    pub(super) reported: Value,
    pub(super) version: u64,
}

impl Shadow {
    pub(super) fn new(desired: Value, reported: Value) -> Self {
        Self { desired, reported, version: 7 }
    }

    /// Accepts an update: merges its sections and increments the version.
    pub(super) fn update(&mut self, body: &Value) {
        if let Some(version) = body.get("version") {
            assert_eq!(version, &json!(self.version), "409");
        }
        for (section, patch) in [(&mut self.desired, "desired"), (&mut self.reported, "reported")] {
            if let Some(patch) = body["state"].get(patch) {
                merge(section, patch);
            }
        }
        self.version += 1;
    }

    pub(super) fn write(&mut self, update: &ShadowUpdate) {
        self.update(&body(update));
    }

    /// The answer of GetThingShadow, which leaves out an empty section.
    pub(super) fn document(&self) -> Vec<u8> {
        let mut state = Map::new();
        for (name, section) in [("desired", &self.desired), ("reported", &self.reported)] {
            if section != &json!({}) {
                state.insert(name.to_owned(), section.clone());
            }
        }
        json!({"state": state, "metadata": {"desired": {}}, "version": self.version, "timestamp": 1_700_000_000})
            .to_string()
            .into_bytes()
    }

    /// The delta that a connected device receives.
    pub(super) fn delta(&self) -> Option<Value> {
        difference(&self.desired, &self.reported)
    }
}

pub(super) fn body(update: &ShadowUpdate) -> Value {
    serde_json::from_slice(&update.body).unwrap()
}

/// Objects merge, null removes, every other value replaces.
pub(super) fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    let Value::Object(object) = into else { return };
    for (name, value) in members {
        match value {
            Value::Null => drop(object.remove(name)),
            value => merge(object.entry(name).or_insert(Value::Null), value),
        }
    }
}

fn difference(desired: &Value, reported: &Value) -> Option<Value> {
    match (desired, reported) {
        (Value::Object(desired), Value::Object(reported)) => {
            let different = desired.iter().filter_map(|(name, wanted)| {
                let difference = match reported.get(name) {
                    None => Some(wanted.clone()),
                    Some(reported) => difference(wanted, reported),
                };
                difference.map(|difference| (name.clone(), difference))
            });
            let different: Map<_, _> = different.collect();
            (!different.is_empty()).then_some(Value::Object(different))
        }
        (desired, reported) if desired == reported => None,
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => None,
        _ => Some(desired.clone()),
    }
}

/// The paths and values of all scalars, arrays and empty objects.
pub(super) fn leaves(value: &Value) -> Vec<(Vec<String>, Value)> {
    match value {
        Value::Object(members) if !members.is_empty() => members
            .iter()
            .flat_map(|(name, value)| {
                leaves(value).into_iter().map(|(mut path, leaf)| {
                    path.insert(0, name.clone());
                    (path, leaf)
                })
            })
            .collect(),
        leaf => vec![(Vec::new(), leaf.clone())],
    }
}

pub(super) fn at<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, name| value.get(name))
}

/// Attributes with few names and values, so that two of them often share some.
pub(super) fn attributes() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (0..3i64).prop_map(Value::from),
        (0..3i32).prop_map(|n| Value::from(f64::from(n))),
        "[xy]?".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..3).prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    });
    prop::collection::btree_map(prop_oneof!["[abc]", Just("command".to_owned())], value, 0..4)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

pub(super) fn shadow() -> impl Strategy<Value = Shadow> {
    (attributes(), attributes()).prop_map(|(desired, reported)| Shadow::new(desired, reported))
}
