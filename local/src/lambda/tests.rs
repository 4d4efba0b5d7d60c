use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use super::testing::function;
use super::*;

const START_MS: i64 = 1_700_000_000_000;

struct Bench {
    clock: Clock,
    lambda: Lambda,
    sqs: Sqs,
}

impl Bench {
    async fn new(functions: Vec<Function>) -> Self {
        let clock = Clock::manual(START_MS);
        let sqs = Sqs::new(clock.clone(), "eu-west-1", "000000000000", vec!["failed".to_owned()]);
        let lambda = Lambda::start(clock.clone(), functions, sqs.clone()).await.expect("started");
        Self { clock, lambda, sqs }
    }

    async fn invoke(&self, event: Value) -> (Value, Option<String>) {
        let outcome = self.lambda.invoke("f", event.to_string().into()).await.expect("accepted");
        (serde_json::from_slice(&outcome.payload).expect("JSON"), outcome.error)
    }

    fn event(&self, event: &Value) {
        self.lambda.invoke_event("f", event.to_string().into()).expect("accepted");
    }

    async fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.lambda.idle().await;
    }

    fn invocations(&self) -> u64 {
        self.lambda.stats("f").invocations
    }

    fn failed(&self) -> Vec<Value> {
        let bodies = self.sqs.peek("failed");
        bodies.iter().map(|body| serde_json::from_str(body).expect("JSON")).collect()
    }
}

/// Functions that hold: each connects here and answers when its connection is dropped.
struct Gate(TcpListener);

impl Gate {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
    }

    fn event(&self) -> Value {
        json!({ "do": "hold", "port": self.0.local_addr().expect("bound").port() })
    }

    async fn running(&self) -> TcpStream {
        self.0.accept().await.expect("a function").0
    }
}

fn alive(pid: &Value) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn a_process_starts_on_demand_and_is_used_again() {
    let bench = Bench::new(vec![function("f")]).await;
    assert_eq!(bench.lambda.stats("f").cold_starts, 0);
    for n in 0..3 {
        assert_eq!(bench.invoke(json!({ "n": n })).await, (json!({ "n": n }), None));
    }
    let stats = bench.lambda.stats("f");
    assert_eq!((stats.invocations, stats.cold_starts, stats.inits.len()), (3, 1, 1));
    assert!(stats.inits[0] > Duration::ZERO);
}

#[tokio::test]
async fn a_function_is_found_by_name_and_every_kind_of_arn() {
    let bench = Bench::new(vec![function("f")]).await;
    let arn = "arn:aws:lambda:eu-west-1:000000000000:function:f";
    for name in ["f", "f:$LATEST", "000000000000:function:f", arn, &format!("{arn}:$LATEST")] {
        assert!(bench.lambda.invoke(name, "{}".into()).await.is_ok(), "{name}");
    }
    for name in ["g", "", "arn:aws:lambda:eu-west-1:000000000000:function:g"] {
        assert!(matches!(bench.lambda.invoke(name, "{}".into()).await, Err(InvokeError::NotFound(_))), "{name}");
    }
}

#[tokio::test]
async fn a_function_sees_what_lambda_tells_it_and_nothing_of_the_host() {
    let mut described = function("f");
    described.environment.insert("TABLE".to_owned(), "commands".to_owned());
    described.timeout = Duration::from_secs(5);
    let bench = Bench::new(vec![described]).await;
    let before = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let (told, _) = bench.invoke(json!({ "do": "describe" })).await;
    let (headers, env) = (&told["headers"], &told["env"]);
    let deadline: u128 = headers["lambda-runtime-deadline-ms"].as_str().and_then(|ms| ms.parse().ok()).expect("ms");
    let left = deadline - before.as_millis();
    assert!((5_000..35_000).contains(&left), "{left} ms: on the system's clock, from the start of the invoke");
    assert_eq!(headers["lambda-runtime-invoked-function-arn"], function("f").arn);
    assert_eq!(headers["lambda-runtime-aws-request-id"].as_str().map(str::len), Some(36));
    assert!(headers["lambda-runtime-trace-id"].as_str().is_some_and(|trace| trace.starts_with("Root=1-")));
    assert_eq!(env["AWS_LAMBDA_FUNCTION_NAME"], "f");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_VERSION"], "$LATEST");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "128");
    assert_eq!(env["AWS_REGION"], "eu-west-1");
    assert_eq!(env["TABLE"], "commands");
    assert_eq!(env["AWS_LAMBDA_MAX_CONCURRENCY"], Value::Null);
    assert_eq!(env["CARGO_MANIFEST_DIR"], Value::Null, "of this test's own environment");
}

