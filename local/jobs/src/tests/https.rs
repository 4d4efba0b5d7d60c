//! A device's requests over HTTPS.

use super::*;

async fn call(bench: &Bench, method: &str, path: &str, body: Value) -> (u16, String, Value) {
    send(bench.jobs.device_router(), method, path, body).await
}

#[tokio::test]
async fn device_works_through_a_job_over_https() {
    let bench = Bench::new();
    bench.create("j", &["thing/pump-1"], json!({})).await;
    let (_, _, pending) = call(&bench, "GET", "/things/pump-1/jobs", Value::Null).await;
    assert_eq!((&pending["queuedJobs"][0]["jobId"], &pending["inProgressJobs"]), (&json!("j"), &json!([])));
    let body = json!({ "statusDetails": { "a": "b" }, "stepTimeoutInMinutes": 5 });
    let (_, _, started) = call(&bench, "PUT", "/things/pump-1/jobs/$next", body).await;
    assert_eq!(started["execution"]["status"], "IN_PROGRESS");
    assert_eq!(started["execution"]["approximateSecondsBeforeTimedOut"], 300);
    // Over HTTPS a document is text, as it was given.
    assert_eq!(started["execution"]["jobDocument"], r#"{"operation":"reboot","at":null}"#);
    for path in ["$next", "%24next", "j?includeJobDocument=true&executionNumber=1"] {
        let (status, _, shown) = call(&bench, "GET", &format!("/things/pump-1/jobs/{path}"), Value::Null).await;
        assert_eq!((status, &shown["execution"]["versionNumber"]), (200, &json!(2)), "{path}: {shown}");
    }
    let (_, _, shown) = call(&bench, "GET", "/things/pump-1/jobs/j?includeJobDocument=false", Value::Null).await;
    assert_eq!(
        (&shown["execution"]["thingName"], &shown["execution"]["jobDocument"]),
        (&json!("pump-1"), &Value::Null)
    );

    let update =
        |expected: i64| json!({ "status": "SUCCEEDED", "expectedVersion": expected, "includeJobExecutionState": true });
    let (status, exception, refused) = call(&bench, "POST", "/things/pump-1/jobs/j", update(1)).await;
    assert_eq!((status, exception.as_str()), (409, "VersionConflictException"));
    assert_eq!(refused["executionState"]["versionNumber"], 2);
    let (_, _, done) = call(&bench, "POST", "/things/pump-1/jobs/j", update(2)).await;
    assert_eq!(done["executionState"]["status"], "SUCCEEDED");
    let (status, exception, _) = call(&bench, "POST", "/things/pump-1/jobs/j", json!({ "status": "FAILED" })).await;
    assert_eq!((status, exception.as_str()), (409, "InvalidStateTransitionException"));
    let (status, exception, _) = call(&bench, "GET", "/things/pump-1/jobs/j", Value::Null).await;
    assert_eq!((status, exception.as_str()), (410, "TerminalStateException"));
    for path in ["/things/pump-1/jobs/$next", "/things/pump-1/jobs/%24next"] {
        assert_eq!(call(&bench, "PUT", path, json!({})).await, (200, String::new(), json!({})));
    }
}

#[tokio::test]
async fn bad_requests_over_https_are_refused() {
    let bench = Bench::new();
    for (method, path, body, status) in [
        ("GET", "/things/none/jobs", Value::Null, 404),
        ("GET", "/things/pump-1/jobs/none", Value::Null, 404),
        ("POST", "/things/pump-1/jobs/none", json!({ "status": "FAILED" }), 404),
        ("POST", "/things/pump-1/jobs/none", json!({}), 400),
        ("POST", "/things/pump-1/jobs/none", json!([]), 400),
        ("POST", "/things/pump-1/jobs/none", json!({ "status": "DONE" }), 400),
        ("PUT", "/things/pump-1/jobs/$next", json!({ "stepTimeoutInMinutes": 0 }), 400),
        ("GET", "/things/pump-1/jobs/none?executionNumber=x", Value::Null, 400),
        ("DELETE", "/things/pump-1/jobs/j", Value::Null, 404),
        ("PUT", "/things/pump-1/jobs/j", json!({}), 404),
        ("GET", "/jobs", Value::Null, 404),
    ] {
        let (found, exception, answer) = call(&bench, method, path, body.clone()).await;
        assert_eq!(found, status, "{method} {path} {body}: {answer}");
        let unknown = matches!((method, path), ("DELETE", _) | (_, "/jobs") | ("PUT", "/things/pump-1/jobs/j"));
        assert_eq!(exception == "UnknownOperationException", unknown, "{method} {path}: {exception}");
    }
}
