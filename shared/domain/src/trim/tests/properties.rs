//! The trimmer on arbitrary messages, compared with references that work on trees.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{NOW, body, delta, trimmed};
use crate::trim::{AllowList, ShadowMessageKind, TrimOptions, TrimOutcome};

/// JSON that a shadow may hold, with commands and values that resemble them.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z\\\\\"\u{e9}\n]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("command".to_owned()),
        Just("c".to_owned()),
        Just("ttl".to_owned()),
        Just("expiresAt".to_owned()),
        "[a-c\"\\\\]{1,2}"
    ]
}

fn object() -> impl Strategy<Value = Value> {
    prop::collection::vec((key(), json_value()), 0..6).prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// The reference of the allow-list, on a tree.
fn keep_reference(value: &Value, paths: &[Vec<String>]) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let mut kept = Map::new();
    for (name, value) in members {
        let below: Vec<Vec<String>> = paths.iter().filter(|p| p[0] == *name).map(|p| p[1..].to_vec()).collect();
        if below.is_empty() {
            continue;
        }
        if below.iter().any(Vec::is_empty) || !value.is_object() {
            kept.insert(name.clone(), value.clone());
            continue;
        }
        let value = keep_reference(value, &below);
        if value != json!({}) {
            kept.insert(name.clone(), value);
        }
    }
    Value::Object(kept)
}

proptest! {
    #[test]
    fn arbitrary_text_does_not_panic(text in ".{0,64}", paths in "[a-c.,]{0,8}") {
        let allow_list = AllowList::parse(&paths).unwrap_or_default();
        let options = TrimOptions { kind: ShadowMessageKind::Accepted, allow_list };
        let _ = trimmed(&text, &options, NOW);
    }

    #[test]
    fn the_whole_state_is_kept_when_nothing_expires(state in object(), accepted: bool) {
        // At this time nothing has expired: no number of the state is lower.
        let message = delta(state.clone(), json!({"padding": "x".repeat(200)}));
        let kind = if accepted { ShadowMessageKind::Accepted } else { ShadowMessageKind::Delta };
        let options = TrimOptions { kind, allow_list: AllowList::default() };
        let outcome = trimmed(&message, &options, i64::from(i32::MIN)).expect("a shadow message");
        if let TrimOutcome::Trimmed { body, .. } = outcome {
            let body: Value = serde_json::from_str(&body).expect("JSON");
            prop_assert_eq!(body, json!({"state": state, "version": 7, "clientToken": "t-1"}));
        }
    }

    #[test]
    fn the_allow_list_agrees_with_its_reference(
        state in object(), paths in prop::collection::vec(prop::collection::vec("[a-c]|command|c", 1..4), 1..4),
    ) {
        let list = paths.iter().map(|p| p.join(".")).collect::<Vec<_>>().join(",");
        let mut body = String::new();
        AllowList::parse(&list).expect("paths").write(&state.to_string(), &mut body).expect("an object");
        prop_assert_eq!(serde_json::from_str::<Value>(&body).expect("JSON"), keep_reference(&state, &paths));
    }

    #[test]
    fn exactly_the_live_commands_are_kept(
        ttls in prop::collection::vec(0i64..200, 1..6), ages in prop::collection::vec(0i64..200, 6),
    ) {
        let commands: Vec<Value> = ttls.iter().map(|ttl| json!({"x": {"ttl": ttl}})).collect();
        let stamps: Vec<Value> = ages.iter().map(|age| json!({"x": {"ttl": {"timestamp": NOW - age}}})).collect();
        let message = delta(json!({"command": commands, "on": true}), json!({"command": stamps}));
        let with_ages = commands.iter().zip(ttls.iter().zip(&ages));
        let live: Vec<&Value> = with_ages.filter(|(_, (ttl, age))| age <= ttl).map(|(command, _)| command).collect();
        let body = body(&message, &TrimOptions::default());
        let left: Vec<&Value> = body["state"]["command"].as_array().into_iter().flatten().collect();
        prop_assert_eq!(live, left);
    }
}