#[tokio::test]
async fn what_a_function_reports_is_handed_on() {
    let bench = Bench::new(vec![function("f")]).await;
    let (told, error) = bench.invoke(json!({ "do": "fail", "text": "bad day" })).await;
    assert_eq!(told, json!({ "errorType": "Told", "errorMessage": "bad day" }));
    assert_eq!(error.as_deref(), Some("Unhandled"));
    let (told, error) = bench.invoke(json!({ "do": "fail first", "times": 1 })).await;
    assert_eq!(told, json!({ "errorType": "Unhandled", "errorMessage": "not even json" }));
    assert_eq!(error.as_deref(), Some("Unhandled"));
    assert_eq!(bench.lambda.stats("f").cold_starts, 1, "a function that reports an error goes on");
}

#[tokio::test]
async fn over_its_limit_a_function_throttles_invokes_and_queues_events() {
    let bench = Bench::new(vec![function("f")]).await;
    let gate = Gate::new().await;
    bench.event(&gate.event());
    let first = gate.running().await;
    bench.event(&gate.event());
    let second = gate.running().await;
    assert!(matches!(bench.lambda.invoke("f", "{}".into()).await, Err(InvokeError::Throttled(_))));
    bench.event(&gate.event());
    drop(first);
    drop(gate.running().await);
    drop(second);
    bench.lambda.idle().await;
    let stats = bench.lambda.stats("f");
    assert_eq!((stats.invocations, stats.cold_starts), (3, 2));
    assert!(bench.lambda.invoke("f", "{}".into()).await.is_ok());
}

#[tokio::test]
async fn a_crash_is_an_error_and_the_next_invoke_gets_a_new_process() {
    let bench = Bench::new(vec![function("f")]).await;
    let (told, error) = bench.invoke(json!({ "do": "exit" })).await;
    assert_eq!(told["errorType"], "Runtime.ExitError");
    assert!(told["errorMessage"].as_str().is_some_and(|text| text.contains("exit status: 7")), "{told}");
    assert_eq!(error.as_deref(), Some("Unhandled"));
    assert_eq!(bench.invoke(json!(1)).await, (json!(1), None));
    assert_eq!(bench.lambda.stats("f").cold_starts, 2);
}

#[tokio::test]
async fn a_process_that_dies_between_invokes_is_replaced() {
    let bench = Bench::new(vec![function("f")]).await;
    for _ in 0..5 {
        let (_, error) = bench.invoke(json!({ "do": "answer and exit" })).await;
        assert_eq!(error, None);
    }
}

#[tokio::test]
async fn a_process_is_killed_at_its_deadline() {
    let mut slow = function("f");
    slow.timeout = Duration::from_millis(1_500);
    let bench = Bench::new(vec![slow]).await;
    let (described, _) = bench.invoke(json!({ "do": "describe" })).await;
    let (told, error) = bench.invoke(json!({ "do": "hang" })).await;
    assert_eq!(told["errorType"], "Sandbox.Timedout");
    let text = told["errorMessage"].as_str().expect("text");
    assert!(text.ends_with("Task timed out after 1.50 seconds"), "{text}");
    assert_eq!(error.as_deref(), Some("Unhandled"));
    assert!(!alive(&described["pid"]));
    assert_eq!(bench.invoke(json!(1)).await, (json!(1), None));
}

