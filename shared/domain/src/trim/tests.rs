//! Each rule of the trimmer by example, then against a reference that works on trees.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

const NOW: i64 = 1_700_000_100;

fn delta(state: Value, metadata: Value) -> String {
    json!({"version": 7, "timestamp": NOW, "state": state, "metadata": metadata, "clientToken": "t-1"}).to_string()
}

fn with(keep: &str, kind: Kind) -> TrimOptions {
    TrimOptions { kind, keep: Keep::parse(keep).expect("a good allow-list") }
}

fn trimmed(message: &str, options: &TrimOptions, now_s: i64) -> Result<Trimmed, TrimError> {
    let message: &RawValue = serde_json::from_str(message).map_err(TrimError::Malformed)?;
    trim(message, options, now_s)
}

fn body(message: &str, options: &TrimOptions) -> Value {
    match trimmed(message, options, NOW).expect("a shadow message") {
        Trimmed::Message { body, .. } => serde_json::from_str(&body).expect("JSON"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn metadata_and_timestamp_go_and_the_state_stays_byte_for_byte() {
    let message = r#"{"version":7,"timestamp":1,"state":{"b": 1.00, "a":"\u00e9"},"metadata":{"b":{"timestamp":1},"a":{"timestamp":1}}}"#;
    let trimmed = trimmed(message, &TrimOptions::default(), NOW).expect("a shadow message");
    let body = r#"{"state":{"b": 1.00, "a":"\u00e9"},"version":7}"#.to_owned();
    assert_eq!(trimmed, Trimmed::Message { body, version: 7, original_bytes: message.len() });
}

#[test]
fn what_the_rule_added_does_not_count_as_the_message() {
    let bare = delta(json!({"a": 1}), json!({"a": {"timestamp": 1}}));
    let inner = bare.strip_suffix('}').expect("an object");
    let added = format!(r#"{inner},"thing":"pump-7","shadow":"cmd","receivedAt":1700000000000}}"#);
    let Ok(Trimmed::Message { original_bytes, .. }) = trimmed(&added, &TrimOptions::default(), NOW) else {
        panic!("trimmed")
    };
    assert_eq!(original_bytes, bare.len());
}

#[test]
fn a_message_that_would_not_be_smaller_is_not_sent() {
    assert_eq!(
        trimmed(r#"{"state":{"a":1},"version":7}"#, &TrimOptions::default(), NOW).ok(),
        Some(Trimmed::NotSmaller)
    );
}

#[test]
fn an_allow_list_keeps_only_its_paths() {
    let state = json!({"color": "red", "motor": {"speed": 3, "temp": 60}, "noise": [1, 2, 3]});
    let message = delta(state, json!({"noise": [{"timestamp": 1}, {"timestamp": 1}, {"timestamp": 1}]}));
    assert_eq!(
        body(&message, &with("color, motor.speed", Kind::Delta))["state"],
        json!({"color": "red", "motor": {"speed": 3}})
    );
    assert_eq!(
        body(&message, &with("motor.speed,motor", Kind::Delta))["state"],
        json!({"motor": {"speed": 3, "temp": 60}})
    );
    assert_eq!(
        body(&message, &with("motor,motor.speed", Kind::Delta))["state"],
        json!({"motor": {"speed": 3, "temp": 60}})
    );
    assert_eq!(trimmed(&message, &with("absent", Kind::Delta), NOW).ok(), Some(Trimmed::NothingLeft));
}

#[test]
fn an_allow_list_names_paths() {
    for bad in ["a..b", ".a", "a.", "a,b..c"] {
        assert!(Keep::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(Keep::parse(" , ").ok(), Some(Keep::default()));
}

#[test]
fn an_expired_command_goes_and_a_live_one_stays() {
    let command = |ttl: i64| json!({"relay-command": {"message": "on", "topic": "cmd/device1/response", "ttl": ttl}});
    let stamp = json!({"relay-command": {"message": {"timestamp": NOW - 60}, "topic": {"timestamp": NOW - 60}, "ttl": {"timestamp": NOW - 60}}});
    let both = delta(json!({"motor": "on", "command": [command(59), command(60)]}), json!({"command": [stamp, stamp]}));
    assert_eq!(body(&both, &TrimOptions::default())["state"], json!({"motor": "on", "command": [command(60)]}));
    let old = delta(json!({"motor": "on", "command": [command(5)]}), json!({"command": [stamp]}));
    assert_eq!(body(&old, &TrimOptions::default())["state"], json!({"motor": "on"}));
    let only = delta(json!({"command": [command(5)]}), json!({"command": [stamp]}));
    assert_eq!(trimmed(&only, &TrimOptions::default(), NOW).ok(), Some(Trimmed::NothingLeft));
}

#[test]
fn commands_by_execution_id_expire_each_by_itself() {
    let state =
        json!({"c": {"one": {"command": "a", "expiresAt": NOW - 1}, "two": {"command": "b", "expiresAt": NOW}}});
    let message = delta(state, json!({"c": {"one": {"command": {"timestamp": 1}}}}));
    assert_eq!(
        body(&message, &TrimOptions::default())["state"],
        json!({"c": {"two": {"command": "b", "expiresAt": NOW}}})
    );
}

#[test]
fn state_that_only_looks_like_commands_stays() {
    for state in [
        json!({"command": "reset"}),
        json!({"command": []}),
        json!({"command": [1, "x", {"a": 1}]}),
        json!({"c": 3}),
        json!({"c": {}}),
    ] {
        let message = delta(state.clone(), json!({"x": {"timestamp": 1}, "y": {"timestamp": 1}}));
        assert_eq!(body(&message, &TrimOptions::default())["state"], state);
    }
}

#[test]
fn accepted_keeps_its_sections_and_documents_only_what_is_current() {
    let command = json!([{"x": {"ttl": 5}}]);
    let stamp = json!([{"x": {"ttl": {"timestamp": NOW - 60}}}]);
    let state = json!({"desired": {"a": 1, "command": command, "z": 0}, "reported": {"a": 2, "command": command}});
    let metadata = json!({"desired": {"a": {"timestamp": 1}, "command": stamp, "z": {"timestamp": 1}}, "reported": {"a": {"timestamp": 1}, "command": stamp}});
    let accepted = json!({"version": 3, "timestamp": NOW, "state": state, "metadata": metadata}).to_string();
    let left = json!({"desired": {"a": 1}, "reported": {"a": 2, "command": command}});
    assert_eq!(body(&accepted, &with("a,command", Kind::Accepted))["state"], left);
    let current = json!({"version": 3, "state": state, "metadata": metadata});
    let documents =
        json!({"previous": {"version": 2, "state": state, "metadata": metadata}, "current": current, "timestamp": NOW})
            .to_string();
    assert_eq!(body(&documents, &with("a,command", Kind::Documents)), json!({"state": left, "version": 3}));
}

#[test]
fn a_cleared_section_of_an_accepted_message_stays_null() {
    let message = json!({"version": 3, "timestamp": NOW, "state": {"desired": null}, "metadata": {"desired": {"timestamp": NOW}}}).to_string();
    assert_eq!(body(&message, &with("", Kind::Accepted)), json!({"state": {"desired": null}, "version": 3}));
}

#[test]
fn what_is_no_shadow_message_is_refused_with_the_reason() {
    for bad in [
        "",
        "[]",
        "{",
        "7",
        r#"{"state":{},"version":"7"}"#,
        r#"{"state":{},"version":-1}"#,
        "{\"state\":{}}",
        r#"{"version":1}"#,
        r#"{"state":[],"version":1}"#,
    ] {
        assert!(trimmed(bad, &TrimOptions::default(), NOW).is_err(), "{bad}");
    }
}

/// JSON as a shadow may hold it, commands and near-commands among it.
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

/// The allow-list, on a tree.
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
    fn no_text_makes_it_panic(text in ".{0,64}", keep in "[a-c.,]{0,8}") {
        let options = TrimOptions { kind: Kind::Accepted, keep: Keep::parse(&keep).unwrap_or_default() };
        let _ = trimmed(&text, &options, NOW);
    }

    #[test]
    fn any_state_comes_through_whole_when_nothing_expires(state in object(), kind in prop_oneof![Just(Kind::Delta), Just(Kind::Accepted)]) {
        // Time 0: nothing that was written then or later has expired, and no number here is below it.
        let message = delta(state.clone(), json!({"padding": "x".repeat(200)}));
        let options = TrimOptions { kind, keep: Keep::default() };
        if let Trimmed::Message { body, .. } = trimmed(&message, &options, i64::from(i32::MIN)).expect("a shadow message") {
            let body: Value = serde_json::from_str(&body).expect("JSON");
            prop_assert_eq!(body, json!({"state": state, "version": 7, "clientToken": "t-1"}));
        }
    }

    #[test]
    fn the_allow_list_agrees_with_the_same_on_a_tree(state in object(), paths in prop::collection::vec(prop::collection::vec("[a-c]|command|c", 1..4), 1..4)) {
        let list = paths.iter().map(|p| p.join(".")).collect::<Vec<_>>().join(",");
        let mut body = String::new();
        Keep::parse(&list).expect("paths").write(&state.to_string(), &mut body).expect("an object");
        prop_assert_eq!(serde_json::from_str::<Value>(&body).expect("JSON"), keep_reference(&state, &paths));
    }

    #[test]
    fn whatever_is_left_has_not_expired(ttls in prop::collection::vec(0i64..200, 1..6), ages in prop::collection::vec(0i64..200, 6)) {
        let commands: Vec<Value> = ttls.iter().map(|ttl| json!({"x": {"ttl": ttl}})).collect();
        let stamps: Vec<Value> = ages.iter().map(|age| json!({"x": {"ttl": {"timestamp": NOW - age}}})).collect();
        let message = delta(json!({"command": commands, "on": true}), json!({"command": stamps}));
        let live: Vec<&Value> = commands.iter().zip(&ttls).zip(&ages).filter(|((_, ttl), age)| age <= ttl).map(|((c, _), _)| c).collect();
        let body = body(&message, &TrimOptions::default());
        let left: Vec<&Value> = body["state"].get("command").and_then(Value::as_array).map(|left| left.iter().collect()).unwrap_or_default();
        prop_assert_eq!(live, left);
    }
}
