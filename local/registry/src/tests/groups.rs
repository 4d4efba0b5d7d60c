//! Tests of thing groups, their hierarchy and their members.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn describe_thing_group_lists_the_ancestors_from_the_root() {
    let bench = Bench::new().await;
    bench.group("a", None).await;
    bench.group("b", Some("a")).await;
    let properties = json!({ "thingGroupDescription": "deep", "attributePayload": { "attributes": { "k": "v" } } });
    let body = json!({ "parentGroupName": "b", "thingGroupProperties": properties });
    let made = bench.ok("POST", "/thing-groups/c", body.clone()).await;
    assert_eq!(made["thingGroupArn"], "arn:aws:iot:us-east-1:000000000000:thinggroup/c");
    assert_eq!(bench.ok("POST", "/thing-groups/c", body).await, made);
    bench.fails("POST", "/thing-groups/c", json!({ "parentGroupName": "a" }), EXISTS).await;
    let found = bench.get("/thing-groups/c").await;
    let metadata = &found["thingGroupMetadata"];
    assert_eq!(metadata["parentGroupName"], "b");
    assert_eq!(names(&metadata["rootToParentThingGroups"], "groupName"), ["a", "b"]);
    assert_eq!(metadata["creationDate"], 1_700_000_000.5);
    assert_eq!(found["thingGroupProperties"]["attributePayload"]["attributes"], json!({ "k": "v" }));
    assert_eq!((&found["version"], &found["thingGroupId"]), (&json!(1), &made["thingGroupId"]));
}

#[tokio::test]
async fn a_group_update_increments_the_version_and_keeps_properties_it_does_not_name() {
    let bench = Bench::new().await;
    bench.group("g", None).await;
    let update = |properties: Value| json!({ "thingGroupProperties": properties });
    let described = update(json!({ "thingGroupDescription": "first" }));
    assert_eq!(bench.ok("PATCH", "/thing-groups/g", described).await["version"], 2);
    let merged = update(json!({ "attributePayload": { "attributes": { "a": "1" }, "merge": true } }));
    assert_eq!(bench.ok("PATCH", "/thing-groups/g", merged).await["version"], 3);
    let properties = &bench.get("/thing-groups/g").await["thingGroupProperties"];
    assert_eq!(properties["thingGroupDescription"], "first");
    assert_eq!(properties["attributePayload"]["attributes"], json!({ "a": "1" }));
    let late = json!({ "thingGroupProperties": {}, "expectedVersion": 1 });
    bench.fails("PATCH", "/thing-groups/g", late, VERSION).await;
    bench.fails("PATCH", "/thing-groups/g", json!({}), INVALID).await;
    bench.fails("PATCH", "/thing-groups/none", update(json!({})), NOT_FOUND).await;
    bench.fails("PATCH", "/thing-groups/g", update(json!({ "thingGroupDescription": "a\u{7}" })), INVALID).await;
}

#[tokio::test]
async fn a_hierarchy_has_at_most_7_levels_and_100_children_per_group() {
    let bench = Bench::new().await;
    bench.group("l1", None).await;
    for level in 2..=7 {
        bench.group(&format!("l{level}"), Some(&format!("l{}", level - 1))).await;
    }
    bench.fails("POST", "/thing-groups/l8", json!({ "parentGroupName": "l7" }), INVALID).await;
    for child in 1..100 {
        bench.group(&format!("child-{child}"), Some("l1")).await;
    }
    bench.fails("POST", "/thing-groups/one-more", json!({ "parentGroupName": "l1" }), INVALID).await;
    bench.fails("POST", "/thing-groups/orphan", json!({ "parentGroupName": "none" }), INVALID).await;
    bench.fails("POST", "/thing-groups/self", json!({ "parentGroupName": "self" }), INVALID).await;
}