#[tokio::test]
async fn a_function_that_cannot_start_fails_its_own_invoke() {
    let with_init = |name: &str, init: &str| {
        let mut function = function(name);
        function.environment.insert("INIT".to_owned(), init.to_owned());
        function
    };
    let mut missing = function("missing");
    missing.program = "/no/such/program".into();
    let bench =
        Bench::new(vec![with_init("exits", "exit"), with_init("reports", "error"), missing, function("f")]).await;
    let cases = [
        ("exits", "Runtime.ExitError", "exit status: 3, before it asked for work"),
        ("reports", "Init", "no table"),
        ("missing", "Runtime.InvalidEntrypoint", "/no/such/program"),
    ];
    for (name, kind, text) in cases {
        let outcome = bench.lambda.invoke(name, "{}".into()).await.expect("accepted");
        let told: Value = serde_json::from_slice(&outcome.payload).expect("JSON");
        assert_eq!(told["errorType"], kind, "{told}");
        assert!(told["errorMessage"].as_str().is_some_and(|message| message.contains(text)), "{told}");
        assert_eq!(outcome.error.as_deref(), Some("Unhandled"));
    }
    assert_eq!(bench.invoke(json!(1)).await, (json!(1), None));
}

#[tokio::test]
async fn a_failing_event_is_tried_after_one_and_two_minutes_and_then_recorded() {
    let bench = Bench::new(vec![function("f")]).await;
    bench.event(&json!({ "do": "fail", "text": "bad day", "n": 1 }));
    bench.lambda.idle().await;
    let mut tries = vec![bench.invocations()];
    for seconds in [59, 1, 119] {
        bench.advance(seconds).await;
        tries.push(bench.invocations());
    }
    assert_eq!(tries, [1, 1, 2, 2]);
    assert!(bench.failed().is_empty());
    bench.advance(1).await;
    assert_eq!(bench.invocations(), 3);
    let [record] = &bench.failed()[..] else { panic!("one record") };
    assert_eq!(record["version"], "1.0");
    assert_eq!(record["timestamp"], "2023-11-14T22:16:20.000Z");
    let context = &record["requestContext"];
    assert_eq!(context["functionArn"], "arn:aws:lambda:eu-west-1:000000000000:function:f:$LATEST");
    assert_eq!(context["condition"], "RetriesExhausted");
    assert_eq!(context["approximateInvokeCount"], 3);
    assert_eq!(context["requestId"].as_str().map(str::len), Some(36));
    assert_eq!(record["requestPayload"], json!({ "do": "fail", "text": "bad day", "n": 1 }));
    let response = json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" });
    assert_eq!(record["responseContext"], response);
    assert_eq!(record["responsePayload"], json!({ "errorType": "Told", "errorMessage": "bad day" }));
    bench.advance(10_000).await;
    assert_eq!(bench.invocations(), 3);
}

#[tokio::test]
async fn an_event_that_succeeds_at_last_leaves_no_record() {
    let bench = Bench::new(vec![function("f")]).await;
    bench.event(&json!({ "do": "fail first", "times": 2 }));
    bench.lambda.idle().await;
    bench.advance(60).await;
    bench.advance(120).await;
    assert_eq!(bench.invocations(), 3);
    bench.advance(100_000).await;
    assert_eq!((bench.invocations(), bench.failed().len()), (3, 0));
}

