//! What is desired and not yet reported.

use serde_json::{Map, Number, Value};

use super::document::Section;

/// The keys of `desired` that `reported` lacks or has otherwise, with the path to the root and with desired's
/// timestamps; `None` where nothing differs. What is only reported never counts.
pub(super) fn delta(desired: &Section, reported: &Section) -> Option<Section> {
    let delta = walk(&desired.state, &desired.metadata, &reported.state);
    (!delta.state.is_empty()).then_some(delta)
}

fn walk(desired: &Map<String, Value>, metadata: &Map<String, Value>, reported: &Map<String, Value>) -> Section {
    let mut delta = Section::default();
    for (key, wanted) in desired {
        let stamps = metadata.get(key);
        let (state, stamps) = match (wanted, stamps, reported.get(key)) {
            (Value::Object(wanted), Some(Value::Object(stamps)), Some(Value::Object(is))) => {
                let inner = walk(wanted, stamps, is);
                if inner.state.is_empty() {
                    continue;
                }
                (Value::Object(inner.state), Some(Value::Object(inner.metadata)))
            }
            (wanted, _, Some(is)) if same(wanted, is) => continue,
            (wanted, stamps, _) => (wanted.clone(), stamps.cloned()),
        };
        delta.state.insert(key.clone(), state);
        delta.metadata.extend(stamps.map(|stamps| (key.clone(), stamps)));
    }
    delta
}

/// Equality where 1 is 1.0.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Integers are compared as such: as floats, neighbours beyond 2^53 would be equal.
fn same_number(a: &Number, b: &Number) -> bool {
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

    fn of(desired: Value, reported: Value) -> Option<Value> {
        delta(&section(desired, 1), &section(reported, 2)).map(|delta| Value::Object(delta.state))
    }

    #[test]
    fn only_what_is_desired_and_differs() {
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
            assert_eq!(of(desired.clone(), reported.clone()), expected, "{desired} against {reported}");
        }
    }

    #[test]
    fn numbers_are_compared_by_value() {
        assert_eq!(of(json!({"a": 1, "b": [1, {"c": 2.0}]}), json!({"a": 1.0, "b": [1.0, {"c": 2}]})), None);
        assert!(of(json!({"a": 9_007_199_254_740_993_u64}), json!({"a": 9_007_199_254_740_992_u64})).is_some());
        assert!(of(json!({"a": u64::MAX}), json!({"a": -1})).is_some());
    }

    #[test]
    fn the_timestamps_are_those_of_desired() {
        let desired = section(json!({"a": {"b": 1, "c": [1, 2]}, "d": 1}), 7);
        let reported = section(json!({"a": {"b": 1}, "d": 1}), 9);
        let delta = delta(&desired, &reported).unwrap();
        assert_eq!(Value::Object(delta.metadata), json!({"a": {"c": [{"timestamp": 7}, {"timestamp": 7}]}}));
    }
}
