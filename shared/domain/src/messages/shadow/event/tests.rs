//! Shadow events: what is decoded, and what is refused.

use crate::messages::shadow::event::{ShadowEvent, ShadowEventError};
use crate::messages::shadow::fixtures::*;

fn event(shadow: Option<&str>) -> ShadowEvent {
    let state = json!({"desired": {"n": 1}, "reported": {"a": 1}});
    let mut event = json!({"thing": "pump-7", "version": 4, "receivedAt": 1_700_000_000_123_i64, "state": state});
    if let Some(shadow) = shadow {
        event["shadow"] = json!(shadow);
    }
    ShadowEvent::decode(&event.to_string()).unwrap()
}

#[test]
fn an_event_has_the_members_that_the_rules_select() {
    let named = event(Some("cmd"));
    assert_eq!((named.thing.as_str(), named.shadow), ("pump-7", Some(ShadowName::commands())));
    assert_eq!((named.version, named.received_at), (4, CREATED_AT));
    let classic = event(None);
    assert_eq!(classic.shadow, None);
    assert_eq!(classic.reported().unwrap().get(), r#"{"a":1}"#);
    for state in ["", r#","state":null"#, r#","state":{}"#, r#","state":{"reported":null}"#] {
        let text = format!(r#"{{"thing":"pump-7","version":4,"receivedAt":1{state}}}"#);
        let cleared = ShadowEvent::decode(&text).unwrap();
        assert!(cleared.reported().is_none() && cleared.reports().reports.is_empty(), "{state}");
    }
}

#[test]
fn every_refused_event_says_why() {
    let decode = |text: &str| ShadowEvent::decode(text).unwrap_err();
    assert!(matches!(decode("{}"), ShadowEventError::Event(_)));
    assert!(matches!(decode(r#"{"thing":"a b","version":1,"receivedAt":1}"#), ShadowEventError::Name(_)));
    assert!(matches!(decode(r#"{"thing":"a","shadow":"$x","version":1,"receivedAt":1}"#), ShadowEventError::Name(_)));
    assert!(matches!(decode(r#"{"thing":"a","version":1,"receivedAt":1,"state":7}"#), ShadowEventError::State(_)));
}

proptest! {
    #[test]
    fn arbitrary_text_does_not_panic(noise in "\\PC{0,80}", json in "[\\[\\]{}:,\"a-c0-9]{0,60}") {
        let _ = ShadowEvent::decode(&noise);
        for (shadow, member) in [("", "command"), (r#","shadow":"cmd""#, "c")] {
            let state = format!(r#"{{"reported":{{"{member}":{json}}}}}"#);
            let text = format!(r#"{{"thing":"a"{shadow},"version":1,"receivedAt":1,"state":{state}}}"#);
            if let Ok(event) = ShadowEvent::decode(&text) {
                event.reports();
            }
        }
    }
}
