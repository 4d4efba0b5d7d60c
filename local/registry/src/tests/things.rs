//! Tests of things and thing types.

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn create_thing_is_idempotent() {
    let bench = Bench::new().await;
    let body = json!({ "attributePayload": { "attributes": { "floor": "3", "room": "a_1" } } });
    let made = bench.ok("POST", "/things/lamp-1", body.clone()).await;
    assert_eq!(made["thingArn"], "arn:aws:iot:us-east-1:000000000000:thing/lamp-1");
    assert_eq!(bench.ok("POST", "/things/lamp-1", body).await, made);
    let found = bench.get("/things/lamp-1").await;
    assert_eq!(found["thingId"], made["thingId"]);
    assert_eq!(found["defaultClientId"], "lamp-1");
    assert_eq!(found["attributes"], json!({ "floor": "3", "room": "a_1" }));
    assert_eq!(found["version"], 1);
    let (status, name, body) = bench.call("POST", "/things/lamp-1", json!({})).await;
    assert_eq!((status, name.as_str()), EXISTS);
    assert_eq!((&body["resourceId"], &body["resourceArn"]), (&made["thingId"], &made["thingArn"]));
}

#[tokio::test]
async fn an_invalid_thing_is_rejected_and_not_created() {
    let bench = Bench::new().await;
    let attributes = |attributes: Value| json!({ "attributePayload": { "attributes": attributes } });
    for body in [
        attributes(json!({ "a": "1", "b": "2", "c": "3", "d": "4" })),
        attributes(json!({ "a b": "1" })),
        attributes(json!({ "": "1" })),
        attributes(json!({ "a": "b c" })),
        attributes(json!({ "a": "é" })),
        attributes(json!({ "a": "x".repeat(801) })),
        attributes(json!({ "x".repeat(129): "1" })),
        attributes(json!({ "a": 1 })),
    ] {
        bench.fails("POST", "/things/t", body, INVALID).await;
    }
    bench.fails("POST", "/things/t", json!({ "thingTypeName": "none" }), NOT_FOUND).await;
    bench.fails("POST", "/things/t", json!({ "billingGroupName": "none" }), NOT_FOUND).await;
    for name in ["a%20b", "%C3%A9", "a%24b", "a.b"] {
        bench.fails("POST", &format!("/things/{name}"), json!({}), INVALID).await;
    }
    bench.fails("GET", "/things/t", Value::Null, NOT_FOUND).await;
    bench.ok("POST", "/things/t", attributes(json!({ "x".repeat(128): "y".repeat(800), "a": "b", "c": "d" }))).await;
    bench.ok("POST", &format!("/things/{}", "x".repeat(128)), Value::Null).await;
}

#[tokio::test]
async fn an_update_merges_or_replaces_attributes_and_increments_the_version() {
    let bench = Bench::new().await;
    bench.ok("POST", "/things/t", json!({ "attributePayload": { "attributes": { "a": "1", "b": "2" } } })).await;
    let merge = json!({ "attributePayload": { "attributes": { "a": "", "c": "3" }, "merge": true } });
    bench.ok("PATCH", "/things/t", merge).await;
    assert_eq!(bench.get("/things/t").await["attributes"], json!({ "b": "2", "c": "3" }));
    bench.ok("PATCH", "/things/t", json!({ "expectedVersion": 2 })).await;
    let found = bench.get("/things/t").await;
    assert_eq!((&found["attributes"], &found["version"]), (&json!({ "b": "2", "c": "3" }), &json!(3)));
    bench.fails("PATCH", "/things/t", json!({ "expectedVersion": 2 }), VERSION).await;
    let many = json!({ "attributePayload": { "attributes": { "x": "1", "y": "2" }, "merge": true } });
    bench.fails("PATCH", "/things/t", many, INVALID).await;
    bench.ok("PATCH", "/things/t", json!({ "attributePayload": { "attributes": { "z": "1" } } })).await;
    let found = bench.get("/things/t").await;
    assert_eq!((&found["attributes"], &found["version"]), (&json!({ "z": "1" }), &json!(4)));
    bench.fails("PATCH", "/things/none", json!({}), NOT_FOUND).await;
}

