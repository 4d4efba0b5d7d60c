//! Tests of the API through its router.

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use serde_json::json;
use tower::ServiceExt;

use super::*;

struct Bench {
    greengrass: Greengrass,
    clock: Clock,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, pki) = (Clock::manual(1_700_000_000_500), Pki::load_or_create(folder.path()).unwrap());
        let registry = Registry::new(clock.clone(), pki.clone(), "us-east-1", "000000000000", "localhost");
        for thing in ["core-1", "core-2", "light-1", "light-2", "light-3"] {
            let request = Request::post(format!("/things/{thing}")).body(Body::from("{}")).unwrap();
            assert_eq!(registry.router().oneshot(request).await.unwrap().status(), 200);
        }
        let greengrass = Greengrass::new(clock.clone(), registry, pki, "127.0.0.1:8883".parse().unwrap());
        Self { greengrass, clock, _folder: folder }
    }

    async fn send(&self, request: Request<Body>) -> (u16, Value) {
        let response = self.greengrass.router().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(Request::builder().method(method).uri(format!("/greengrass{path}")).body(body).unwrap()).await
    }

    async fn associate(&self, core: &str, things: &[&str]) -> (u16, Value) {
        let entries: Vec<Value> = things.iter().map(|thing| json!({ "thingName": thing })).collect();
        let path = format!("/v2/coreDevices/{core}/associateClientDevices");
        self.call("POST", &path, json!({ "entries": entries })).await
    }

    async fn discover(&self, thing: &str, certificate: Option<&str>) -> (u16, Value) {
        let mut request = Request::get(format!("/greengrass/discover/thing/{thing}")).body(Body::empty()).unwrap();
        let caller = Caller { address: ([127, 0, 0, 1], 1).into(), certificate: certificate.map(str::to_owned) };
        request.extensions_mut().insert(ConnectInfo(caller));
        self.send(request).await
    }
}

use local_gateway::Caller;

#[tokio::test]
async fn a_client_device_discovers_the_cores_that_it_is_associated_with() {
    let bench = Bench::new().await;
    assert_eq!(bench.discover("light-1", Some("c")).await.0, 404);
    assert_eq!(bench.associate("core-1", &["light-1", "light-2"]).await, (200, json!({ "errorEntries": [] })));
    assert_eq!(bench.associate("core-2", &["light-1"]).await.0, 200);

    let (status, found) = bench.discover("light-1", Some("c")).await;
    assert_eq!(status, 200, "{found}");
    let groups = found["GGGroups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["GGGroupId"], "greengrassV2-coreDevice-core-1");
    let address = json!({ "Id": "127.0.0.1", "HostAddress": "127.0.0.1", "PortNumber": 8883, "Metadata": "" });
    let arn = "arn:aws:iot:us-east-1:000000000000:thing/core-1";
    assert_eq!(groups[0]["Cores"], json!([{ "thingArn": arn, "Connectivity": [address] }]));
    assert!(groups[0]["CAs"][0].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));

    assert_eq!(bench.discover("light-1", None).await.0, 401);
    let plain = Request::get("/greengrass/discover/thing/light-1").body(Body::empty()).unwrap();
    assert_eq!(bench.send(plain).await.0, 401);

    // The addresses that the core has reported take the place of the broker's; an empty list is one of them.
    for addresses in [json!([{ "Id": "lan", "HostAddress": "10.0.0.7", "PortNumber": 8883 }]), json!([])] {
        let body = json!({ "ConnectivityInfo": addresses });
        assert_eq!(bench.call("PUT", "/things/core-2/connectivityInfo", body).await.0, 200);
        let shown = bench.call("GET", "/things/core-2/connectivityInfo", Value::Null).await.1;
        let found = bench.discover("light-1", Some("c")).await.1;
        assert_eq!(found["GGGroups"][1]["Cores"][0]["Connectivity"], shown["ConnectivityInfo"]);
        assert_eq!(shown["ConnectivityInfo"].as_array().unwrap().len(), addresses.as_array().unwrap().len());
    }

    let body = json!({ "entries": [{ "thingName": "light-1" }] });
    for core in ["core-1", "core-2"] {
        let path = format!("/v2/coreDevices/{core}/disassociateClientDevices");
        assert_eq!(bench.call("POST", &path, body.clone()).await, (200, json!({ "errorEntries": [] })));
    }
    assert_eq!(bench.discover("light-1", Some("c")).await.0, 404);
    assert_eq!(bench.discover("light-2", Some("c")).await.0, 200);
}