#[tokio::test]
async fn an_event_that_is_too_old_is_not_tried_again() {
    let mut impatient = function("f");
    impatient.event_age = Duration::from_secs(90);
    let bench = Bench::new(vec![impatient]).await;
    bench.event(&json!({ "do": "exit" }));
    bench.lambda.idle().await;
    bench.advance(60).await;
    bench.advance(30).await;
    assert_eq!((bench.invocations(), bench.failed().len()), (2, 0));
    bench.advance(1).await;
    assert_eq!(bench.invocations(), 2);
    let [record] = &bench.failed()[..] else { panic!("one record") };
    assert_eq!(record["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(record["responsePayload"]["errorType"], "Runtime.ExitError");
}

#[tokio::test]
async fn a_function_that_may_not_run_lets_its_events_grow_old() {
    let mut disabled = function("f");
    disabled.concurrency = 0;
    disabled.event_age = Duration::from_secs(600);
    let bench = Bench::new(vec![disabled]).await;
    assert!(matches!(bench.lambda.invoke("f", "{}".into()).await, Err(InvokeError::Throttled(_))));
    bench.event(&json!({}));
    bench.lambda.idle().await;
    bench.advance(600).await;
    assert!(bench.failed().is_empty());
    for _ in 0..4 {
        bench.advance(301).await;
    }
    let [record] = &bench.failed()[..] else { panic!("one record") };
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 0);
    assert_eq!(record["responsePayload"], Value::Null);
}

#[tokio::test]
async fn idle_waits_for_what_runs_and_for_what_is_due() {
    let bench = Bench::new(vec![function("f")]).await;
    let gate = Gate::new().await;
    bench.lambda.idle().await;
    bench.event(&gate.event());
    let running = gate.running().await;
    let idle = tokio::spawn({
        let lambda = bench.lambda.clone();
        async move { lambda.idle().await }
    });
    bench.event(&json!({ "do": "fail first", "times": 1 }));
    drop(running);
    idle.await.expect("idle");
    assert_eq!(bench.invocations(), 2);
    // The retry counts from the moment at which the clock reaches it, though its task has not run yet.
    bench.advance(60).await;
    assert_eq!(bench.invocations(), 3);
}

#[tokio::test]
async fn an_invoke_goes_on_when_nobody_waits_for_it() {
    let bench = Bench::new(vec![function("f")]).await;
    let gate = Gate::new().await;
    let caller = tokio::spawn({
        let (lambda, event) = (bench.lambda.clone(), gate.event().to_string());
        async move { lambda.invoke("f", event.into()).await }
    });
    let running = gate.running().await;
    caller.abort();
    drop(running);
    bench.lambda.idle().await;
    assert_eq!(bench.invoke(json!(1)).await, (json!(1), None));
    assert_eq!(bench.lambda.stats("f").cold_starts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_there_when_the_invoke_is_over() {
    let bench = Bench::new(vec![function("f")]).await;
    for round in 1..=20 {
        bench.invoke(json!({ "do": "log", "lines": 50 })).await;
        let lines = bench.lambda.logs("f");
        assert_eq!(lines.iter().filter(|line| line.starts_with("line ")).count(), round * 50);
    }
    assert_eq!(bench.lambda.logs("f").last().map(String::as_str), Some("line 49"));
}

#[tokio::test]
async fn payloads_have_limits() {
    let bench = Bench::new(vec![function("f")]).await;
    let text = |bytes: usize| Bytes::from(format!("\"{}\"", "x".repeat(bytes - 2)));
    assert!(bench.lambda.invoke("f", text(SYNC_LIMIT)).await.is_ok());
    assert!(matches!(bench.lambda.invoke("f", text(SYNC_LIMIT + 1)).await, Err(InvokeError::TooLarge { .. })));
    assert!(bench.lambda.invoke_event("f", text(ASYNC_LIMIT)).is_ok());
    assert!(matches!(bench.lambda.invoke_event("f", text(ASYNC_LIMIT + 1)), Err(InvokeError::TooLarge { .. })));
    let (told, _) = bench.invoke(json!({ "do": "large" })).await;
    assert_eq!(told["errorType"], "Function.ResponseSizeTooLarge");
    assert_eq!(bench.invoke(json!(1)).await, (json!(1), None));
}

#[tokio::test]
async fn a_shutdown_leaves_no_process() {
    let bench = Bench::new(vec![function("f")]).await;
    let (idle, _) = bench.invoke(json!({ "do": "describe" })).await;
    let gate = Gate::new().await;
    let (one, two) = (gate.event().to_string(), gate.event().to_string());
    let invoke = tokio::spawn({
        let lambda = bench.lambda.clone();
        async move { lambda.invoke("f", one.into()).await }
    });
    let _first = gate.running().await;
    bench.lambda.invoke_event("f", two.into()).expect("accepted");
    let mut second = gate.running().await;
    bench.lambda.shutdown().await;
    assert!(!alive(&idle["pid"]));
    assert!(!second.read(&mut [0]).await.is_ok_and(|bytes| bytes > 0), "the function's end of it is closed");
    let outcome = invoke.await.expect("no panic").expect("accepted");
    assert_eq!(outcome.error.as_deref(), Some("Unhandled"));
    assert!(bench.lambda.invoke("f", "{}".into()).await.is_err());
    bench.event(&json!({}));
    bench.lambda.idle().await;
}

#[tokio::test]
async fn the_lambda_api_invokes_and_lists() {
    let bench = Bench::new(vec![function("f")]).await;
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
    assert_eq!(get("/f/configuration").await["FunctionArn"], function("f").arn);
}