#[tokio::test]
async fn a_type_raises_the_attribute_limit_and_its_removal_lowers_it() {
    let bench = Bench::new().await;
    bench.ok("POST", "/thing-types/lamp", Value::Null).await;
    let attributes: serde_json::Map<String, Value> = (0..50).map(|i| (format!("a{i}"), json!("1"))).collect();
    let payload = |attributes: &serde_json::Map<String, Value>| json!({ "attributes": attributes });
    bench.ok("POST", "/things/t", json!({ "thingTypeName": "lamp", "attributePayload": payload(&attributes) })).await;
    assert_eq!(bench.get("/things/t").await["thingTypeName"], "lamp");
    let mut many = attributes.clone();
    many.insert("one-more".into(), json!("1"));
    let many = json!({ "thingTypeName": "lamp", "attributePayload": payload(&many) });
    bench.fails("POST", "/things/u", many, INVALID).await;
    bench.fails("PATCH", "/things/t", json!({ "removeThingType": true }), INVALID).await;
    bench.fails("PATCH", "/things/t", json!({ "removeThingType": true, "thingTypeName": "lamp" }), INVALID).await;
    bench.ok("PATCH", "/things/t", json!({ "removeThingType": true, "attributePayload": {} })).await;
    assert_eq!(bench.get("/things/t").await["thingTypeName"], Value::Null);
    bench.fails("PATCH", "/things/t", json!({ "thingTypeName": "none" }), NOT_FOUND).await;
}

#[tokio::test]
async fn deletion_requires_a_detached_thing_of_the_expected_version() {
    let bench = Bench::new().await;
    bench.thing("t").await;
    bench.group("g", None).await;
    bench.join("t", "g").await;
    let (arn, _) = bench.certificate().await;
    bench.attach("t", &arn).await;
    bench.fails("DELETE", "/things/t", Value::Null, INVALID).await;
    assert_eq!(bench.principal("DELETE", "/things/t/principals", &arn).await.0, 200);
    bench.fails("DELETE", "/things/t?expectedVersion=7", Value::Null, VERSION).await;
    bench.ok("DELETE", "/things/t?expectedVersion=1", Value::Null).await;
    bench.ok("DELETE", "/things/t", Value::Null).await;
    bench.fails("GET", "/things/t", Value::Null, NOT_FOUND).await;
    assert_eq!(bench.get("/thing-groups/g/things").await["things"], json!([]));
    // A new thing of the same name does not inherit the groups of the deleted one.
    bench.thing("t").await;
    assert_eq!(bench.get("/things/t/thing-groups").await["thingGroups"], json!([]));
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let bench = Bench::new().await;
    bench.ok("POST", "/thing-types/lamp", Value::Null).await;
    for i in 0..30 {
        let attributes = json!({ "color": if i % 2 == 0 { "red" } else { "rose" }, "n": i.to_string() });
        let body =
            json!({ "attributePayload": { "attributes": attributes }, "thingTypeName": (i < 10).then_some("lamp") });
        bench.ok("POST", &format!("/things/t{i:02}"), body).await;
    }
    assert_eq!(bench.pages("/things", "things").await.0, [25, 5]);
    assert_eq!(bench.pages("/things?maxResults=15", "things").await.0, [15, 15]);
    assert_eq!(bench.pages("/things?maxResults=250", "things").await.0, [30]);
    assert_eq!(bench.pages("/things?thingTypeName=lamp&maxResults=4", "things").await.0, [4, 4, 2]);
    assert_eq!(bench.pages("/things?thingTypeName=none", "things").await.0, [0]);
    assert_eq!(bench.pages("/things?attributeName=color&attributeValue=red", "things").await.0, [15]);
    assert_eq!(bench.pages("/things?attributeName=color&attributeValue=r", "things").await.0, [0]);
    let prefix = "/things?attributeName=color&attributeValue=r&usePrefixAttributeValue=true&maxResults=250";
    assert_eq!(bench.pages(prefix, "things").await.0, [30]);
    let (_, both) = bench.pages("/things?thingTypeName=lamp&attributeName=n&attributeValue=7", "things").await;
    assert_eq!(both.iter().map(|thing| &thing["thingName"]).collect::<Vec<_>>(), ["t07"]);
    bench.fails("GET", "/things?attributeValue=red", Value::Null, INVALID).await;
}

