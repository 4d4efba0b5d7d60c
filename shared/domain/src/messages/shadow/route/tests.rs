//! Shadow routes: as text, and as things declare them.

use crate::messages::shadow::fixtures::*;
use crate::messages::shadow::route::ShadowRouteError;

#[test]
fn a_stored_route_is_read_back() {
    for text in ["atlas", "map/cmd", "map/other", "state", "state/motor"] {
        assert_eq!(ShadowRoute::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(ShadowRoute::parse("map").unwrap(), ShadowRoute::default());
    assert_eq!(ShadowRoute::default().to_string(), "map/cmd");
    for text in ["", "atlas/x", "MAP", "other/x"] {
        assert!(matches!(ShadowRoute::parse(text), Err(ShadowRouteError::Dialect(_))), "{text}");
    }
    for text in ["map/", "state/a/b", "state/$x"] {
        assert!(matches!(ShadowRoute::parse(text), Err(ShadowRouteError::Shadow(_))), "{text}");
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
