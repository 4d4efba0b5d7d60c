//! Desired states: delivery, when they are reached, removal.

use crate::messages::shadow::desired_state::{desired_state_reached, desired_states_overlap};
use crate::messages::shadow::error::ShadowError;
use crate::messages::shadow::fixtures::*;

const STATE: ShadowRoute = ShadowRoute::State(None);

fn is_reached(desired: &str, reported: &str) -> bool {
    desired_state_reached(&payload(desired), reported)
}

#[test]
fn the_payload_is_written_unchanged() {
    let sent = sent(1, Some(r#"{"motor": {"on": true, "rpm": 1.50}}"#));
    let id = sent.1.key.id.as_str();
    let update = delivery(&ShadowRoute::parse("state/motor").unwrap(), &sent);
    let expected =
        format!(r#"{{"state":{{"desired":{{"motor": {{"on": true, "rpm": 1.50}}}}}},"clientToken":"{id}"}}"#);
    assert_eq!(String::from_utf8(update.body).unwrap(), expected);
    assert_eq!(update.shadow.unwrap().as_str(), "motor");
}

#[test]
fn a_payload_that_is_no_state_is_refused_with_the_limit() {
    let refused = |json: Option<&str>| {
        let (command, execution) = sent(1, json);
        STATE.delivery_update(&command, &execution, CREATED_AT).unwrap_err().to_string()
    };
    for json in [None, Some("{}"), Some("[1]"), Some("7")] {
        assert!(refused(json).contains(r#"as in {"light":"on"}"#), "{json:?}");
    }
    assert!(refused(Some(r#"{"a":{"b":null}}"#)).contains("leave /a/b of the payload out"));
    let nested = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    delivery(&STATE, &sent(1, Some(&nested(6))));
    assert!(refused(Some(&nested(7))).contains("may nest 6 levels"));
    assert!(refused(Some(&nested(1000))).contains("can't hold this payload"));
}

#[test]
fn the_member_that_holds_commands_is_no_attribute() {
    for (route, payload, refused) in [
        ("state", r#"{"command":"hello"}"#, true),
        ("state", r#"{"a":1,"\u0063ommand":[]}"#, true),
        ("state", r#"{"c":1,"inner":{"command":1}}"#, false),
        ("state/cmd", r#"{"c":{}}"#, true),
        ("state/cmd", r#"{"command":1,"dialect":"atlas"}"#, false),
        ("state/config", r#"{"c":1,"command":1}"#, false),
    ] {
        let (command, execution) = sent(1, Some(payload));
        let update = ShadowRoute::parse(route).unwrap().delivery_update(&command, &execution, CREATED_AT);
        assert_eq!(matches!(update, Err(ShadowError::CommandMember { .. })), refused, "{route} {payload}");
    }
}

#[test]
fn a_state_is_reached_when_every_desired_attribute_is_reported() {
    assert!(is_reached(r#"{"a":1}"#, r#"{"a":1.0,"b":2}"#));
    assert!(is_reached(r#"{"a":{"b":[1,{"c":2}]}}"#, r#"{"a":{"b":[1.0,{"c":2}],"d":0}}"#));
    assert!(is_reached(r#"{"a":18446744073709551615}"#, r#"{"a":18446744073709551615}"#));
    for (desired, reported) in [
        (r#"{"a":1}"#, "{}"),
        (r#"{"a":1}"#, r#"{"a":"1"}"#),
        (r#"{"a":9007199254740993}"#, r#"{"a":9007199254740992}"#),
        (r#"{"a":{"b":1}}"#, r#"{"a":1}"#),
        (r#"{"a":[1]}"#, r#"{"a":[1,2]}"#),
        (r#"{"a":[{"b":1}]}"#, r#"{"a":[{"b":1,"c":2}]}"#),
        (r#"{"a":1}"#, "not JSON"),
        (r#"{"a":1}"#, "null"),
        ("7", "7"),
    ] {
        assert!(!is_reached(desired, reported), "{desired} {reported}");
    }
}

#[test]
fn states_overlap_when_they_have_a_common_attribute() {
    let overlap = |a: &str, b: &str| {
        assert_eq!(
            desired_states_overlap(&payload(a), &payload(b)),
            desired_states_overlap(&payload(b), &payload(a)),
            "{a} {b}"
        );
        desired_states_overlap(&payload(a), &payload(b))
    };
    assert!(overlap(r#"{"light":"on"}"#, r#"{"light":"off","power":1}"#));
    assert!(overlap(r#"{"light":{"on":true}}"#, r#"{"light":7}"#));
    assert!(overlap(r#"{"light":{}}"#, r#"{"light":{}}"#));
    assert!(!overlap(r#"{"light":{"on":true}}"#, r#"{"light":{"color":"red"}}"#));
    assert!(!overlap(r#"{"light":"on"}"#, r#"{"lights":"on"}"#));
}

#[test]
fn removal_takes_only_unchanged_attributes_that_are_not_reached() {
    let sent = sent(1, Some(r#"{"a":1,"b":{"c":2,"d":3},"e":4,"f":5}"#));
    let shadow = Shadow::new(
        json!({"a": 1.0, "b": {"c": 2, "d": 3, "x": 0}, "e": 9, "f": 5, "y": 0}),
        json!({"a": 0, "b": {"c": 2.0}}),
    );
    let update = removal(&STATE, &sent, &shadow).unwrap();
    assert_eq!(body(&update), json!({"state": {"desired": {"a": null, "b": {"d": null}, "f": null}}, "version": 7}));
}

#[test]
fn removal_leaves_no_delta_where_numbers_are_spelled_differently() {
    let sent = sent(1, Some(r#"{"a":[2.0],"b":2.0}"#));
    let shadow = Shadow::new(json!({"a": [2.0], "b": 2.0}), json!({"a": [2], "b": 2}));
    assert!(is_reached(r#"{"a":[2.0],"b":2.0}"#, r#"{"a":[2],"b":2}"#));
    let after = removed(&STATE, &sent, shadow);
    assert_eq!((after.delta(), after.desired), (None, json!({"b": 2.0})));
}

#[test]
fn an_object_that_would_become_empty_is_removed() {
    let sent = sent(1, Some(r#"{"a":{"b":{"c":1}},"d":{}}"#));
    let mut shadow = Shadow::new(json!({}), json!({}));
    shadow.write(&delivery(&STATE, &sent));
    let shadow = removed(&STATE, &sent, shadow);
    assert_eq!(shadow.desired, json!({}));
    let foreign = Shadow::new(json!({"a": {}}), json!({}));
    assert_eq!(removal(&STATE, &sent, &foreign), None, "no attribute of the shadow is the command's");
}

proptest! {
    #[test]
    fn removal_leaves_no_delta_and_every_other_attribute(
        mut shadow in shadow(), wanted in attributes(), reported in proptest::option::of(attributes()),
    ) {
        let sent = sent(1, Some(&wanted.to_string()));
        let Ok(update) = STATE.delivery_update(&sent.0, &sent.1, CREATED_AT) else { return Ok(()) };
        let before = shadow.desired.clone();
        shadow.write(&update);
        if let Some(reported) = reported {
            shadow.update(&json!({"state": {"reported": reported}}));
        }
        let after = removed(&STATE, &sent, shadow.clone());
        prop_assert_eq!(&after.reported, &shadow.reported);
        let wanted = leaves(&wanted);
        let delta = after.delta().unwrap_or(json!({}));
        for (path, value) in &wanted {
            // An empty object merges with an earlier object.
            let merged = value == &json!({}) && at(&before, path).is_some_and(|was| was.is_object() && was != value);
            prop_assert!(merged || at(&delta, path).is_none(), "{path:?} of {delta}");
        }
        for (path, value) in leaves(&before) {
            let shares = |(other, _): &(Vec<String>, Value)| other.starts_with(&path) || path.starts_with(other);
            if !path.is_empty() && !wanted.iter().any(shares) {
                prop_assert_eq!(at(&after.desired, &path), Some(&value), "{:?} is not the command's", path);
            }
        }
    }

    #[test]
    fn a_state_is_reached_once_it_is_reported(wanted in attributes(), mut reported in attributes()) {
        merge(&mut reported, &wanted);
        prop_assert!(desired_state_reached(&payload(&wanted.to_string()), &reported.to_string()));
    }

    #[test]
    fn a_state_is_reached_when_there_is_no_delta(wanted in attributes(), reported in attributes()) {
        // Without fractions: AWS does not document whether [1] equals [1.0].
        let [wanted, reported] = [wanted, reported].map(|value| value.to_string().replace(".0", ""));
        let [desired, is] = [&wanted, &reported].map(|json| serde_json::from_str(json).unwrap());
        let open = Shadow::new(desired, is).delta().is_some();
        prop_assert_eq!(desired_state_reached(&payload(&wanted), &reported), !open);
    }

    #[test]
    fn states_that_do_not_overlap_can_both_be_reached(a in attributes(), b in attributes()) {
        let mut both = a.clone();
        merge(&mut both, &b);
        let (a, b) = (payload(&a.to_string()), payload(&b.to_string()));
        prop_assert!(desired_state_reached(&b, &both.to_string()), "the newer state is always reached");
        prop_assert!(desired_states_overlap(&a, &b) || desired_state_reached(&a, &both.to_string()));
    }
}
