//! The delta of a shadow: the desired values that differ from the reported ones.

use serde_json::{Map, Number, Value};

use super::document::Section;

/// The keys of `desired` that `reported` lacks or has with another value, with their parent objects and with the
/// timestamps of `desired`; `None` if nothing differs. Keys that only `reported` has are ignored.
pub(super) fn delta(desired: &Section, reported: &Section) -> Option<Section> {
    let delta = section_delta(&desired.state, &desired.metadata, &reported.state);
    (!delta.state.is_empty()).then_some(delta)
}

fn section_delta(
    desired: &Map<String, Value>,
    metadata: &Map<String, Value>,
    reported: &Map<String, Value>,
) -> Section {
    let mut delta = Section::default();
    for (key, desired_value) in desired {
        let timestamps = metadata.get(key);
        let (state, timestamps) = match (desired_value, timestamps, reported.get(key)) {
            (Value::Object(desired_value), Some(Value::Object(timestamps)), Some(Value::Object(actual))) => {
                let inner = section_delta(desired_value, timestamps, actual);
                if inner.state.is_empty() {
                    continue;
                }
                (Value::Object(inner.state), Some(Value::Object(inner.metadata)))
            }
            (desired_value, _, Some(actual)) if values_equal(desired_value, actual) => continue,
            (desired_value, timestamps, _) => (desired_value.clone(), timestamps.cloned()),
        };
        delta.state.insert(key.clone(), state);
        delta.metadata.extend(timestamps.map(|timestamps| (key.clone(), timestamps)));
    }
    delta
}

/// Equality of JSON values in which 1 equals 1.0.
fn values_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => numbers_equal(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| values_equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| values_equal(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Compares integers exactly: as floats, neighbours above 2^53 would be equal.
fn numbers_equal(a: &Number, b: &Number) -> bool {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a == b,
        _ => a.as_f64() == b.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn section(state: Value, now_s: i64) -> Section {
        let mut section = Section::default();
        section.merge(state.as_object().unwrap(), now_s);
        section
    }

    fn delta_state(desired: Value, reported: Value) -> Option<Value> {
        delta(&section(desired, 1), &section(reported, 2)).map(|delta| Value::Object(delta.state))
    }

    #[test]
    fn delta_holds_desired_values_that_differ() {
        let cases = [
            (json!({}), json!({"a": 1}), None),
            (json!({"a": 1}), json!({}), Some(json!({"a": 1}))),
            (json!({"a": 1}), json!({"a": 1, "b": 2}), None),
            (json!({"a": true}), json!({"a": false}), Some(json!({"a": true}))),
            (json!({"a": "1"}), json!({"a": 1}), Some(json!({"a": "1"}))),
            (json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 1, "c": 3, "d": 4}}), Some(json!({"a": {"c": 2}}))),
            (json!({"a": {"b": 1}}), json!({"a": [1]}), Some(json!({"a": {"b": 1}}))),
            (json!({"a": {}}), json!({}), Some(json!({"a": {}}))),
            (json!({"a": {}}), json!({"a": 3}), Some(json!({"a": {}}))),
            (json!({"a": {}}), json!({"a": {"b": 1}}), None),
            (json!({"a": [1, 2]}), json!({"a": [2, 1]}), Some(json!({"a": [1, 2]}))),
            (json!({"a": [{"b": 1}]}), json!({"a": [{"b": 1, "c": 2}]}), Some(json!({"a": [{"b": 1}]}))),
        ];
        for (desired, reported, expected) in cases {
            assert_eq!(delta_state(desired.clone(), reported.clone()), expected, "{desired} against {reported}");
        }
    }

    #[test]
    fn numbers_are_compared_by_value() {
        assert_eq!(delta_state(json!({"a": 1, "b": [1, {"c": 2.0}]}), json!({"a": 1.0, "b": [1.0, {"c": 2}]})), None);
        assert!(
            delta_state(json!({"a": 9_007_199_254_740_993_u64}), json!({"a": 9_007_199_254_740_992_u64})).is_some()
        );
        assert!(delta_state(json!({"a": u64::MAX}), json!({"a": -1})).is_some());
    }

    #[test]
    fn delta_carries_the_timestamps_of_desired() {
        let desired = section(json!({"a": {"b": 1, "c": [1, 2]}, "d": 1}), 7);
        let reported = section(json!({"a": {"b": 1}, "d": 1}), 9);
        let delta = delta(&desired, &reported).unwrap();
        assert_eq!(Value::Object(delta.metadata), json!({"a": {"c": [{"timestamp": 7}, {"timestamp": 7}]}}));
    }
}