#[tokio::test]
async fn a_type_is_deleted_only_when_deprecated_and_unused() {
    let bench = Bench::new().await;
    let body =
        json!({ "thingTypeProperties": { "thingTypeDescription": "A lamp", "searchableAttributes": ["a", "b"] } });
    let made = bench.ok("POST", "/thing-types/lamp", body.clone()).await;
    assert_eq!(made["thingTypeArn"], "arn:aws:iot:us-east-1:000000000000:thingtype/lamp");
    assert_eq!(bench.ok("POST", "/thing-types/lamp", body).await, made);
    bench.fails("POST", "/thing-types/lamp", json!({}), EXISTS).await;
    let many = json!({ "thingTypeProperties": { "searchableAttributes": ["a", "b", "c", "d"] } });
    bench.fails("POST", "/thing-types/other", many, INVALID).await;
    bench.ok("POST", "/things/t", json!({ "thingTypeName": "lamp" })).await;

    bench.fails("DELETE", "/thing-types/lamp", Value::Null, INVALID).await;
    bench.ok("POST", "/thing-types/lamp/deprecate", json!({})).await;
    let found = bench.get("/thing-types/lamp").await;
    assert_eq!(found["thingTypeMetadata"]["deprecated"], true);
    assert_eq!(found["thingTypeMetadata"]["creationDate"], 1_700_000_000.5);
    bench.fails("POST", "/things/u", json!({ "thingTypeName": "lamp" }), INVALID).await;
    bench.fails("DELETE", "/thing-types/lamp", Value::Null, INVALID).await;
    bench.ok("POST", "/thing-types/lamp/deprecate", json!({ "undoDeprecate": true })).await;
    bench.ok("POST", "/things/u", json!({ "thingTypeName": "lamp" })).await;
    bench.ok("POST", "/thing-types/lamp/deprecate", json!({})).await;
    bench.minutes(4);
    // A repeated deprecation does not restart the delay.
    bench.ok("POST", "/thing-types/lamp/deprecate", json!({})).await;
    bench.minutes(1);
    bench.fails("DELETE", "/thing-types/lamp", Value::Null, INVALID).await;
    for thing in ["t", "u"] {
        bench.ok("DELETE", &format!("/things/{thing}"), Value::Null).await;
    }
    bench.ok("DELETE", "/thing-types/lamp", Value::Null).await;
    bench.fails("DELETE", "/thing-types/lamp", Value::Null, NOT_FOUND).await;
    bench.fails("GET", "/thing-types/lamp", Value::Null, NOT_FOUND).await;
    bench.fails("POST", "/thing-types/lamp/deprecate", json!({}), NOT_FOUND).await;
}

#[tokio::test]
async fn a_type_is_deleted_5_minutes_after_deprecation_at_the_earliest() {
    let bench = Bench::new().await;
    bench.ok("POST", "/thing-types/lamp", Value::Null).await;
    bench.ok("POST", "/thing-types/lamp/deprecate", json!({})).await;
    bench.minutes(4);
    bench.fails("DELETE", "/thing-types/lamp", Value::Null, INVALID).await;
    bench.minutes(1);
    bench.ok("DELETE", "/thing-types/lamp", Value::Null).await;
}

#[tokio::test]
async fn types_are_listed_in_pages_and_by_name() {
    let bench = Bench::new().await;
    for i in 0..7 {
        bench.ok("POST", &format!("/thing-types/type-{i}"), Value::Null).await;
    }
    assert_eq!(bench.pages("/thing-types?maxResults=3", "thingTypes").await.0, [3, 3, 1]);
    let one = bench.get("/thing-types?thingTypeName=type-3").await;
    assert_eq!(names(&one["thingTypes"], "thingTypeName"), ["type-3"]);
}
