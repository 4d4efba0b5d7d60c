//! Tests of synchronous invokes and of the processes that run them.

use tokio::io::AsyncReadExt;

use super::*;

fn is_running(pid: &Value) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn a_process_starts_on_demand_and_is_reused() {
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
async fn a_function_is_found_by_name_and_every_form_of_arn() {
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
async fn a_function_sees_the_environment_of_lambda_and_not_that_of_the_host() {
    let mut described = function("f");
    described.environment.insert("TABLE".to_owned(), "commands".to_owned());
    described.added_environment.insert("AWS_ACCESS_KEY_ID".to_owned(), "test".to_owned());
    described.timeout = Duration::from_secs(5);
    let bench = Bench::new(vec![described]).await;
    let (response, _) = bench.invoke(json!({ "do": "describe" })).await;
    let (headers, env) = (&response["headers"], &response["env"]);
    let deadline = (START_MS + 5_000).to_string();
    assert_eq!(
        headers["lambda-runtime-deadline-ms"], deadline,
        "the deadline is the timeout after the time of the stack's clock"
    );
    assert_eq!(headers["lambda-runtime-invoked-function-arn"], function("f").arn);
    assert_eq!(headers["lambda-runtime-aws-request-id"].as_str().map(str::len), Some(36));
    assert!(headers["lambda-runtime-trace-id"].as_str().is_some_and(|trace| trace.starts_with("Root=1-")));
    assert_eq!(env["AWS_LAMBDA_FUNCTION_NAME"], "f");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_VERSION"], "$LATEST");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "128");
    assert_eq!(env["AWS_REGION"], "eu-west-1");
    assert_eq!((&env["TABLE"], &env["AWS_ACCESS_KEY_ID"]), (&json!("commands"), &json!("test.f.1")));
    assert_eq!(env["AWS_LAMBDA_MAX_CONCURRENCY"], Value::Null);
    assert_eq!(env["CARGO_MANIFEST_DIR"], Value::Null, "a variable of the test's own environment");
}

#[tokio::test]
async fn an_error_reported_by_a_function_is_returned() {
    let bench = Bench::new(vec![function("f")]).await;
    let (response, error) = bench.invoke(json!({ "do": "fail", "text": "scripted" })).await;
    assert_eq!(response, json!({ "errorType": "ScriptedError", "errorMessage": "scripted" }));
    assert_eq!(error.as_deref(), Some("Unhandled"));
    let (response, error) = bench.invoke(json!({ "do": "fail first", "times": 1 })).await;
    assert_eq!(response, json!({ "errorType": "Unhandled", "errorMessage": "not even json" }));
    assert_eq!(error.as_deref(), Some("Unhandled"));
    assert_eq!(bench.lambda.stats("f").cold_starts, 1, "a process that reports an error is reused");
}

#[tokio::test]
async fn at_its_concurrency_limit_a_function_throttles_invokes_and_queues_events() {
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
async fn without_reserved_concurrency_an_invoke_waits_for_a_process() {
    let bench = Bench::new(vec![Function { concurrency: None, ..function("f") }]).await;
    let gate = Gate::new().await;
    let mut running = Vec::new();
    for _ in 0..16 {
        bench.event(&gate.event());
        running.push(gate.running().await);
    }
    let mut invoke = Box::pin(bench.lambda.invoke("f", "1".into()));
    let waits = tokio::select! {
        biased;
        outcome = &mut invoke => Err(outcome),
        () = tokio::task::yield_now() => Ok(()),
    };
    assert!(waits.is_ok(), "{waits:?}");
    running.pop();
    assert_eq!(invoke.await.expect("accepted").payload, "1");
    assert_eq!(bench.lambda.stats("f").cold_starts, 16);
    drop(running);
    bench.lambda.idle().await;
}

#[tokio::test]
async fn a_crash_is_an_error_and_the_next_invoke_gets_a_new_process() {
    let bench = Bench::new(vec![function("f")]).await;
    let (response, error) = bench.invoke(json!({ "do": "exit" })).await;
    assert_eq!(response["errorType"], "Runtime.ExitError");
    assert!(response["errorMessage"].as_str().is_some_and(|text| text.contains("exit status: 7")), "{response}");
    assert_eq!(error.as_deref(), Some("Unhandled"));
    assert_eq!(bench.invoke(json!(1)).await, (json!(1), None));
    assert_eq!(bench.lambda.stats("f").cold_starts, 2);
}

#[tokio::test]
async fn a_process_that_exits_between_invokes_is_replaced() {
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
    let gate = Gate::new().await;
    let event = gate.event();
    let (outcome, _running) = tokio::join!(bench.invoke(event), async {
        let running = gate.running().await;
        bench.clock.advance(Duration::from_millis(1_499));
        tokio::task::yield_now().await;
        assert!(is_running(&described["pid"]));
        bench.clock.advance(Duration::from_millis(1));
        running
    });
    let (response, error) = outcome;
    assert_eq!(response["errorType"], "Sandbox.Timedout");
    let text = response["errorMessage"].as_str().expect("text");
    assert!(text.ends_with("Task timed out after 1.50 seconds"), "{text}");
    assert_eq!(error.as_deref(), Some("Unhandled"));
    assert!(!is_running(&described["pid"]));
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
        ("exits", "Runtime.ExitError", "exit status: 3, before its first GET next"),
        ("reports", "Init", "no table"),
        ("missing", "Runtime.InvalidEntrypoint", "/no/such/program"),
    ];
    for (name, kind, text) in cases {
        let outcome = bench.lambda.invoke(name, "{}".into()).await.expect("accepted");
        let response: Value = serde_json::from_slice(&outcome.payload).expect("JSON");
        assert_eq!(response["errorType"], kind, "{response}");
        assert!(response["errorMessage"].as_str().is_some_and(|message| message.contains(text)), "{response}");
        assert_eq!(outcome.error.as_deref(), Some("Unhandled"));
    }
    assert_eq!(bench.invoke(json!(1)).await, (json!(1), None));
}

#[tokio::test]
async fn an_invoke_continues_when_its_caller_is_dropped() {
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
async fn lines_are_stored_when_the_invoke_returns() {
    let bench = Bench::new(vec![function("f")]).await;
    for round in 1..=20 {
        bench.invoke(json!({ "do": "log", "lines": 50 })).await;
        let lines = bench.lambda.logs("f");
        assert_eq!(lines.iter().filter(|line| line.starts_with("line ")).count(), round * 50);
    }
    assert_eq!(bench.lambda.logs("f").last().map(String::as_str), Some("line 49"));
}

#[tokio::test]
async fn payload_sizes_are_limited() {
    let bench = Bench::new(vec![function("f")]).await;
    let text = |bytes: usize| Bytes::from(format!("\"{}\"", "x".repeat(bytes - 2)));
    assert!(bench.lambda.invoke("f", text(SYNC_LIMIT)).await.is_ok());
    assert!(matches!(bench.lambda.invoke("f", text(SYNC_LIMIT + 1)).await, Err(InvokeError::TooLarge { .. })));
    assert!(bench.lambda.invoke_event("f", text(ASYNC_LIMIT)).is_ok());
    assert!(matches!(bench.lambda.invoke_event("f", text(ASYNC_LIMIT + 1)), Err(InvokeError::TooLarge { .. })));
    let (response, _) = bench.invoke(json!({ "do": "large" })).await;
    assert_eq!(response["errorType"], "Function.ResponseSizeTooLarge");
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
    assert!(!is_running(&idle["pid"]));
    assert!(
        !second.read(&mut [0]).await.is_ok_and(|bytes| bytes > 0),
        "the function has closed its end of the connection"
    );
    let outcome = invoke.await.expect("no panic").expect("accepted");
    assert_eq!(outcome.error.as_deref(), Some("Unhandled"));
    assert!(bench.lambda.invoke("f", "{}".into()).await.is_err());
    bench.event(&json!({}));
    bench.lambda.idle().await;
}
