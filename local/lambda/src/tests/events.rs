//! Tests of asynchronous events: retries, age, records of discarded events, waiting for idle.

use super::*;

#[tokio::test]
async fn a_failing_event_is_retried_after_1_and_2_minutes_and_then_recorded() {
    let bench = Bench::new(vec![function("f")]).await;
    bench.event(&json!({ "do": "fail", "text": "scripted", "n": 1 }));
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
    assert_eq!(record["requestPayload"], json!({ "do": "fail", "text": "scripted", "n": 1 }));
    let response = json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" });
    assert_eq!(record["responseContext"], response);
    assert_eq!(record["responsePayload"], json!({ "errorType": "ScriptedError", "errorMessage": "scripted" }));
    bench.advance(10_000).await;
    assert_eq!(bench.invocations(), 3);
}

#[tokio::test]
async fn an_event_that_succeeds_on_its_last_attempt_leaves_no_record() {
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
async fn an_expired_event_is_not_retried() {
    let mut short_lived = function("f");
    short_lived.event_age = Duration::from_secs(90);
    let bench = Bench::new(vec![short_lived]).await;
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
async fn events_of_a_function_with_concurrency_0_expire() {
    let mut disabled = function("f");
    disabled.concurrency = Some(0);
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
async fn idle_waits_for_running_and_due_events() {
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
    // The retry counts as soon as the clock reaches its due time, even if its task has not run yet.
    bench.advance(60).await;
    assert_eq!(bench.invocations(), 3);
}