#[tokio::test]
async fn a_group_with_children_cannot_be_deleted() {
    let bench = Bench::new().await;
    bench.group("a", None).await;
    bench.group("b", Some("a")).await;
    bench.thing("t").await;
    bench.join("t", "b").await;
    bench.fails("DELETE", "/thing-groups/a", Value::Null, INVALID).await;
    bench.fails("DELETE", "/thing-groups/b?expectedVersion=2", Value::Null, VERSION).await;
    bench.ok("DELETE", "/thing-groups/b", Value::Null).await;
    bench.ok("DELETE", "/thing-groups/b", Value::Null).await;
    bench.ok("DELETE", "/thing-groups/a", Value::Null).await;
    bench.fails("GET", "/thing-groups/a", Value::Null, NOT_FOUND).await;
    assert_eq!(bench.get("/things/t/thing-groups").await["thingGroups"], json!([]));
}

#[tokio::test]
async fn groups_are_filtered_by_parent_prefix_and_depth() {
    let bench = Bench::new().await;
    for (name, parent) in
        [("a", None), ("a-1", Some("a")), ("a-2", Some("a")), ("a-1-x", Some("a-1")), ("b", None), ("b-1", Some("b"))]
    {
        bench.group(name, parent).await;
    }
    for (query, expected) in [
        ("", vec!["a", "a-1", "a-1-x", "a-2", "b", "b-1"]),
        ("?recursive=true", vec!["a", "a-1", "a-1-x", "a-2", "b", "b-1"]),
        ("?recursive=false", vec!["a", "b"]),
        ("?parentGroup=a", vec!["a-1", "a-2"]),
        ("?parentGroup=a&recursive=true", vec!["a-1", "a-1-x", "a-2"]),
        ("?parentGroup=b-1", vec![]),
        ("?namePrefixFilter=a-1", vec!["a-1", "a-1-x"]),
        ("?parentGroup=a&namePrefixFilter=a-1", vec!["a-1"]),
    ] {
        let list = bench.get(&format!("/thing-groups{query}")).await;
        assert_eq!(names(&list["thingGroups"], "groupName"), expected, "{query}");
    }
    assert_eq!(bench.pages("/thing-groups?maxResults=4", "thingGroups").await.0, [4, 2]);
    bench.fails("GET", "/thing-groups?parentGroup=none", Value::Null, NOT_FOUND).await;
}

#[tokio::test]
async fn members_are_listed_in_pages_and_recursively_each_once() {
    let bench = Bench::new().await;
    bench.group("all", None).await;
    bench.group("part", Some("all")).await;
    bench.group("deep", Some("part")).await;
    for i in 0..60 {
        let thing = format!("t{i:02}");
        bench.thing(&thing).await;
        bench.join(&thing, ["all", "part", "deep"][i % 3]).await;
    }
    assert_eq!(bench.pages("/thing-groups/all/things", "things").await.0, [20]);
    assert_eq!(bench.pages("/thing-groups/all/things?maxResults=9", "things").await.0, [9, 9, 2]);
    assert_eq!(bench.pages("/thing-groups/part/things?recursive=false", "things").await.0, [20]);
    let (sizes, things) = bench.pages("/thing-groups/all/things?recursive=true", "things").await;
    assert_eq!(sizes, [25, 25, 10]);
    assert_eq!(things.iter().map(text).collect::<BTreeSet<_>>().len(), 60);
    assert_eq!(bench.pages("/thing-groups/all/things?recursive=true&maxResults=250", "things").await.0, [60]);
    for bad in ["maxResults=0", "maxResults=251", "nextToken=%00"] {
        bench.fails("GET", &format!("/thing-groups/all/things?{bad}"), Value::Null, INVALID).await;
    }
    bench.fails("GET", "/thing-groups/none/things", Value::Null, NOT_FOUND).await;
}

