//! State control.

use crate::shadow::fixtures::*;

const STATE: ShadowRoute = ShadowRoute::State(None);

fn said(wanted: &str, reported: &str) -> bool {
    agrees(&payload(wanted), reported)
}

#[test]
fn what_is_wanted_is_written_as_it_is() {
    let sent = sent(1, Some(r#"{"motor": {"on": true, "rpm": 1.50}}"#));
    let id = sent.1.key.id.as_str();
    let update = deliver(&ShadowRoute::parse("state/motor").unwrap(), &sent);
    let expected =
        format!(r#"{{"state":{{"desired":{{"motor": {{"on": true, "rpm": 1.50}}}}}},"clientToken":"{id}"}}"#);
    assert_eq!(String::from_utf8(update.body).unwrap(), expected);
    assert_eq!(update.shadow.unwrap().as_str(), "motor");
}

#[test]
fn what_is_no_state_is_refused_with_what_would_be_right() {
    let refused = |json: Option<&str>| {
        let (command, execution) = sent(1, json);
        STATE.delivery(&command, &execution, BORN).unwrap_err().to_string()
    };
    for json in [None, Some("{}"), Some("[1]"), Some("7")] {
        assert!(refused(json).contains(r#"as in {"light":"on"}"#), "{json:?}");
    }
    assert!(refused(Some(r#"{"a":{"b":null}}"#)).contains("leave /a/b of the payload out"));
    let nested = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    deliver(&STATE, &sent(1, Some(&nested(6))));
    assert!(refused(Some(&nested(7))).contains("may nest 6 levels"));
    assert!(refused(Some(&nested(1000))).contains("can't hold this payload"));
}

#[test]
fn it_is_done_when_all_that_is_wanted_is_reported() {
    assert!(said(r#"{"a":1}"#, r#"{"a":1.0,"b":2}"#));
    assert!(said(r#"{"a":{"b":[1,{"c":2}]}}"#, r#"{"a":{"b":[1.0,{"c":2}],"d":0}}"#));
    assert!(said(r#"{"a":18446744073709551615}"#, r#"{"a":18446744073709551615}"#));
    for (wanted, reported) in [
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
        assert!(!said(wanted, reported), "{wanted} {reported}");
    }
}

#[test]
fn two_are_about_the_same_when_they_want_an_attribute_in_common() {
    let overlap = |a: &str, b: &str| {
        assert_eq!(overlaps(&payload(a), &payload(b)), overlaps(&payload(b), &payload(a)), "{a} {b}");
        overlaps(&payload(a), &payload(b))
    };
    assert!(overlap(r#"{"light":"on"}"#, r#"{"light":"off","power":1}"#));
    assert!(overlap(r#"{"light":{"on":true}}"#, r#"{"light":7}"#));
    assert!(overlap(r#"{"light":{}}"#, r#"{"light":{}}"#));
    assert!(!overlap(r#"{"light":{"on":true}}"#, r#"{"light":{"color":"red"}}"#));
    assert!(!overlap(r#"{"light":"on"}"#, r#"{"lights":"on"}"#));
}

#[test]
fn only_what_is_still_wanted_and_not_reached_is_withdrawn() {
    let sent = sent(1, Some(r#"{"a":1,"b":{"c":2,"d":3},"e":4,"f":5}"#));
    let shadow = Shadow::new(
        json!({"a": 1.0, "b": {"c": 2, "d": 3, "x": 0}, "e": 9, "f": 5, "y": 0}),
        json!({"a": 0, "b": {"c": 2.0}}),
    );
    let update = withdraw(&STATE, &sent, &shadow).unwrap();
    assert_eq!(body(&update), json!({"state": {"desired": {"a": null, "b": {"d": null}, "f": null}}, "version": 7}));
}

#[test]
fn what_is_reached_but_for_its_spelling_leaves_no_delta() {
    let sent = sent(1, Some(r#"{"a":[2.0],"b":2.0}"#));
    let shadow = Shadow::new(json!({"a": [2.0], "b": 2.0}), json!({"a": [2], "b": 2}));
    assert!(said(r#"{"a":[2.0],"b":2.0}"#, r#"{"a":[2],"b":2}"#));
    let after = withdrawn(&STATE, &sent, shadow);
    assert_eq!((after.delta(), after.desired), (None, json!({"b": 2.0})));
}

#[test]
fn an_object_that_would_be_left_empty_goes_too() {
    let sent = sent(1, Some(r#"{"a":{"b":{"c":1}},"d":{}}"#));
    let mut shadow = Shadow::new(json!({}), json!({}));
    shadow.write(&deliver(&STATE, &sent));
    let shadow = withdrawn(&STATE, &sent, shadow);
    assert_eq!(shadow.desired, json!({}));
    let others = Shadow::new(json!({"a": {}}), json!({}));
    assert_eq!(withdraw(&STATE, &sent, &others), None, "nothing of it was ours");
}

proptest! {
    #[test]
    fn nothing_is_left_of_what_was_not_reached(
        mut shadow in shadow(), wanted in attributes(), some in proptest::option::of(attributes()),
    ) {
        let sent = sent(1, Some(&wanted.to_string()));
        let Ok(update) = STATE.delivery(&sent.0, &sent.1, BORN) else { return Ok(()) };
        let before = shadow.desired.clone();
        shadow.write(&update);
        if let Some(some) = some {
            shadow.update(&json!({"state": {"reported": some}}));
        }
        let after = withdrawn(&STATE, &sent, shadow.clone());
        prop_assert_eq!(&after.reported, &shadow.reported);
        let wanted = leaves(&wanted);
        let delta = after.delta().unwrap_or(json!({}));
        for (path, value) in &wanted {
            // An empty object merges with what was there.
            let others = value == &json!({}) && at(&before, path).is_some_and(|was| was.is_object() && was != value);
            prop_assert!(others || at(&delta, path).is_none(), "{path:?} of {delta}");
        }
        for (path, value) in leaves(&before) {
            if !path.is_empty() && !wanted.iter().any(|(other, _)| other.starts_with(&path) || path.starts_with(other)) {
                prop_assert_eq!(at(&after.desired, &path), Some(&value), "{:?} was not ours", path);
            }
        }
    }

    #[test]
    fn it_is_done_once_it_was_reported(wanted in attributes(), mut reported in attributes()) {
        merge(&mut reported, &wanted);
        prop_assert!(agrees(&payload(&wanted.to_string()), &reported.to_string()));
    }

    #[test]
    fn it_is_done_when_there_is_no_delta(wanted in attributes(), reported in attributes()) {
        // Without fractions: whether [1] is [1.0] to the service is not known.
        let [wanted, reported] = [wanted, reported].map(|value| value.to_string().replace(".0", ""));
        let [desired, is] = [&wanted, &reported].map(|json| serde_json::from_str(json).unwrap());
        let open = Shadow::new(desired, is).delta().is_some();
        prop_assert_eq!(agrees(&payload(&wanted), &reported), !open);
    }

    #[test]
    fn what_has_nothing_in_common_can_both_be_reached(a in attributes(), b in attributes()) {
        let mut both = a.clone();
        merge(&mut both, &b);
        let (a, b) = (payload(&a.to_string()), payload(&b.to_string()));
        prop_assert!(agrees(&b, &both.to_string()), "the newer one always is");
        prop_assert!(overlaps(&a, &b) || agrees(&a, &both.to_string()));
    }
}