#[tokio::test]
async fn associations_are_listed_in_pages() {
    let bench = Bench::new().await;
    assert_eq!(bench.associate("core-1", &["light-1", "light-2", "light-3"]).await.0, 200);
    bench.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(bench.associate("core-1", &["light-2"]).await.0, 200, "it keeps its time");
    let path = "/v2/coreDevices/core-1/associatedClientDevices?maxResults=2";
    let (_, first) = bench.call("GET", path, Value::Null).await;
    let token = first["nextToken"].as_str().unwrap();
    let (_, second) = bench.call("GET", &format!("{path}&nextToken={token}"), Value::Null).await;
    let all: Vec<&Value> =
        [&first, &second].into_iter().flat_map(|page| page["associatedClientDevices"].as_array().unwrap()).collect();
    let names: Vec<&str> = all.iter().map(|device| device["thingName"].as_str().unwrap()).collect();
    assert_eq!(names, ["light-1", "light-2", "light-3"]);
    assert!(all.iter().all(|device| device["associationTimestamp"] == 1_700_000_000.5), "{all:?}");
    assert_eq!(second["nextToken"], Value::Null);

    let (_, cores) = bench.call("GET", "/v2/coreDevices", Value::Null).await;
    assert_eq!(cores["coreDevices"][0]["coreDeviceThingName"], "core-1");
    assert_eq!(bench.call("GET", "/v2/coreDevices/core-1", Value::Null).await.1["status"], "HEALTHY");
    assert_eq!(bench.call("DELETE", "/v2/coreDevices/core-1", Value::Null).await.0, 204);
    assert_eq!(bench.call("GET", "/v2/coreDevices/core-1", Value::Null).await.0, 404);
}

#[tokio::test]
async fn bad_requests_are_refused_and_bad_entries_are_named() {
    let bench = Bench::new().await;
    let (status, body) = bench.associate("core-1", &["light-1", "none"]).await;
    assert_eq!((status, &body["errorEntries"][0]["thingName"]), (200, &json!("none")));
    assert_eq!(body["errorEntries"].as_array().unwrap().len(), 1);
    assert_eq!(bench.discover("light-1", Some("c")).await.0, 200);
    assert_eq!(bench.associate("none", &["light-1"]).await.0, 404);
    let many: Vec<String> = (0..101).map(|n| format!("t{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(bench.associate("core-1", &many).await.0, 400);
    for body in [json!({}), json!({ "entries": [{}] }), json!([]), json!({ "entries": 3 })] {
        let path = "/v2/coreDevices/core-1/associateClientDevices";
        let (status, answer) = bench.call("POST", path, body.clone()).await;
        assert_eq!(status, 400, "{body}");
        assert!(answer["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer}");
    }
    assert_eq!(bench.call("PUT", "/things/none/connectivityInfo", json!({ "ConnectivityInfo": [] })).await.0, 404);
    assert_eq!(bench.call("PUT", "/things/core-1/connectivityInfo", json!({ "ConnectivityInfo": 3 })).await.0, 400);
    assert_eq!(bench.call("GET", "/things/core-2/connectivityInfo", Value::Null).await.0, 404);
}

#[tokio::test]
async fn state_is_restored_and_a_broken_one_is_refused() {
    let bench = Bench::new().await;
    assert_eq!(bench.associate("core-1", &["light-1"]).await.0, 200);
    let snapshot = bench.greengrass.snapshot();
    let other = Bench::new().await;
    other.greengrass.restore(&snapshot).unwrap();
    assert_eq!(other.discover("light-1", Some("c")).await.0, 200);
    for broken in [json!(3), json!({ "cores": 3 }), Value::Null] {
        assert!(other.greengrass.restore(&broken).is_err());
        assert_eq!(other.greengrass.snapshot(), snapshot, "{broken}");
    }
}
