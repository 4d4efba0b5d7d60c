//! The ttl of a request in a shadow: it is cut by five seconds, the answer says so, and the request is gone by its end.

use serde_json::{Value, json};

use crate::world::World;

/// The requests in the shadow `cmd` of a thing.
fn requests(world: &World, thing: &str) -> Vec<Value> {
    let shadow = world.shadow(thing, Some("cmd"));
    shadow["state"]["desired"]["c"].as_object().into_iter().flat_map(|all| all.values().cloned()).collect()
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn the_answer_says_that_the_ttl_is_cut_and_the_shadow_is_clean_at_its_end() {
    let world = World::start().await;
    for (ttl, left) in [(30_u64, 25), (130, 125), (300, 295), (6, 1), (2, 1)] {
        let thing = format!("ttl-{ttl}");
        let body = json!({"name": "reboot", "target": {"things": [thing]}, "delivery": "shadow", "ttl": ttl});
        let answer = world.post("/commands", &body).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let note = answer.body["notes"][0].as_str().expect("a note");
        assert!(note.contains(&format!("within {left} seconds")), "{note}");
        let request = requests(&world, &thing).remove(0);
        assert_eq!(request["ttl"], left, "the time that the device has: {request}");
        let execution = &answer.body["execution"];
        let at = |name: &str| execution[name].as_str().expect("a time").parse::<jiff::Timestamp>().expect("RFC 3339");
        assert_eq!(at("deadline").as_second() - at("createdAt").as_second(), left);
        world.advance(ttl).await;
        assert_eq!(requests(&world, &thing), Vec::<Value>::new(), "ttl {ttl}");
    }
    let topic = world.post("/commands", &json!({"name": "reboot", "target": {"things": ["pump-7"]}})).await;
    assert!(!topic.body["notes"].to_string().contains("shadow"), "{topic:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_wait_that_is_longer_than_the_time_in_the_shadow_is_refused() {
    let world = World::start().await;
    for (wait, status) in [(24, 202), (25, 422), (29, 422)] {
        let body = json!({"name": "reboot", "target": {"things": ["pump-7"]}, "delivery": "shadow", "ttl": 30,
            "retry": {"attempts": 2, "wait": wait}});
        let answer = world.post("/commands", &body).await;
        assert_eq!(answer.status, status, "{wait}: {answer:?}");
        if status == 422 {
            assert_eq!(answer.body["field"], "retry.wait");
        }
    }
    world.end().await;
}
