//! Tests of the bulk creation of things and groups, and of listing large groups.

use std::error::Error;
use std::time::Instant;

use super::*;

fn pumps(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("pump-{n:06}")).collect()
}

#[tokio::test]
async fn bulk_creation_gives_the_same_state_as_single_requests() {
    let bench = Bench::new().await;
    bench.registry.add_group("all", None).unwrap();
    bench.registry.add_group("pumps", Some("all")).unwrap();
    let names = pumps(60);
    for _ in 0..2 {
        bench.registry.add_group("pumps", Some("all")).unwrap();
        bench.registry.add_things("pumps", &names).unwrap();
        bench.registry.add_things("other", &["pump-000003", "valve"]).unwrap();
    }
    let (sizes, things) = bench.pages("/thing-groups/all/things?recursive=true", "things").await;
    assert_eq!((sizes, json!(things)), (vec![25, 25, 10], json!(names)));
    assert_eq!(bench.get("/thing-groups/other/things").await["things"], json!(["pump-000003", "valve"]));
    let groups = bench.get("/things/pump-000003/thing-groups").await;
    assert_eq!(names_of(&groups), ["all", "other", "pumps"]);
    assert_eq!(bench.get("/things/pump-000003").await["version"], 1);
    bench
        .fails(
            "PUT",
            "/thing-groups/addThingToThingGroup",
            json!({"thingName": "pump-000003", "thingGroupName": "all"}),
            INVALID,
        )
        .await;
}

fn names_of(groups: &Value) -> Vec<String> {
    names(&groups["thingGroups"], "groupName")
}

#[tokio::test]
async fn the_error_names_the_rejected_thing_and_has_the_api_error_as_source() {
    let bench = Bench::new().await;
    bench.registry.add_group("all", None).unwrap();
    bench.registry.add_group("pumps", Some("all")).unwrap();
    let refused = bench.registry.add_things("pumps", &["first", "no/thing", "last"]).unwrap_err();
    assert_eq!(refused.to_string(), "cannot add no/thing to the registry");
    assert!(refused.source().unwrap().to_string().contains("thingName"));
    assert_eq!(bench.get("/thing-groups/pumps/things").await["things"], json!(["first"]));
    assert!(
        bench.registry.add_things("all", &["first"]).is_err(),
        "the thing is in another group of the same hierarchy"
    );
    for (group, parent) in [("no/group", None), ("pumps", None), ("valves", Some("none"))] {
        assert!(bench.registry.add_group(group, parent).is_err(), "{group}");
    }
    assert!(bench.registry.add_things("no/group", &["first"]).is_err());
}

#[tokio::test]
async fn a_child_group_deleted_between_pages_hides_no_other_thing_and_a_deleted_group_is_not_found() {
    let bench = Bench::new().await;
    bench.registry.add_group("all", None).unwrap();
    for (group, things) in [("left", ["a", "d"]), ("right", ["b", "e"])] {
        bench.registry.add_group(group, Some("all")).unwrap();
        bench.registry.add_things(group, &things).unwrap();
    }
    let page = |token: &Value| {
        let next = token.as_str().map(|token| format!("&nextToken={}", token.replace('=', "%3D"))).unwrap_or_default();
        format!("/thing-groups/all/things?recursive=true&maxResults=2{next}")
    };
    let first = bench.get(&page(&Value::Null)).await;
    assert_eq!(first["things"], json!(["a", "b"]));
    bench.ok("DELETE", "/thing-groups/left", Value::Null).await;
    let second = page(&first["nextToken"]);
    assert_eq!(bench.get(&second).await, json!({"things": ["e"], "nextToken": null}));
    bench.ok("DELETE", "/thing-groups/right", Value::Null).await;
    bench.ok("DELETE", "/thing-groups/all", Value::Null).await;
    bench.fails("GET", &second, Value::Null, NOT_FOUND).await;
}

#[tokio::test]
async fn listing_100_000_things_returns_each_once() {
    let bench = Bench::new().await;
    let names = pumps(100_000);
    bench.registry.add_group("all", None).unwrap();
    bench.registry.add_group("pumps", Some("all")).unwrap();
    let begin = Instant::now();
    bench.registry.add_things("pumps", &names).unwrap();
    let added = begin.elapsed();
    let begin = Instant::now();
    let (sizes, things) = bench.pages("/thing-groups/all/things?recursive=true&maxResults=250", "things").await;
    let listed = begin.elapsed();
    println!("100,000 things: added in {added:?}, listed in {listed:?}");
    assert_eq!((sizes.len(), json!(things)), (400, json!(names)));
}
