//! Tests of the endpoint with services that return their names.

use axum::http::Request as HttpRequest;
use serde_json::json;

use super::*;

fn named(name: &'static str) -> Router {
    Router::new().fallback(move || async move { name })
}

fn endpoint(guard: Option<Guard>) -> Router {
    let services = Services {
        dynamodb: named("dynamodb"),
        sqs: named("sqs"),
        lambda: named("lambda"),
        data_plane: named("iot-data"),
        mqtt: named("mqtt"),
        registry: Router::new().route("/things/{thing}", axum::routing::post(|| async { "iot" })),
        jobs: named("jobs"),
        jobs_data: named("iot-jobs-data"),
        greengrass: named("greengrass"),
        account: "000000000000".into(),
        about: json!({"mqtt": "127.0.0.1:1883"}),
        faults: Faults::default(),
        journal: Journal::default(),
    };
    router(services, guard)
}

async fn answer(router: Router, request: axum::http::request::Builder, body: &str) -> (u16, String) {
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let answer = router.oneshot(request).await.expect("infallible");
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

fn target(target: &str) -> axum::http::request::Builder {
    HttpRequest::post("/").header("x-amz-target", target)
}

/// A request with a signature for a service, which is not valid.
fn signed_for(service: &str, request: axum::http::request::Builder) -> axum::http::request::Builder {
    let scope = format!("Credential=test/20260101/us-east-1/{service}/aws4_request");
    let fields = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=00");
    request.header("authorization", fields).header("x-amz-date", "20260101T000000Z")
}

fn with_certificate(request: axum::http::request::Builder) -> axum::http::request::Builder {
    let caller = Caller { address: ([127, 0, 0, 1], 5).into(), certificate: Some("c".into()) };
    request.extension(axum::extract::ConnectInfo(caller))
}

#[tokio::test]
async fn each_request_reaches_its_service() {
    for (request, service) in [
        (target("DynamoDB_20120810.Scan"), "dynamodb"),
        (target("AmazonSQS.ReceiveMessage"), "sqs"),
        (HttpRequest::post("/2015-03-31/functions/f/invocations"), "lambda"),
        (HttpRequest::post("/topics/a%2Fb"), "iot-data"),
        (HttpRequest::get("/things/a%2Fshadow/shadow?name=x"), "iot-data"),
        (HttpRequest::get("/api/things/shadow/ListNamedShadowsForThing/a"), "iot-data"),
        (HttpRequest::post("/connections/a/messages"), "iot-data"),
        (HttpRequest::get("/retainedMessage"), "iot-data"),
        (HttpRequest::get("/mqtt?X-Amz-Algorithm=x"), "mqtt"),
        (HttpRequest::post("/things/shadow"), "iot"),
        (HttpRequest::get("/greengrass/discover/thing/a"), "greengrass"),
        (HttpRequest::put("/jobs/a"), "jobs"),
        (HttpRequest::patch("/event-configurations"), "jobs"),
        (HttpRequest::get("/things/a/jobs"), "jobs"),
        (HttpRequest::get("/things/a/jobs/b"), "jobs"),
        (HttpRequest::put("/things/a/jobs/b/cancel"), "jobs"),
        (HttpRequest::delete("/things/a/jobs/b/executionNumber/1"), "jobs"),
        (signed_for("iot", HttpRequest::get("/things/a/jobs/b")), "jobs"),
        (signed_for("iot-jobs-data", HttpRequest::get("/things/a/jobs/b")), "iot-jobs-data"),
        (signed_for("iot-jobs-data", HttpRequest::get("/things/a/jobs")), "iot-jobs-data"),
        (with_certificate(HttpRequest::get("/things/a/jobs")), "iot-jobs-data"),
        (HttpRequest::put("/things/a/jobs/$next"), "iot-jobs-data"),
        (HttpRequest::post("/things/a/jobs/b"), "iot-jobs-data"),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(answer(endpoint(None), request, "").await, (200, service.into()), "{shown}");
    }
    let (status, body) = answer(endpoint(None), HttpRequest::get("/"), "").await;
    assert!(status == 200 && body.contains("127.0.0.1:1883"), "{body}");
    let identity = "Action=GetCallerIdentity&Version=2011-06-15";
    let (status, body) = answer(endpoint(None), HttpRequest::post("/"), identity).await;
    assert!(status == 200 && body.contains("<Account>000000000000</Account>"), "{body}");
}

#[tokio::test]
async fn a_page_of_another_machine_reaches_no_service() {
    for (origin, allowed) in [("https://evil.example", false), ("null", false), ("http://localhost:5173", true)] {
        for request in [
            HttpRequest::post("/topics/cmd%2Fpump-7%2Freq").header("content-type", "text/plain"),
            HttpRequest::get("/mqtt?X-Amz-Algorithm=x"),
            HttpRequest::get("/"),
        ] {
            let (status, body) = answer(endpoint(None), request.header("origin", origin), "").await;
            assert_eq!(status, if allowed { 200 } else { 403 }, "{origin}: {body}");
            assert_eq!(body.contains(origin), !allowed, "{body}");
        }
    }
}

#[tokio::test]
async fn the_signature_may_be_of_any_of_the_credentials() {
    let other = sigv4::Credentials { access_key: "other".into(), secret_key: "secret".into() };
    let guard = Guard { credentials: vec![other, sigv4::Credentials::test()], ..guard() };
    let wrong = |key: &str| {
        let scope = format!("Credential={key}/20260101/us-east-1/dynamodb/aws4_request");
        let fields = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=00");
        target("DynamoDB_20120810.Scan").header("authorization", fields).header("x-amz-date", "20260101T000000Z")
    };
    let codes = ["test", "other", "unknown"].map(|key| (key, wrong(key)));
    for (key, request) in codes {
        let (status, body) = answer(endpoint(Some(guard.clone())), request, "{}").await;
        // Of a key that is known, the old signature is wrong, not the key.
        assert_eq!((status, body.contains("UnrecognizedClientException")), (403, key == "unknown"), "{key}: {body}");
    }
}

#[tokio::test]
async fn an_unsupported_operation_is_named_in_an_error_of_the_clients_protocol() {
    let (status, body) = answer(endpoint(None), target("Logs_20140328.PutLogEvents"), "{}").await;
    assert_eq!(status, 400);
    assert!(body.contains("\"__type\":\"UnknownOperationException\"") && body.contains("PutLogEvents"), "{body}");
    let (status, body) = answer(endpoint(None), HttpRequest::get("/streams"), "").await;
    assert!(status == 404 && body.contains("GET /streams is not supported"), "{body}");
    let (status, body) = answer(endpoint(None), HttpRequest::delete("/things/a"), "").await;
    assert!(status == 404 && body.contains("DELETE /things/a is not supported"), "{body}");
    for form in ["Action=AssumeRole%3Cx%3E", "", "%%%"] {
        let (status, body) = answer(endpoint(None), HttpRequest::post("/"), form).await;
        assert!(status == 400 && body.starts_with("<ErrorResponse>"), "{body}");
        assert!(!body.contains("<x>"), "{body}");
    }
    for buckets in [HttpRequest::delete("/"), HttpRequest::get("/").header("authorization", "x")] {
        let (status, body) = answer(endpoint(None), buckets, "").await;
        assert!(status == 400 && body.starts_with("<ErrorResponse>"), "{body}");
    }
    let (status, _) = answer(endpoint(None), target("DynamoDB_20120810.PutItem"), &" ".repeat(MAX_BODY + 1)).await;
    assert_eq!(status, 413);
}

fn guard() -> Guard {
    Guard {
        credentials: vec![sigv4::Credentials::test()],
        region: "us-east-1".into(),
        policies: Arc::new(|certificate, action, resource| {
            let allowed = [
                ("iot:Publish", "a/b"),
                ("iot:Publish", "kept"),
                ("iot:RetainPublish", "kept"),
                ("iotjobsdata:GetPendingJobExecutions", "a"),
                ("iotjobsdata:DescribeJobExecution", "a"),
                ("iotjobsdata:UpdateJobExecution", "a"),
            ];
            certificate == "c" && allowed.contains(&(action, resource))
        }),
        authorizes_all: true,
    }
}

#[tokio::test]
async fn a_guarded_endpoint_rejects_unsigned_requests() {
    let (status, body) = answer(endpoint(Some(guard())), target("DynamoDB_20120810.Scan"), "{}").await;
    assert!(status == 403 && body.contains("MissingAuthenticationTokenException"), "{body}");
    let forged = "AWS4-HMAC-SHA256 Credential=unknown/20260102/us-east-1/dynamodb/aws4_request, \
                  SignedHeaders=host, Signature=00";
    let request =
        target("DynamoDB_20120810.Scan").header("authorization", forged).header("x-amz-date", "20260102T000000Z");
    let (status, body) = answer(endpoint(Some(guard())), request, "{}").await;
    assert!(status == 403 && body.contains("UnrecognizedClientException"), "{body}");
    assert_eq!(answer(endpoint(Some(guard())), HttpRequest::get("/health"), "").await.0, 200);
}

#[tokio::test]
async fn mqtt_over_websocket_is_always_signed() {
    let open = Guard { authorizes_all: false, ..guard() };
    let status = async |request| answer(endpoint(Some(open.clone())), request, "{}").await.0;
    assert_eq!(status(HttpRequest::get("/mqtt")).await, 403);
    assert_eq!(status(target("DynamoDB_20120810.Scan")).await, 200, "everything else needs no signature");
}

#[tokio::test]
async fn a_certificate_is_authorized_by_its_policies() {
    for (request, status) in [
        (HttpRequest::post("/topics/a%2Fb"), 200),
        (HttpRequest::post("/topics/a%2Fb?qos=1&retain=false"), 200),
        (HttpRequest::post("/topics/a%2Fb?qos=1&retain=true"), 403),
        (HttpRequest::post("/topics/a%2Fb?%72etain=%74rue"), 403),
        (HttpRequest::post("/topics/kept?retain=true"), 200),
        (HttpRequest::post("/topics/a"), 403),
        (HttpRequest::get("/things/a/shadow"), 403),
        (HttpRequest::post("/things/a"), 403),
        (HttpRequest::get("/things/a/jobs"), 200),
        (HttpRequest::get("/things/b/jobs"), 403),
        (HttpRequest::get("/things/a/jobs/%24next"), 200),
        (HttpRequest::put("/things/a/jobs/$next"), 403),
        (HttpRequest::post("/things/a/jobs/b"), 200),
        (HttpRequest::put("/jobs/a"), 403),
        // With a certificate, MQTT is spoken without WebSocket.
        (HttpRequest::get("/mqtt"), 403),
    ] {
        let shown = format!("{request:?}");
        let request = with_certificate(request);
        assert_eq!(answer(endpoint(Some(guard())), request, "").await.0, status, "{shown}");
    }
}
