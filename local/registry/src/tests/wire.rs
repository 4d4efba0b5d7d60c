//! Tests of the HTTP protocol: encodings, bad input, unknown operations, shared paths, snapshots.

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn registry_and_data_plane_share_path_prefixes() {
    let bench = Bench::new().await;
    bench.thing("a:b").await;
    assert_eq!(bench.get("/things/a%3Ab").await["thingName"], "a:b");
    for (path, answer) in [
        ("/things/a%3Ab/shadow", "shadow"),
        ("/api/things/shadow/ListNamedShadowsForThing/x", "named"),
        ("/topics/a%2Fb", "topic"),
        ("/retainedMessage/a%2Fb", "retained"),
        ("/connections/x", "connection"),
    ] {
        assert_eq!(bench.get(path).await, answer, "{path}");
    }
}

#[tokio::test]
async fn an_unknown_operation_gives_unknown_operation_exception() {
    let bench = Bench::new().await;
    let unknown = (404, "UnknownOperationException");
    bench.fails("GET", "/nothing", Value::Null, unknown).await;
    bench.fails("PUT", "/things/x", Value::Null, unknown).await;
    bench.fails("GET", "/things/x/y/z", Value::Null, unknown).await;
}

#[tokio::test]
async fn a_bad_request_is_rejected_and_the_next_one_is_served() {
    let bench = Bench::new().await;
    for (method, path) in [
        ("GET", "/things/%FF"),
        ("GET", "/things?thingTypeName=%FF"),
        ("GET", "/things?maxResults=many"),
        ("GET", "/things?maxResults=99999999999999999999"),
        ("GET", "/things?maxResults="),
        ("GET", "/things?nextToken=*"),
        ("GET", "/things?usePrefixAttributeValue=maybe"),
        ("GET", "/things/a%2Fb"),
        ("GET", &format!("/things/{}", "x".repeat(129))),
        ("GET", "/principals/things"),
        ("PUT", &format!("/certificates/{}", "0".repeat(64))),
    ] {
        bench.fails(method, path, Value::Null, INVALID).await;
    }
    for body in ["{", "[]", "null", "1", "\"x\"", r#"{"attributePayload":3}"#, r#"{"thingTypeName":{}}"#] {
        let request = bench.request("POST", "/things/x").body(body);
        let (status, name, answer) = Bench::send(request).await;
        assert_eq!((status, name.as_str()), INVALID, "{body}: {answer}");
    }
    let bytes = bench.request("POST", "/things/x").body(vec![0xff, 0xfe, 0x00]);
    assert_eq!(Bench::send(bytes).await.0, 400);
    let large = bench.request("POST", "/things/x").body("x".repeat(3 << 20));
    assert_eq!(Bench::send(large).await.0, 400);
    let header = bench.request("GET", "/principals/things").header("x-amzn-principal", [0xff_u8].as_slice());
    assert_eq!(Bench::send(header).await.0, 400);
    assert_eq!(bench.get("/things").await["things"], json!([]));
}

#[tokio::test]
async fn the_path_overrides_the_body_and_unknown_members_are_ignored() {
    let bench = Bench::new().await;
    let made = bench.ok("POST", "/things/mine", json!({ "thingName": "other", "unknown": [1] })).await;
    assert_eq!(made["thingName"], "mine");
}

#[tokio::test]
async fn every_endpoint_type_has_the_address_of_the_stack() {
    let bench = Bench::new().await;
    for query in ["", "?endpointType=iot:Data-ATS", "?endpointType=iot%3AData", "?endpointType=iot:CredentialProvider"]
    {
        assert_eq!(bench.get(&format!("/endpoint{query}")).await["endpointAddress"], "localhost");
    }
    bench.fails("GET", "/endpoint?endpointType=iot:Else", Value::Null, INVALID).await;
}

#[tokio::test]
async fn restore_recreates_the_state_of_a_snapshot() {
    let bench = Bench::new().await;
    bench.ok("POST", "/thing-types/lamp", json!({ "thingTypeProperties": { "searchableAttributes": ["a"] } })).await;
    bench.ok("POST", "/things/t", json!({ "thingTypeName": "lamp" })).await;
    bench.group("all", None).await;
    bench.group("some", Some("all")).await;
    bench.join("t", "some").await;
    let (arn, id) = bench.certificate().await;
    bench.attach("t", &arn).await;
    let everything =
        json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
    bench.policy("p", &everything).await;
    bench.attach_policy("p", &arn).await;
    let snapshot = bench.registry.snapshot();

    let other = Bench::new().await;
    other.registry.restore(&serde_json::from_str(&snapshot.to_string()).unwrap()).unwrap();
    assert_eq!(other.registry.snapshot(), snapshot);
    assert!(other.allows(&id, "t", "iot:Connect", "t"));
    assert_eq!(other.get("/things/t").await, bench.get("/things/t").await);

    for broken in [json!(3), json!({ "things": 3 }), json!({ "policies": { "p": {} } }), Value::Null] {
        assert!(other.registry.restore(&broken).is_err());
        assert_eq!(other.registry.snapshot(), snapshot, "{broken}");
    }
}
