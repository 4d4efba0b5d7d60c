//! Removal from shadows that do not exist, are empty, or are not shadow documents.

use crate::messages::shadow::fixtures::*;

#[test]
fn removal_from_an_absent_or_empty_shadow_is_no_update() {
    let sent = sent(1, Some(r#"{"a":1}"#));
    for route in [ShadowRoute::Atlas, ShadowRoute::State(None)] {
        assert!(route.needs_document());
        assert_eq!(route.removal_update(&sent.1.key, sent.0.definition.payload.as_ref(), None).unwrap(), None);
        let cleared = br#"{"state":{},"metadata":{},"version":3}"#;
        assert_eq!(route.removal_update(&sent.1.key, None, Some(cleared)).unwrap(), None);
        for broken in ["", "7", "{}", r#"{"state":7,"version":1}"#] {
            let error = route.removal_update(&sent.1.key, None, Some(broken.as_bytes()));
            assert!(matches!(error, Err(ShadowError::Document(_))), "{broken}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(
        noise in proptest::collection::vec(any::<u8>(), 0..200), json in "[\\[\\]{}:,\"a-c0-9]{0,60}",
    ) {
        let sent = sent(1, Some(r#"{"a":{"b":1},"c":2}"#));
        let state = format!(r#"{{"version":1,"state":{{"desired":{json},"reported":{json}}}}}"#);
        let command = format!(r#"{{"version":1,"state":{{"desired":{{"command":{json}}}}}}}"#);
        for document in [&noise, json.as_bytes(), state.as_bytes(), command.as_bytes()] {
            ShadowRoute::declared(document);
            for route in [ShadowRoute::Atlas, ShadowRoute::default(), ShadowRoute::State(None)] {
                let _ = route.removal_update(&sent.1.key, sent.0.definition.payload.as_ref(), Some(document));
            }
        }
        let _ = ShadowRoute::parse(&json);
    }
}
