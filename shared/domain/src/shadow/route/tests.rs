//! Which way a command takes through the shadows.

use crate::shadow::fixtures::*;

#[test]
fn what_is_stored_is_read_back() {
    for text in ["atlas", "map/cmd", "map/other", "state", "state/motor"] {
        assert_eq!(ShadowRoute::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(ShadowRoute::parse("map").unwrap(), ShadowRoute::default());
    assert_eq!(ShadowRoute::default().to_string(), "map/cmd");
    for text in ["", "atlas/x", "MAP", "other/x"] {
        assert!(matches!(ShadowRoute::parse(text), Err(UnknownRoute::Dialect(_))), "{text}");
    }
    for text in ["map/", "state/a/b", "state/$x"] {
        assert!(matches!(ShadowRoute::parse(text), Err(UnknownRoute::Shadow(_))), "{text}");
    }
}

#[test]
fn a_thing_declares_its_dialect() {
    let declared = |state: Value| ShadowRoute::declared(json!({"state": state, "version": 1}).to_string().as_bytes());
    assert_eq!(declared(json!({})), ShadowRoute::default());
    assert_eq!(declared(json!({"reported": {"dialect": "map"}})), ShadowRoute::default());
    assert_eq!(declared(json!({"reported": {"dialect": "atlas"}})), ShadowRoute::Atlas);
    assert_eq!(declared(json!({"desired": {"dialect": "atlas"}, "reported": {"c": {}}})), ShadowRoute::Atlas);
    assert_eq!(
        declared(json!({"desired": {"dialect": "atlas"}, "reported": {"dialect": "map"}})),
        ShadowRoute::default()
    );
    assert_eq!(declared(json!({"reported": {"dialect": 7}})), ShadowRoute::default());
}

#[test]
fn where_there_is_no_shadow_there_is_nothing_to_withdraw() {
    let sent = sent(1, Some(r#"{"a":1}"#));
    for route in [ShadowRoute::Atlas, ShadowRoute::State(None)] {
        assert!(route.needs_document());
        assert_eq!(route.withdrawal(&sent.1.key, sent.0.definition.payload.as_ref(), None).unwrap(), None);
        let cleared = br#"{"state":{},"metadata":{},"version":3}"#;
        assert_eq!(route.withdrawal(&sent.1.key, None, Some(cleared)).unwrap(), None);
        for broken in ["", "7", "{}", r#"{"state":7,"version":1}"#] {
            let error = route.withdrawal(&sent.1.key, None, Some(broken.as_bytes()));
            assert!(matches!(error, Err(ShadowError::Document(_))), "{broken}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_document_or_refused(
        noise in proptest::collection::vec(any::<u8>(), 0..200), json in "[\\[\\]{}:,\"a-c0-9]{0,60}",
    ) {
        let sent = sent(1, Some(r#"{"a":{"b":1},"c":2}"#));
        let state = format!(r#"{{"version":1,"state":{{"desired":{json},"reported":{json}}}}}"#);
        let command = format!(r#"{{"version":1,"state":{{"desired":{{"command":{json}}}}}}}"#);
        for document in [&noise, json.as_bytes(), state.as_bytes(), command.as_bytes()] {
            ShadowRoute::declared(document);
            for route in [ShadowRoute::Atlas, ShadowRoute::default(), ShadowRoute::State(None)] {
                let _ = route.withdrawal(&sent.1.key, sent.0.definition.payload.as_ref(), Some(document));
            }
        }
        let _ = ShadowRoute::parse(&json);
    }
}
