//! The IoT Atlas dialect. Cases A to I are observed behaviour of the unmodified device of AWS's IoT Atlas.

use crate::execution::channel::Channel;
use crate::messages::shadow::fixtures::*;

const ATLAS: ShadowRoute = ShadowRoute::Atlas;

fn empty() -> Shadow {
    Shadow::new(json!({}), json!({}))
}

fn delivered(sent: &(Command, Execution)) -> Shadow {
    let mut shadow = empty();
    shadow.write(&delivery(&ATLAS, sent));
    shadow
}

#[test]
fn a_command_has_exactly_the_members_that_the_device_expects() {
    let one = sent(1, Some(r#"{"delay": 5.0}"#));
    let id = one.1.key.id.as_str();
    let update = ATLAS.delivery_update(&one.0, &one.1, CREATED_AT.plus_seconds(10)).unwrap();
    let expected = format!(
        r#"{{"state":{{"desired":{{"command":[{{"reboot":{{"message":{{"delay": 5.0}},"topic":"cmd/pump-7/resp/{id}","ttl":50}}}}]}},"reported":{{"command":null}}}},"clientToken":"{id}"}}"#
    );
    assert_eq!(String::from_utf8(update.body).unwrap(), expected);
    assert_eq!((update.thing.as_str(), update.shadow), ("pump-7", None));
    for empty in [None, Some("null")] {
        let body = body(&delivery(&ATLAS, &sent(1, empty)));
        assert_eq!(
            body["state"]["desired"]["command"][0]["reboot"]["message"],
            json!(""),
            "the device disconnects without a message"
        );
    }
}

#[test]
fn case_a_a_device_that_reconnects_finds_no_ended_command() {
    let sent = sent(1, None);
    let shadow = removed(&ATLAS, &sent, delivered(&sent));
    assert_eq!((&shadow.desired, &shadow.reported), (&json!({}), &json!({})));
}

#[test]
fn case_b_removal_of_a_skipped_command_leaves_no_delta() {
    let sent = sent(1, None);
    let skipped = delivered(&sent);
    assert!(skipped.delta().is_some());
    assert_eq!(removed(&ATLAS, &sent, skipped).delta(), None);
}

#[test]
fn case_c_an_unrelated_change_does_not_resend_an_old_command() {
    let sent = sent(1, None);
    let mut shadow = removed(&ATLAS, &sent, delivered(&sent));
    shadow.update(&json!({"state": {"desired": {"motorStatus": "on"}}}));
    assert_eq!(shadow.delta(), Some(json!({"motorStatus": "on"})));
}

#[test]
fn case_d_the_echo_of_a_command_leaves_no_delta() {
    let mut shadow = delivered(&sent(1, Some("[1, 2]")));
    let relay = shadow.desired["command"][0]["reboot"].clone();
    let echoed = json!({"message": relay["message"], "topic": relay["topic"], "ttl": relay["ttl"]});
    shadow.update(&json!({"state": {"reported": {"command": [{"reboot": echoed}]}}}));
    assert_eq!(shadow.delta(), None);
}

#[test]
fn case_e_a_shadow_holds_at_most_one_command() {
    let (first, second) = (sent(1, None), sent(2, None));
    let mut shadow = delivered(&first);
    shadow.write(&delivery(&ATLAS, &second));
    assert_eq!(shadow.desired["command"].as_array().unwrap().len(), 1);
    assert!(holds(&shadow, &second) && !holds(&shadow, &first));
}

#[test]
fn case_f_the_ttl_is_at_least_one_second() {
    let sent = sent(1, None);
    for (seconds, ttl) in [(0, 60), (59, 1), (60, 1), (600, 1)] {
        let update = ATLAS.delivery_update(&sent.0, &sent.1, CREATED_AT.plus_seconds(seconds)).unwrap();
        assert_eq!(body(&update)["state"]["desired"]["command"][0]["reboot"]["ttl"], json!(ttl));
    }
}

#[test]
fn case_i_removal_of_an_ended_command_leaves_the_current_one() {
    let (ended, current) = (sent(1, None), sent(2, None));
    let mut shadow = delivered(&current);
    assert_eq!(removal(&ATLAS, &ended, &shadow), None);
    echo_delta(&mut shadow);
    assert_eq!(removal(&ATLAS, &ended, &shadow), None);
}

#[test]
fn removal_of_a_late_echo_leaves_the_next_command() {
    let (late, next) = (sent(1, None), sent(2, None));
    let mut shadow = delivered(&late);
    let echo = shadow.desired.clone();
    shadow.write(&delivery(&ATLAS, &next));
    shadow.update(&json!({"state": {"reported": echo}}));
    let shadow = removed(&ATLAS, &late, shadow);
    assert!(holds(&shadow, &next) && !holds(&shadow, &late));
}

#[test]
fn removal_leaves_foreign_entries_unchanged() {
    let sent = sent(1, None);
    let own = json!({"reboot": {"message": "", "topic": format!("cmd/pump-7/resp/{}", sent.1.key.id), "ttl": 5}});
    let foreign = [json!({"x": {"topic": "elsewhere", "n": 1.50}}), json!(7), json!({"y": {"topic": 7}, "z": []})];
    let [a, b, c] = foreign.clone();
    let shadow = removed(&ATLAS, &sent, Shadow::new(json!({"command": [a, own, b, c]}), json!({"command": own})));
    assert_eq!(shadow.desired, json!({ "command": foreign }));
    assert_eq!(shadow.reported, json!({ "command": own }), "an echo is an array");
}

#[test]
fn a_payload_that_a_shadow_can_not_hold_is_refused_with_the_limit() {
    let refused = |json: &str| {
        let (command, execution) = sent(1, Some(json));
        ATLAS.delivery_update(&command, &execution, CREATED_AT).unwrap_err().to_string()
    };
    assert!(sent(1, Some(r#"{"a":{"b":1}}"#)).0.definition.payload.is_some());
    delivery(&ATLAS, &sent(1, Some(r#"[{"b":1}]"#)));
    assert!(refused(r#"[[{"b":1}]]"#).contains("may nest 2 levels"), "{}", refused("[[[1]]]"));
    assert!(refused(r#"{"a":[1,null]}"#).contains("leave /a/1 of the payload out"));
    let long = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
    delivery(&ATLAS, &sent(1, Some(&long(3900))));
    assert!(refused(&long(4100)).contains("a shadow holds 8192 bytes"), "the device reports the whole command");
}

proptest! {
    #[test]
    fn removal_takes_the_whole_command_and_nothing_else(
        mut shadow in shadow(), echoes: bool, json in attributes(),
    ) {
        let sent = sent(1, Some(&json.to_string()));
        let Ok(update) = ATLAS.delivery_update(&sent.0, &sent.1, CREATED_AT) else { return Ok(()) };
        let before = shadow.clone();
        shadow.write(&update);
        if echoes {
            echo_delta(&mut shadow);
        }
        let reported = shadow.reported.clone();
        let after = removed(&ATLAS, &sent, shadow);
        prop_assert!(!holds(&after, &sent));
        for (mut is, mut was) in [(after.desired, before.desired), (after.reported, reported)] {
            for section in [&mut is, &mut was] {
                section.as_object_mut().unwrap().remove("command");
            }
            prop_assert_eq!(is, was);
        }
    }

    #[test]
    fn an_identical_command_makes_a_new_delta(mut shadow in shadow(), removes: bool) {
        let sent = sent(1, Some("\"x\""));
        let update = delivery(&ATLAS, &sent);
        shadow.write(&update);
        echo_delta(&mut shadow);
        prop_assert_eq!(shadow.delta(), None);
        if removes {
            shadow = removed(&ATLAS, &sent, shadow);
        }
        shadow.write(&update);
        prop_assert_eq!(&shadow.delta().unwrap()["command"], &shadow.desired["command"]);
    }
}

#[test]
fn a_relayed_message_is_that_of_the_command_in_the_shadow() {
    let relayed = |message: &str| {
        Report::decode("cmd/pump-7/response", format!(r#"{{"msg":{message},"deviceId":"pump-7"}}"#).as_bytes()).unwrap()
    };
    for (payload, message, expected) in [
        (Some(r#""go""#), r#""go""#, true),
        (Some(r#""go""#), r#""stop""#, false),
        (Some(r#"{"delay": 5, "a": 1}"#), r#"{"a":1,"delay":5}"#, true),
        (Some(r#"{"delay": 5}"#), r#"{"delay":6}"#, false),
        (None, r#""""#, true),
        (None, "null", false),
        (Some("null"), r#""""#, true),
    ] {
        let (command, execution) = sent(1, payload);
        let in_shadow = Execution { channel: Channel::Shadow(ATLAS), ..execution.clone() };
        let report = relayed(message);
        assert_eq!(report.is_relay_of(&command, &in_shadow), expected, "{payload:?} {message}");
        let elsewhere = Execution { channel: Channel::Shadow(ShadowRoute::default()), ..execution };
        assert!(!report.is_relay_of(&command, &elsewhere), "{payload:?} {message}");
    }
    let (command, execution) = sent(1, Some(r#""go""#));
    let without_message = Report::decode("cmd/pump-7/response", br#"{"deviceId":"pump-7"}"#).unwrap();
    let in_words = Report::decode("cmd/pump-7/response", b"SUCCESS").unwrap();
    for report in [without_message, in_words] {
        assert!(!report.is_relay_of(&command, &execution));
    }
}
