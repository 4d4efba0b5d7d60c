//! Jobs that are refused: documents, targets, configurations, ids.

use super::*;

/// A job that is created, with other members.
fn job(more: Value) -> Value {
    let mut body = json!({ "targets": [arn("thing/pump-1")], "document": "{}" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn documents_are_json_of_at_most_32_kb() {
    let bench = Bench::new();
    let document = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    for (document, status) in [
        (document(32_768), 200),
        (document(32_769), 400),
        (document(200_000), 400),
        ("{".to_owned(), 400),
        (String::new(), 400),
        (r#"{"url":"${aws:iot:s3-presigned-url:https://s3.amazonaws.com/b/k}"}"#.to_owned(), 400),
    ] {
        let (found, exception, answer) = bench.call("PUT", "/jobs/j", job(json!({ "document": document }))).await;
        assert_eq!(found, status, "{exception}: {answer}");
        if status == 200 {
            bench.ok("DELETE", "/jobs/j?force=true", Value::Null).await;
        }
    }
    let without = json!({ "targets": [arn("thing/pump-1")] });
    assert_eq!(bench.refused("PUT", "/jobs/j", without).await, (400, "InvalidRequestException".to_owned()));
}

#[tokio::test]
async fn what_is_not_followed_is_refused_by_its_name() {
    let bench = Bench::new();
    for (member, value) in [
        ("documentSource", json!("https://s3.amazonaws.com/bucket/key")),
        ("documentSource", json!("http://127.0.0.1/document")),
        ("presignedUrlConfig", json!({ "roleArn": "arn:aws:iam::000000000000:role/r" })),
        ("schedulingConfig", json!({ "startTime": "2026-12-24T00:00" })),
        ("jobTemplateArn", json!(arn("jobtemplate/t"))),
        ("documentParameters", json!({ "a": "b" })),
        ("destinationPackageVersions", json!([arn("package/p/version/1")])),
        ("namespaceId", json!("n")),
    ] {
        let (status, exception, answer) = bench.call("PUT", "/jobs/j", job(json!({ member: value }))).await;
        assert_eq!((status, exception.as_str()), (400, "InvalidRequestException"), "{member}");
        assert!(answer["message"].as_str().unwrap().starts_with(member), "{answer}");
    }
    bench.create("j", &["thing/pump-1"], json!({})).await;
    let update = json!({ "presignedUrlConfig": {} });
    assert_eq!(bench.refused("PATCH", "/jobs/j", update).await.0, 400);
    for (method, path) in [("PUT", "/job-templates/t"), ("GET", "/jobs/j/none"), ("POST", "/jobs/j")] {
        let refused = bench.refused(method, path, Value::Null).await;
        assert_eq!(refused, (404, "UnknownOperationException".to_owned()), "{method} {path}");
    }
}

#[tokio::test]
async fn targets_exist_and_are_things_or_groups() {
    let bench = Bench::new();
    let many: Vec<String> = (0..101).map(|_| arn("thing/pump-1")).collect();
    for (targets, status) in [
        (json!([arn("thing/none")]), 404),
        (json!([arn("thinggroup/none")]), 404),
        (json!([arn("thing/pump-1"), arn("cert/c")]), 400),
        (json!(["arn:aws:iot:eu-west-1:000000000000:thing/pump-1"]), 400),
        (json!(["pump-1"]), 400),
        (json!([]), 400),
        (json!("pump-1"), 400),
        (json!(many), 410),
    ] {
        let found = bench.refused("PUT", "/jobs/j", job(json!({ "targets": targets }))).await.0;
        assert_eq!(found, status, "{targets}");
    }
    assert_eq!(bench.ok("GET", "/jobs", Value::Null).await, json!({ "jobs": [] }), "nothing was created");
}

#[tokio::test]
async fn configurations_out_of_their_limits_are_refused() {
    let bench = Bench::new();
    let rollout = |config: Value| json!({ "jobExecutionsRolloutConfig": config });
    let rate = |base: i64, factor: f64, criteria: Value| {
        rollout(json!({ "exponentialRate": {
            "baseRatePerMinute": base, "incrementFactor": factor, "rateIncreaseCriteria": criteria,
        } }))
    };
    let notified = json!({ "numberOfNotifiedThings": 1 });
    let abort = |criteria: Value| json!({ "abortConfig": { "criteriaList": criteria } });
    let criteria = |kind: &str, action: &str, percent: f64, min: i64| {
        json!([{
            "failureType": kind, "action": action, "thresholdPercentage": percent, "minNumberOfExecutedThings": min,
        }])
    };
    let retry = |criteria: Value| json!({ "jobExecutionsRetryConfig": { "criteriaList": criteria } });
    for more in [
        rollout(json!({ "maximumPerMinute": 0 })),
        rollout(json!({ "maximumPerMinute": 1_001 })),
        rollout(json!({ "maximumPerMinute": -1 })),
        rate(0, 2.0, notified.clone()),
        rate(1_001, 2.0, notified.clone()),
        rate(1, 1.0, notified.clone()),
        rate(1, 5.1, notified.clone()),
        rate(1, 2.0, json!({})),
        rate(1, 2.0, json!({ "numberOfNotifiedThings": 1, "numberOfSucceededThings": 1 })),
        rate(1, 2.0, json!({ "numberOfSucceededThings": 0 })),
        abort(json!([])),
        abort(criteria("FAILED", "PAUSE", 1.0, 1)),
        abort(criteria("NONE", "CANCEL", 1.0, 1)),
        abort(criteria("FAILED", "CANCEL", 100.1, 1)),
        abort(criteria("FAILED", "CANCEL", 0.0, 1)),
        abort(criteria("FAILED", "CANCEL", 1.0, 0)),
        json!({ "timeoutConfig": { "inProgressTimeoutInMinutes": 0 } }),
        json!({ "timeoutConfig": { "inProgressTimeoutInMinutes": 10_081 } }),
        retry(json!([])),
        retry(json!([{ "failureType": "REJECTED", "numberOfRetries": 1 }])),
        retry(json!([{ "failureType": "ALL", "numberOfRetries": 11 }])),
        retry(json!([
            { "failureType": "FAILED", "numberOfRetries": 6 },
            { "failureType": "TIMED_OUT", "numberOfRetries": 5 },
        ])),
        json!({ "targetSelection": "ALWAYS" }),
        json!({ "description": "" }),
        json!({ "description": "x".repeat(2_029) }),
        json!({ "tags": [{ "Value": "v" }] }),
    ] {
        let refused = bench.refused("PUT", "/jobs/j", job(more.clone())).await;
        assert_eq!(refused, (400, "InvalidRequestException".to_owned()), "{more}");
    }
}

#[tokio::test]
async fn ids_of_jobs_are_checked() {
    let bench = Bench::new();
    bench.ok("PUT", &format!("/jobs/{}", "a-Z_9".repeat(12)), job(json!({}))).await;
    for id in ["a%20b", "a.b", "%C3%BC", &"x".repeat(65), "a:b"] {
        assert_eq!(bench.refused("PUT", &format!("/jobs/{id}"), job(json!({}))).await.0, 400, "{id}");
        assert_eq!(bench.refused("GET", &format!("/jobs/{id}"), Value::Null).await.0, 400, "{id}");
    }
    let router = bench.jobs.router();
    let request = Request::put("/jobs/j").body(Body::from("{")).unwrap();
    assert_eq!(router.oneshot(request).await.unwrap().status(), 400);
}