#[tokio::test]
async fn adding_and_removing_a_member_is_idempotent() {
    let bench = Bench::new().await;
    bench.thing("t").await;
    bench.group("g", None).await;
    bench.join("t", "g").await;
    bench.join("t", "g").await;
    assert_eq!(bench.get("/thing-groups/g/things").await["things"], json!(["t"]));
    let arns = json!({
        "thingArn": "arn:aws:iot:us-east-1:000000000000:thing/t",
        "thingGroupArn": "arn:aws:iot:us-east-1:000000000000:thinggroup/g",
    });
    for _ in 0..2 {
        bench.ok("PUT", "/thing-groups/removeThingFromThingGroup", arns.clone()).await;
        assert_eq!(bench.get("/thing-groups/g/things").await["things"], json!([]));
    }
    let add = "/thing-groups/addThingToThingGroup";
    bench.ok("PUT", add, arns).await;
    for (body, error) in [
        (json!({}), INVALID),
        (json!({ "thingName": "t" }), INVALID),
        (json!({ "thingName": "t", "thingGroupArn": "arn:aws:iot:eu-west-1:000000000000:thinggroup/g" }), INVALID),
        (
            json!({ "thingName": "t", "thingGroupName": "h", "thingGroupArn": "arn:aws:iot:us-east-1:000000000000:thinggroup/g" }),
            INVALID,
        ),
        (json!({ "thingName": "none", "thingGroupName": "g" }), NOT_FOUND),
        (json!({ "thingName": "t", "thingGroupName": "none" }), NOT_FOUND),
    ] {
        bench.fails("PUT", add, body, error).await;
    }
}

#[tokio::test]
async fn a_thing_is_in_ten_groups_of_different_hierarchies_at_most() {
    let bench = Bench::new().await;
    bench.thing("t").await;
    bench.group("root", None).await;
    bench.group("left", Some("root")).await;
    bench.group("right", Some("root")).await;
    bench.join("t", "left").await;
    let add = |group: &str| json!({ "thingName": "t", "thingGroupName": group });
    for relative in ["right", "root"] {
        bench.fails("PUT", "/thing-groups/addThingToThingGroup", add(relative), INVALID).await;
    }
    for i in 1..10 {
        bench.group(&format!("g{i}"), None).await;
        bench.join("t", &format!("g{i}")).await;
    }
    bench.group("g10", None).await;
    bench.fails("PUT", "/thing-groups/addThingToThingGroup", add("g10"), INVALID).await;
    bench.join("t", "g9").await;
    let list = bench.get("/things/t/thing-groups?maxResults=250").await;
    // The ten groups of the thing and one parent.
    assert_eq!(list["thingGroups"].as_array().unwrap().len(), 11);
    assert_eq!(bench.pages("/things/t/thing-groups?maxResults=6", "thingGroups").await.0, [6, 5]);
}

#[tokio::test]
async fn an_update_of_the_groups_of_a_thing_is_atomic() {
    let bench = Bench::new().await;
    bench.thing("t").await;
    for (name, parent) in [("root", None), ("left", Some("root")), ("right", Some("root")), ("other", None)] {
        bench.group(name, parent).await;
    }
    bench.join("t", "left").await;
    let path = "/thing-groups/updateThingGroupsForThing";
    let update = |add: &[&str], remove: &[&str]| json!({ "thingName": "t", "thingGroupsToAdd": add, "thingGroupsToRemove": remove });
    for (body, error) in [
        (update(&["other", "none"], &[]), NOT_FOUND),
        (update(&["other", "right"], &[]), INVALID),
        (update(&["other"], &["other"]), INVALID),
    ] {
        bench.fails("PUT", path, body, error).await;
        assert_eq!(bench.get("/thing-groups/other/things").await["things"], json!([]));
    }
    bench.ok("PUT", path, update(&["right", "other"], &["left"])).await;
    for (group, things) in [("left", json!([])), ("right", json!(["t"])), ("other", json!(["t"]))] {
        assert_eq!(bench.get(&format!("/thing-groups/{group}/things")).await["things"], things, "{group}");
    }
}
