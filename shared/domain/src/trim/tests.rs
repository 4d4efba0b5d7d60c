//! Each rule of the trimmer by example.

mod properties;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::trim::{AllowList, ShadowMessageKind, TrimError, TrimOptions, TrimOutcome, trim_message};

const NOW: i64 = 1_700_000_100;

fn delta(state: Value, metadata: Value) -> String {
    json!({"version": 7, "timestamp": NOW, "state": state, "metadata": metadata, "clientToken": "t-1"}).to_string()
}

fn with(paths: &str, kind: ShadowMessageKind) -> TrimOptions {
    TrimOptions { kind, allow_list: AllowList::parse(paths).expect("a valid allow-list") }
}

fn trimmed(message: &str, options: &TrimOptions, now_seconds: i64) -> Result<TrimOutcome, TrimError> {
    let message: &RawValue = serde_json::from_str(message).map_err(TrimError::Malformed)?;
    trim_message(message, options, now_seconds)
}

fn body(message: &str, options: &TrimOptions) -> Value {
    match trimmed(message, options, NOW).expect("a shadow message") {
        TrimOutcome::Trimmed { body, .. } => serde_json::from_str(&body).expect("JSON"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn metadata_and_timestamp_are_removed_and_the_state_is_kept_byte_for_byte() {
    let metadata = r#"{"b":{"timestamp":1},"a":{"timestamp":1}}"#;
    let state = r#"{"b": 1.00, "a":"\u00e9"}"#;
    let message = format!(r#"{{"version":7,"timestamp":1,"state":{state},"metadata":{metadata}}}"#);
    let trimmed = trimmed(&message, &TrimOptions::default(), NOW).expect("a shadow message");
    let body = format!(r#"{{"state":{state},"version":7}}"#);
    assert_eq!(trimmed, TrimOutcome::Trimmed { body, version: 7, original_bytes: message.len() });
}

#[test]
fn members_that_the_rule_adds_do_not_count_as_message_bytes() {
    let bare = delta(json!({"a": 1}), json!({"a": {"timestamp": 1}}));
    let inner = bare.strip_suffix('}').expect("an object");
    let added = format!(r#"{inner},"thing":"pump-7","shadow":"cmd","receivedAt":1700000000000}}"#);
    let Ok(TrimOutcome::Trimmed { original_bytes, .. }) = trimmed(&added, &TrimOptions::default(), NOW) else {
        panic!("trimmed")
    };
    assert_eq!(original_bytes, bare.len());
}

#[test]
fn a_message_that_would_not_be_smaller_is_not_published() {
    assert_eq!(
        trimmed(r#"{"state":{"a":1},"version":7}"#, &TrimOptions::default(), NOW).ok(),
        Some(TrimOutcome::NotSmaller)
    );
}

#[test]
fn an_allow_list_keeps_only_its_paths() {
    let state = json!({"color": "red", "motor": {"speed": 3, "temp": 60}, "noise": [1, 2, 3]});
    let message = delta(state, json!({"noise": [{"timestamp": 1}, {"timestamp": 1}, {"timestamp": 1}]}));
    assert_eq!(
        body(&message, &with("color, motor.speed", ShadowMessageKind::Delta))["state"],
        json!({"color": "red", "motor": {"speed": 3}})
    );
    assert_eq!(
        body(&message, &with("motor.speed,motor", ShadowMessageKind::Delta))["state"],
        json!({"motor": {"speed": 3, "temp": 60}})
    );
    assert_eq!(
        body(&message, &with("motor,motor.speed", ShadowMessageKind::Delta))["state"],
        json!({"motor": {"speed": 3, "temp": 60}})
    );
    assert_eq!(trimmed(&message, &with("absent", ShadowMessageKind::Delta), NOW).ok(), Some(TrimOutcome::NothingLeft));
}

#[test]
fn an_allow_list_with_an_empty_name_is_refused() {
    for bad in ["a..b", ".a", "a.", "a,b..c"] {
        assert!(AllowList::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(AllowList::parse(" , ").ok(), Some(AllowList::default()));
}

#[test]
fn an_expired_command_is_removed_and_a_live_one_is_kept() {
    let command = |ttl: i64| json!({"relay-command": {"message": "on", "topic": "cmd/device1/response", "ttl": ttl}});
    let at = json!({"timestamp": NOW - 60});
    let stamp = json!({"relay-command": {"message": at, "topic": at, "ttl": at}});
    let both = delta(json!({"motor": "on", "command": [command(59), command(60)]}), json!({"command": [stamp, stamp]}));
    assert_eq!(body(&both, &TrimOptions::default())["state"], json!({"motor": "on", "command": [command(60)]}));
    let old = delta(json!({"motor": "on", "command": [command(5)]}), json!({"command": [stamp]}));
    assert_eq!(body(&old, &TrimOptions::default())["state"], json!({"motor": "on"}));
    let only = delta(json!({"command": [command(5)]}), json!({"command": [stamp]}));
    assert_eq!(trimmed(&only, &TrimOptions::default(), NOW).ok(), Some(TrimOutcome::NothingLeft));
}

#[test]
fn commands_by_execution_id_expire_one_by_one() {
    let state =
        json!({"c": {"one": {"command": "a", "expiresAt": NOW - 1}, "two": {"command": "b", "expiresAt": NOW}}});
    let message = delta(state, json!({"c": {"one": {"command": {"timestamp": 1}}}}));
    assert_eq!(
        body(&message, &TrimOptions::default())["state"],
        json!({"c": {"two": {"command": "b", "expiresAt": NOW}}})
    );
}

#[test]
fn state_that_only_resembles_commands_is_kept() {
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
fn accepted_keeps_both_sections_and_documents_only_the_current_state() {
    let command = json!([{"x": {"ttl": 5}}]);
    let stamp = json!([{"x": {"ttl": {"timestamp": NOW - 60}}}]);
    let state = json!({"desired": {"a": 1, "command": command, "z": 0}, "reported": {"a": 2, "command": command}});
    let at = json!({"timestamp": 1});
    let metadata = json!({"desired": {"a": at, "command": stamp, "z": at}, "reported": {"a": at, "command": stamp}});
    let accepted = json!({"version": 3, "timestamp": NOW, "state": state, "metadata": metadata}).to_string();
    let left = json!({"desired": {"a": 1}, "reported": {"a": 2, "command": command}});
    assert_eq!(body(&accepted, &with("a,command", ShadowMessageKind::Accepted))["state"], left);
    let current = json!({"version": 3, "state": state, "metadata": metadata});
    let documents =
        json!({"previous": {"version": 2, "state": state, "metadata": metadata}, "current": current, "timestamp": NOW})
            .to_string();
    assert_eq!(
        body(&documents, &with("a,command", ShadowMessageKind::Documents)),
        json!({"state": left, "version": 3})
    );
}

#[test]
fn a_cleared_section_of_an_accepted_message_stays_null() {
    let metadata = json!({"desired": {"timestamp": NOW}});
    let message = json!({"version": 3, "timestamp": NOW, "state": {"desired": null}, "metadata": metadata}).to_string();
    assert_eq!(
        body(&message, &with("", ShadowMessageKind::Accepted)),
        json!({"state": {"desired": null}, "version": 3})
    );
}

#[test]
fn a_text_that_is_not_a_shadow_message_is_refused() {
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
