//! Flaghoist's own dialect.

use crate::messages::shadow::fixtures::*;

fn map() -> ShadowRoute {
    ShadowRoute::default()
}

#[test]
fn a_command_is_one_member_with_the_execution_id() {
    let mut one = sent(1, Some(r#"{"delay": 5.0}"#));
    one.1.heartbeat_seconds = Some(30);
    let id = one.1.key.id.as_str();
    let update = delivery(&map(), &one);
    let expected = format!(
        r#"{{"state":{{"desired":{{"c":{{"{id}":{{"attempt":1,"command":"reboot","payload":{{"delay": 5.0}},"ttl":60,"expiresAt":1700000060,"issuedAt":1700000000,"sequence":1700000000123,"heartbeat":30}}}}}}}},"clientToken":"{id}"}}"#
    );
    assert_eq!(String::from_utf8(update.body).unwrap(), expected);
    assert_eq!((update.thing.as_str(), update.shadow), ("pump-7", Some(ShadowName::commands())));
    let without_payload = body(&delivery(&map(), &sent(1, Some("null"))));
    assert_eq!(without_payload["state"]["desired"]["c"][id].get("payload"), None, "null would remove the member");
}

#[test]
fn a_later_attempt_starts_without_the_report_of_an_earlier_one() {
    let mut sent = sent(1, None);
    let id = sent.1.key.id.clone();
    let mut shadow = Shadow::new(json!({}), json!({}));
    shadow.write(&delivery(&map(), &sent));
    let failed = json!({"status": "FAILED", "attempt": 1, "statusReason": {"reasonCode": "COLD"}});
    shadow.update(&json!({"state": {"reported": {"c": {id.as_str(): failed}}}}));
    sent.1.attempt = 2;
    shadow.write(&delivery(&map(), &sent));
    shadow.update(&json!({"state": {"reported": {"c": {id.as_str(): {"status": "SUCCEEDED", "attempt": 2}}}}}));
    assert_eq!(shadow.reported["c"][id.as_str()].get("statusReason"), None);
    assert_eq!(shadow.desired["c"][id.as_str()]["attempt"], json!(2));
}

#[test]
fn removal_needs_no_document() {
    assert!(!map().needs_document());
    let sent = sent(1, None);
    let update = map().removal_update(&sent.1.key, None, None).unwrap().unwrap();
    let id = sent.1.key.id.as_str();
    assert_eq!(body(&update), json!({"state": {"desired": {"c": {id: null}}, "reported": {"c": {id: null}}}}));
}

#[test]
fn removal_changes_only_the_sections_that_hold_the_command() {
    let sent = sent(1, None);
    let id = sent.1.key.id.as_str();
    let removal = |state: serde_json::Value| {
        let document = json!({"state": state, "version": 7}).to_string();
        map().removal_update(&sent.1.key, None, Some(document.as_bytes())).unwrap().map(|update| body(&update))
    };
    let (held, other) = (json!({"c": {id: {}}}), json!({"c": {"other": {}}, "mode": 1}));
    let gone = json!({"c": {id: null}});
    let desired = Some(json!({"state": {"desired": gone}, "version": 7}));
    assert_eq!(removal(json!({"desired": held})), desired);
    assert_eq!(removal(json!({"desired": held, "reported": other})), desired, "a report that comes now is a conflict");
    let both = Some(json!({"state": {"desired": gone, "reported": gone}}));
    assert_eq!(removal(json!({"desired": held, "reported": held})), both);
    assert_eq!(removal(json!({"desired": other, "reported": held})), both);
    for nothing in [json!({}), json!({"desired": other, "reported": other}), json!({"desired": {"c": 1}})] {
        assert_eq!(removal(nothing.clone()), None, "{nothing}");
    }
}

#[test]
fn a_payload_that_a_shadow_can_not_hold_is_refused_with_the_limit() {
    let refused = |json: &str| {
        let (command, execution) = sent(1, Some(json));
        map().delivery_update(&command, &execution, CREATED_AT).unwrap_err().to_string()
    };
    delivery(&map(), &sent(1, Some(r#"[[{"b":1}]]"#)));
    assert!(refused(r#"[[[{"b":1}]]]"#).contains("may nest 3 levels"));
    assert!(refused(r#"{"a":null}"#).contains("leave /a of the payload out"));
    assert!(refused("1e999").contains("can't hold this payload"));
    assert!(refused(&format!("\"{}\"", "x".repeat(8192))).contains("a shadow holds 8192 bytes"));
}

proptest! {
    #[test]
    fn removal_takes_the_whole_command_and_nothing_else(
        mut shadow in shadow(), reports: bool, json in attributes(),
    ) {
        let (one, other) = (sent(1, Some(&json.to_string())), sent(2, None));
        let Ok(update) = map().delivery_update(&one.0, &one.1, CREATED_AT) else { return Ok(()) };
        shadow.write(&delivery(&map(), &other));
        let before = shadow.clone();
        shadow.write(&update);
        let report = json!({"status": "SUCCEEDED"});
        if reports {
            shadow.update(&json!({"state": {"reported": {"c": {one.1.key.id.as_str(): report}}}}));
        }
        prop_assert_eq!(&shadow.delta().unwrap()["c"][one.1.key.id.as_str()]["command"], "reboot");
        let mut after = removed(&map(), &one, shadow);
        prop_assert!(!holds(&after, &one));
        prop_assert_eq!(&after.desired, &before.desired);
        // Each command is removed by itself.
        after = removed(&map(), &other, after);
        prop_assert!(!holds(&after, &other));
    }
}
