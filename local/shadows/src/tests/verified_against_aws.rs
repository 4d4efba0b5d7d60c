//! Cases that the tests of moto mark as verified against AWS.

use serde_json::json;

use super::Service;

/// Each case: `state` of a first update, expected GET, `state` of a second update, expected GET.
#[test]
fn get_matches_the_states_recorded_from_aws() {
    let cases = [
        (
            json!({"desired": {"on": true}}),
            json!({"desired": {"on": true}, "delta": {"on": true}}),
            json!({"reported": {"on": false}}),
            json!({"desired": {"on": true}, "reported": {"on": false}, "delta": {"on": true}}),
        ),
        (
            json!({"desired": {"on": true}}),
            json!({"desired": {"on": true}, "delta": {"on": true}}),
            json!({"reported": {"on": true, "up": false}}),
            json!({"desired": {"on": true}, "reported": {"on": true, "up": false}}),
        ),
        (json!({}), json!({}), json!({"reported": {"up": false}}), json!({"reported": {"up": false}})),
        (json!({}), json!({}), json!({"reported": {"up": null}}), json!({})),
        (json!({"desired": {}}), json!({}), json!({"reported": {"up": 1}}), json!({"reported": {"up": 1}})),
        (
            json!({"desired": {"on": true}}),
            json!({"desired": {"on": true}, "delta": {"on": true}}),
            json!({"reported": {}}),
            json!({"desired": {"on": true}, "delta": {"on": true}}),
        ),
        (
            json!({"desired": {"on": true}}),
            json!({"desired": {"on": true}, "delta": {"on": true}}),
            json!({"reported": {"up": true}}),
            json!({"desired": {"on": true}, "reported": {"up": true}, "delta": {"on": true}}),
        ),
        (
            json!({"reported": {"l": ["x", "y"]}}),
            json!({"reported": {"l": ["x", "y"]}}),
            json!({"desired": {"l": ["x"]}}),
            json!({"desired": {"l": ["x"]}, "reported": {"l": ["x", "y"]}, "delta": {"l": ["x"]}}),
        ),
        (
            json!({"reported": {"l": ["x", "y"]}}),
            json!({"reported": {"l": ["x", "y"]}}),
            json!({"desired": {"l": ["x", "z"]}}),
            json!({"desired": {"l": ["x", "z"]}, "reported": {"l": ["x", "y"]}, "delta": {"l": ["x", "z"]}}),
        ),
        (
            json!({"reported": {"l": [["x"], ["y"]]}}),
            json!({"reported": {"l": [["x"], ["y"]]}}),
            json!({"desired": {"l": [["x"]]}}),
            json!({"desired": {"l": [["x"]]}, "reported": {"l": [["x"], ["y"]]}, "delta": {"l": [["x"]]}}),
        ),
        (
            json!({"reported": {"p": {"q": ["y"]}}}),
            json!({"reported": {"p": {"q": ["y"]}}}),
            json!({"desired": {"p": {"q": ["x", "y"]}}}),
            json!({
                "desired": {"p": {"q": ["x", "y"]}}, "reported": {"p": {"q": ["y"]}}, "delta": {"p": {"q": ["x", "y"]}}
            }),
        ),
        (
            json!({"reported": {"p": {"q": {"r": "1", "s": "2"}}}}),
            json!({"reported": {"p": {"q": {"r": "1", "s": "2"}}}}),
            json!({"desired": {"p": {"q": {"r": "9"}}}}),
            json!({
                "desired": {"p": {"q": {"r": "9"}}}, "reported": {"p": {"q": {"r": "1", "s": "2"}}},
                "delta": {"p": {"q": {"r": "9"}}}
            }),
        ),
        (
            json!({"reported": {"p": {"q": {"r": 1}}}}),
            json!({"reported": {"p": {"q": {"r": 1}}}}),
            json!({"desired": {"p": {"q": {"r": 1}}, "n": {"m": 2}}}),
            json!({
                "desired": {"p": {"q": {"r": 1}}, "n": {"m": 2}}, "reported": {"p": {"q": {"r": 1}}},
                "delta": {"n": {"m": 2}}
            }),
        ),
        (
            json!({"reported": {"p": {"q": {"r": 1}}}}),
            json!({"reported": {"p": {"q": {"r": 1}}}}),
            json!({"desired": {"p": {"q": {"r": 1}, "m": 2}}}),
            json!({
                "desired": {"p": {"q": {"r": 1}, "m": 2}}, "reported": {"p": {"q": {"r": 1}}}, "delta": {"p": {"m": 2}}
            }),
        ),
    ];
    for (first, first_get, second, second_get) in cases {
        let mut service = Service::new();
        service.update(json!({ "state": first }));
        assert_eq!(service.get()["state"], first_get, "after {first}");
        service.update(json!({ "state": second }));
        assert_eq!(service.get()["state"], second_get, "after {first}, then {second}");
    }
    for (first, second) in [
        (json!({"n": 1, "p": {"q": 3}}), json!({"n": 1, "p": {"q": 3}, "d": {}})),
        (json!({"n": 1, "p": {"q": 3}, "d": {}}), json!({"n": 1, "p": {"q": {}}, "d": {}})),
        (json!({"n": 1, "p": {"q": 3}}), json!({"n": 1, "p": {"q": {"d": 3}}})),
    ] {
        let mut service = Service::new();
        service.update(json!({"state": {"desired": first}}));
        service.update(json!({"state": {"desired": second}}));
        assert_eq!(service.get()["state"], json!({"desired": second, "delta": second}));
    }
}
