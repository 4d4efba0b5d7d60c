//! Tests of the API over HTTP: events, errors, authorization.

use std::collections::BTreeMap;

use local_lambda::testing::function;
use local_sqs::Sqs;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

#[test]
#[ignore = "not a test: the scripted function of other tests"]
fn run_scripted_function_process() {
    local_lambda::testing::run_scripted_function();
}

struct Bench {
    base: String,
    http: reqwest::Client,
}

impl Bench {
    async fn new(options: Options) -> Self {
        let clock = Clock::manual(1_583_348_638_390);
        let sqs = Sqs::new(clock.clone(), "eu-west-1", "000000000000", Vec::<String>::new());
        let mut disabled = function("disabled");
        disabled.concurrency = Some(0);
        let lambda = Lambda::start(clock.clone(), vec![function("f"), disabled], sqs).await.expect("started");
        let route = |method: &str, path: &str, name: &str, iam| Route {
            method: method.to_owned(),
            path: path.to_owned(),
            function_arn: function(name).arn,
            iam,
        };
        let routes = vec![
            route("POST", "/commands", "f", true),
            route("GET", "/things/{thing}/executions", "f", false),
            route("ANY", "/disabled", "disabled", false),
            route("GET", "/missing", "missing", false),
        ];
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("bound"));
        let service = router(clock, lambda, routes, options).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { base, http: reqwest::Client::new() }
    }

    fn post(&self) -> reqwest::RequestBuilder {
        self.http.post(format!("{}/commands", self.base))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        json_of(self.http.get(format!("{}{path}", self.base))).await
    }
}

/// Status and JSON body of a response. The scripted function returns its event, which has no status code and therefore
/// is the body.
async fn json_of(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("answered");
    (response.status().as_u16(), serde_json::from_str(&response.text().await.expect("text")).expect("JSON"))
}

fn message(status: u16, text: &str) -> (u16, Value) {
    (status, json!({ "message": text }))
}

#[tokio::test]
async fn a_page_of_another_machine_is_refused() {
    let bench = Bench::new(Options::default()).await;
    for (origin, status) in [("https://evil.example", 403), ("http://localhost:5173", 200)] {
        let response = bench.post().header("origin", origin).header("content-type", "text/plain").body("{}");
        assert_eq!(response.send().await.expect("answered").status().as_u16(), status, "{origin}");
    }
}

#[tokio::test]
async fn an_event_contains_all_parts_of_the_request() {
    let bench = Bench::new(Options::default()).await;
    let request = bench
        .http
        .get(format!("{}/things/pump%2F7/executions?status=a&status=b%20c&empty", bench.base))
        .header("X-One", "1")
        .header("x-one", "2")
        .header("cookie", "a=1; b=2")
        .header("user-agent", "test");
    let (status, mut event) = json_of(request).await;
    assert_eq!(status, 200);
    let host = bench.base.strip_prefix("http://").expect("a URL");
    let request_id = event["requestContext"]["requestId"].take();
    assert_eq!(request_id.as_str().map(str::len), Some(36));
    let headers = BTreeMap::from([("accept", "*/*"), ("host", host), ("user-agent", "test"), ("x-one", "1,2")]);
    let expected = json!({
        "version": "2.0",
        "routeKey": "GET /things/{thing}/executions",
        "rawPath": "/things/pump%2F7/executions",
        "rawQueryString": "status=a&status=b%20c&empty",
        "cookies": ["a=1", "b=2"],
        "headers": headers,
        "queryStringParameters": { "status": "a,b c", "empty": "" },
        "pathParameters": { "thing": "pump/7" },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": host,
            "domainPrefix": "127",
            "http": {
                "method": "GET",
                "path": "/things/pump%2F7/executions",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "test",
            },
            "requestId": null,
            "routeKey": "GET /things/{thing}/executions",
            "stage": "$default",
            "time": "04/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1_583_348_638_390_i64,
        },
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn text_bodies_are_passed_as_text_and_all_others_as_base64() {
    let bench = Bench::new(Options::default()).await;
    let cases: [(Option<&str>, &[u8], Value, bool); 6] = [
        (Some("application/json; charset=utf-8"), b"{}", json!("{}"), false),
        (Some("text/plain"), b"hi", json!("hi"), false),
        (None, b"hi", json!("hi"), false),
        (Some("application/x-www-form-urlencoded"), b"{}", json!("e30="), true),
        (Some("application/json"), &[0xff], json!("/w=="), true),
        (Some("application/octet-stream"), b"", Value::Null, false),
    ];
    for (kind, body, expected, encoded) in cases {
        let request = kind.into_iter().fold(bench.post(), |request, kind| request.header("content-type", kind));
        let (_, event) = json_of(request.body(body.to_vec())).await;
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&expected, &json!(encoded)), "{kind:?}");
    }
}

#[tokio::test]
async fn errors_before_the_invoke_have_their_own_responses() {
    let bench = Bench::new(Options::default()).await;
    assert_eq!(bench.get("/nowhere").await, message(404, "Not Found"));
    assert_eq!(bench.get("/commands").await, message(404, "Not Found"));
    assert_eq!(bench.get("/disabled").await, message(503, "Service Unavailable"));
    assert_eq!(bench.get("/missing").await, message(500, "Internal Server Error"));
    let huge = bench.post().body(vec![b'x'; BODY_LIMIT + 1]);
    assert_eq!(json_of(huge).await, message(413, "Request Entity Too Large"));
    let larger_than_an_invoke = bench.post().body(vec![b'x'; 7 * 1024 * 1024]);
    assert_eq!(json_of(larger_than_an_invoke).await, message(413, "Request Entity Too Large"));
    let (status, _) = json_of(bench.post().body("{}")).await;
    assert_eq!(status, 200, "the next request is served");
}

#[tokio::test]
async fn a_function_that_exceeds_the_timeout_gives_504() {
    let options = Options { timeout: Duration::ZERO, ..Options::default() };
    let bench = Bench::new(options).await;
    assert_eq!(json_of(bench.post()).await, message(504, "Endpoint request timed out"));
}

#[tokio::test]
async fn routes_with_iam_authorization_reject_unsigned_requests() {
    let authorize: Authorize = Arc::new(|parts, body| match parts.headers.get("authorization") {
        Some(key) if body == b"signed" => Ok(key.to_str().expect("text").to_owned()),
        _ => Err("not signed".to_owned()),
    });
    let bench = Bench::new(Options { authorize: Some(authorize), ..Options::default() }).await;
    assert_eq!(json_of(bench.post().body("{}")).await, message(403, "Forbidden"));
    let (status, event) = json_of(bench.post().header("authorization", "AKID").body("signed")).await;
    assert_eq!(status, 200);
    let iam = &event["requestContext"]["authorizer"]["iam"];
    assert_eq!((&iam["accessKey"], &iam["accountId"]), (&json!("AKID"), &json!("000000000000")));
    let (status, event) = bench.get("/things/a/executions").await;
    assert_eq!((status, &event["requestContext"]["authorizer"]), (200, &Value::Null));
}
