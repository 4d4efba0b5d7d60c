//! Tests of the HTTP API of Lambda.

use super::*;

#[tokio::test]
async fn the_http_api_invokes_lists_and_describes_functions() {
    let mut configured = function("f");
    configured.environment.insert("TABLE".to_owned(), "commands".to_owned());
    configured.added_environment.insert("AWS_SECRET_ACCESS_KEY".to_owned(), "secret".to_owned());
    let bench = Bench::new(vec![configured]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}/2015-03-31/functions", listener.local_addr().expect("bound"));
    let router = bench.lambda.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let http = reqwest::Client::new();
    let post = async |name: &str, kind: &str, body: &'static str| {
        let request = http.post(format!("{base}/{name}/invocations")).header("x-amz-invocation-type", kind);
        let response = request.body(body).send().await.expect("answered");
        let header = |name| response.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
        let error = header("x-amz-function-error").or_else(|| header("x-amzn-errortype")).unwrap_or_default();
        (response.status().as_u16(), error, response.text().await.expect("text"))
    };
    let ok = |status, body: &str| (status, String::new(), body.to_owned());
    assert_eq!(post("f", "RequestResponse", r#"{"a":1}"#).await, ok(200, r#"{"a":1}"#));
    assert_eq!(post("f", "RequestResponse", "").await, ok(200, "{}"));
    assert_eq!(post("arn%3Aaws%3Alambda%3Aeu-west-1%3A0%3Afunction%3Af", "RequestResponse", "2").await, ok(200, "2"));
    assert_eq!(post("f", "Event", "{}").await, ok(202, ""));
    bench.lambda.idle().await;
    assert_eq!(bench.invocations(), 4);
    assert_eq!(post("f", "DryRun", "{}").await, ok(204, ""));
    let (status, error, _) = post("f", "RequestResponse", r#"{"do":"exit"}"#).await;
    assert_eq!((status, error.as_str()), (200, "Unhandled"));
    for (name, kind, body, expected) in [
        ("g", "Event", "{}", (404, "ResourceNotFoundException")),
        ("f", "Event", "{", (400, "InvalidRequestContentException")),
        ("f", "Sometimes", "{}", (400, "InvalidParameterValueException")),
    ] {
        let (status, error, _) = post(name, kind, body).await;
        assert_eq!((status, error.as_str()), expected);
    }
    let get = async |path: &str| {
        let text = http.get(format!("{base}{path}")).send().await.expect("answered").text().await.expect("text");
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    assert_eq!(get("/").await["Functions"][0]["FunctionName"], "f");
    assert_eq!(get("/f").await["Configuration"]["MemorySize"], 128);
    assert_eq!(get("/f").await["Configuration"]["Environment"]["Variables"], json!({ "TABLE": "commands" }));
    assert_eq!(get("/f/configuration").await["FunctionArn"], function("f").arn);
}
