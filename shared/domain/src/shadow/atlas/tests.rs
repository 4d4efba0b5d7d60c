//! The dialect of AWS's IoT Atlas. The cases A to I are what its unmodified device was measured to do.

use crate::shadow::fixtures::*;

const ATLAS: ShadowRoute = ShadowRoute::Atlas;

fn empty() -> Shadow {
    Shadow::new(json!({}), json!({}))
}

fn delivered(sent: &(Command, Execution)) -> Shadow {
    let mut shadow = empty();
    shadow.write(&deliver(&ATLAS, sent));
    shadow
}

#[test]
fn a_command_is_written_as_the_device_knows_it() {
    let one = sent(1, Some(r#"{"delay": 5.0}"#));
    let id = one.1.key.id.as_str();
    let update = ATLAS.delivery(&one.0, &one.1, BORN.plus_seconds(10)).unwrap();
    let expected = format!(
        r#"{{"state":{{"desired":{{"command":[{{"reboot":{{"message":{{"delay": 5.0}},"topic":"cmd/pump-7/resp/{id}","ttl":50}}}}]}},"reported":{{"command":null}}}},"clientToken":"{id}"}}"#
    );
    assert_eq!(String::from_utf8(update.body).unwrap(), expected);
    assert_eq!((update.thing.as_str(), update.shadow), ("pump-7", None));
    for nothing in [None, Some("null")] {
        let body = body(&deliver(&ATLAS, &sent(1, nothing)));
        assert_eq!(
            body["state"]["desired"]["command"][0]["reboot"]["message"],
            json!(""),
            "it disconnects without one"
        );
    }
}

#[test]
fn case_a_a_device_that_reconnects_finds_no_command_that_is_over() {
    let sent = sent(1, None);
    let shadow = withdrawn(&ATLAS, &sent, delivered(&sent));
    assert_eq!((&shadow.desired, &shadow.reported), (&json!({}), &json!({})));
}

#[test]
fn case_b_a_command_that_the_device_skipped_leaves_no_delta() {
    let sent = sent(1, None);
    let skipped = delivered(&sent);
    assert!(skipped.delta().is_some());
    assert_eq!(withdrawn(&ATLAS, &sent, skipped).delta(), None);
}

#[test]
fn case_c_an_unrelated_change_does_not_bring_an_old_command_again() {
    let sent = sent(1, None);
    let mut shadow = withdrawn(&ATLAS, &sent, delivered(&sent));
    shadow.update(&json!({"state": {"desired": {"motorStatus": "on"}}}));
    assert_eq!(shadow.delta(), Some(json!({"motorStatus": "on"})));
}

#[test]
fn case_d_what_the_device_echoes_is_all_that_was_written() {
    let mut shadow = delivered(&sent(1, Some("[1, 2]")));
    let relay = shadow.desired["command"][0]["reboot"].clone();
    let echoed = json!({"message": relay["message"], "topic": relay["topic"], "ttl": relay["ttl"]});
    shadow.update(&json!({"state": {"reported": {"command": [{"reboot": echoed}]}}}));
    assert_eq!(shadow.delta(), None);
}

#[test]
fn case_e_there_is_never_more_than_one_command() {
    let (first, second) = (sent(1, None), sent(2, None));
    let mut shadow = delivered(&first);
    shadow.write(&deliver(&ATLAS, &second));
    assert_eq!(shadow.desired["command"].as_array().unwrap().len(), 1);
    assert!(holds(&shadow, &second) && !holds(&shadow, &first));
}

#[test]
fn case_f_there_is_always_a_ttl() {
    let sent = sent(1, None);
    for (seconds, ttl) in [(0, 60), (59, 1), (60, 1), (600, 1)] {
        let update = ATLAS.delivery(&sent.0, &sent.1, BORN.plus_seconds(seconds)).unwrap();
        assert_eq!(body(&update)["state"]["desired"]["command"][0]["reboot"]["ttl"], json!(ttl));
    }
}

#[test]
fn case_i_nothing_touches_a_command_that_is_under_way() {
    let (over, under_way) = (sent(1, None), sent(2, None));
    let mut shadow = delivered(&under_way);
    assert_eq!(withdraw(&ATLAS, &over, &shadow), None);
    echo(&mut shadow);
    assert_eq!(withdraw(&ATLAS, &over, &shadow), None);
}

#[test]
fn a_late_echo_is_withdrawn_and_the_next_command_stays() {
    let (late, next) = (sent(1, None), sent(2, None));
    let mut shadow = delivered(&late);
    let echo = shadow.desired.clone();
    shadow.write(&deliver(&ATLAS, &next));
    shadow.update(&json!({"state": {"reported": echo}}));
    let shadow = withdrawn(&ATLAS, &late, shadow);
    assert!(holds(&shadow, &next) && !holds(&shadow, &late));
}

#[test]
fn what_others_have_put_beside_it_stays_as_it_is() {
    let sent = sent(1, None);
    let ours = json!({"reboot": {"message": "", "topic": format!("cmd/pump-7/resp/{}", sent.1.key.id), "ttl": 5}});
    let others = [json!({"x": {"topic": "elsewhere", "n": 1.50}}), json!(7), json!({"y": {"topic": 7}, "z": []})];
    let [a, b, c] = others.clone();
    let shadow = withdrawn(&ATLAS, &sent, Shadow::new(json!({"command": [a, ours, b, c]}), json!({"command": ours})));
    assert_eq!(shadow.desired, json!({ "command": others }));
    assert_eq!(shadow.reported, json!({ "command": ours }), "an echo is an array");
}

#[test]
fn what_a_shadow_can_not_hold_is_refused_with_what_would_be_right() {
    let refused = |json: &str| {
        let (command, execution) = sent(1, Some(json));
        ATLAS.delivery(&command, &execution, BORN).unwrap_err().to_string()
    };
    assert!(sent(1, Some(r#"{"a":{"b":1}}"#)).0.definition.payload.is_some());
    deliver(&ATLAS, &sent(1, Some(r#"[{"b":1}]"#)));
    assert!(refused(r#"[[{"b":1}]]"#).contains("may nest 2 levels"), "{}", refused("[[[1]]]"));
    assert!(refused(r#"{"a":[1,null]}"#).contains("leave /a/1 of the payload out"));
    let long = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
    deliver(&ATLAS, &sent(1, Some(&long(3900))));
    assert!(refused(&long(4100)).contains("a shadow holds 8192 bytes"), "the device reports all of it too");
}

proptest! {
    #[test]
    fn nothing_is_left_of_a_command_whatever_else_is_there(mut shadow in shadow(), echoes: bool, json in attributes()) {
        let sent = sent(1, Some(&json.to_string()));
        let Ok(update) = ATLAS.delivery(&sent.0, &sent.1, BORN) else { return Ok(()) };
        let before = shadow.clone();
        shadow.write(&update);
        if echoes {
            echo(&mut shadow);
        }
        let reported = shadow.reported.clone();
        let after = withdrawn(&ATLAS, &sent, shadow);
        prop_assert!(!holds(&after, &sent));
        for (is, was) in [(after.desired, before.desired), (after.reported, reported)] {
            let (mut is, mut was) = (is, was);
            for section in [&mut is, &mut was] {
                section.as_object_mut().unwrap().remove("command");
            }
            prop_assert_eq!(is, was);
        }
    }

    #[test]
    fn an_identical_command_makes_a_difference_again(mut shadow in shadow(), withdraws: bool) {
        let sent = sent(1, Some("\"x\""));
        let update = deliver(&ATLAS, &sent);
        shadow.write(&update);
        echo(&mut shadow);
        prop_assert_eq!(shadow.delta(), None);
        if withdraws {
            shadow = withdrawn(&ATLAS, &sent, shadow);
        }
        shadow.write(&update);
        prop_assert_eq!(&shadow.delta().unwrap()["command"], &shadow.desired["command"]);
    }
}
