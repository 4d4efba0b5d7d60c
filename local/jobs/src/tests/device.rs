//! A device's requests over MQTT: order, versions, transitions, errors.

use super::*;

#[tokio::test]
async fn device_works_through_its_jobs_in_the_order_of_creation() {
    let bench = Bench::new();
    let none = json!({ "inProgressJobs": [], "queuedJobs": [], "timestamp": 1_700_000_000, "clientToken": "t" });
    assert_eq!(bench.device("pump-1", "get", json!({ "clientToken": "t" })), none);
    assert_eq!(bench.device("pump-1", "start-next", json!({})), json!({ "timestamp": 1_700_000_000 }));
    assert_eq!(bench.device_bytes("pump-1", "$next/get", b""), json!({ "timestamp": 1_700_000_000 }));
    bench.create("second", &["thing/pump-1"], json!({})).await;
    bench.create("first", &["thing/pump-1"], json!({})).await;

    let summary = |id, version| {
        json!({ "jobId": id, "queuedAt": 1_700_000_000, "lastUpdatedAt": 1_700_000_000,
                "executionNumber": 1, "versionNumber": version })
    };
    let pending = bench.device("pump-1", "get", json!({}));
    assert_eq!(pending["queuedJobs"], json!([summary("second", 1), summary("first", 1)]));
    let started = bench.device("pump-1", "start-next", json!({ "statusDetails": { "step": "1" }, "clientToken": "t" }));
    let mut expected = summary("second", 2);
    expected["startedAt"] = 1_700_000_000.into();
    let mut execution = expected.clone();
    for (name, value) in [
        ("thingName", json!("pump-1")),
        ("status", json!("IN_PROGRESS")),
        ("statusDetails", json!({ "step": "1" })),
        ("jobDocument", json!({ "operation": "reboot", "at": null })),
    ] {
        execution[name] = value;
    }
    assert_eq!(started, json!({ "execution": execution, "clientToken": "t", "timestamp": 1_700_000_000 }));
    let again = bench.device("pump-1", "start-next", json!({ "statusDetails": { "step": "2" } }));
    assert_eq!(again["execution"], execution, "an execution that is IN_PROGRESS is not changed");
    let pending = bench.device("pump-1", "get", json!({}));
    assert_eq!(
        (&pending["inProgressJobs"], &pending["queuedJobs"]),
        (&json!([expected]), &json!([summary("first", 1)]))
    );

    // What is IN_PROGRESS comes first, whenever it was created.
    assert_eq!(bench.update("pump-1", "second", "SUCCEEDED"), json!({ "timestamp": 1_700_000_000 }));
    bench.create("third", &["thing/pump-1"], json!({})).await;
    bench.update("pump-1", "third", "IN_PROGRESS");
    let next = bench.device("pump-1", "$next/get", json!({ "includeJobDocument": false }));
    assert_eq!((&next["execution"]["jobId"], &next["execution"]["jobDocument"]), (&json!("third"), &Value::Null));
    bench.update("pump-1", "third", "REJECTED");
    assert_eq!(bench.device("pump-1", "$next/get", json!({}))["execution"]["jobId"], "first");
}

#[tokio::test]
async fn update_counts_versions_and_shows_what_is_asked_for() {
    let bench = Bench::new();
    bench.create("j", &["thing/pump-1"], json!({})).await;
    // The first SDK for Python sends numbers as strings.
    let update = json!({
        "status": "IN_PROGRESS", "statusDetails": { "progress": "10%" }, "expectedVersion": "1", "executionNumber": "1",
        "includeJobExecutionState": true, "includeJobDocument": true, "clientToken": "c",
    });
    let state = json!({ "status": "IN_PROGRESS", "statusDetails": { "progress": "10%" }, "versionNumber": 2 });
    let document = json!({ "operation": "reboot", "at": null });
    let expected = json!({
        "executionState": state, "jobDocument": document, "clientToken": "c", "timestamp": 1_700_000_000,
    });
    assert_eq!(bench.device("pump-1", "j/update", update), expected);

    let stale =
        bench.device("pump-1", "j/update", json!({ "status": "FAILED", "expectedVersion": 1, "clientToken": "d" }));
    assert_eq!((&stale["code"], &stale["clientToken"]), (&json!("VersionMismatch"), &json!("d")));
    assert_eq!(stale["executionState"], state);
    // Details stay where an update has none.
    let last = json!({ "status": "SUCCEEDED", "expectedVersion": 2, "includeJobExecutionState": true });
    let last = bench.device("pump-1", "j/update", last);
    let state = json!({ "status": "SUCCEEDED", "statusDetails": { "progress": "10%" }, "versionNumber": 3 });
    assert_eq!(last["executionState"], state);
    for status in ["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"] {
        let refused = bench.update("pump-1", "j", status);
        assert_eq!((&refused["code"], &refused["executionState"]), (&json!("InvalidStateTransition"), &state));
    }
    assert_eq!(bench.device("pump-1", "j/get", json!({}))["code"], "TerminalStateReached");
    assert_eq!(bench.job("j").await["status"], "COMPLETED");
}

#[tokio::test]
async fn a_job_ends_in_each_status_that_a_device_reports() {
    let bench = Bench::new();
    for status in ["SUCCEEDED", "FAILED", "REJECTED"] {
        bench.create(status, &["thing/pump-1"], json!({})).await;
        bench.update("pump-1", status, status);
        assert_eq!(bench.status("pump-1", status).await, status);
    }
}

#[tokio::test]
async fn refused_requests_have_the_codes_of_aws() {
    let bench = Bench::new();
    bench.create("j", &["thing/pump-1"], json!({})).await;
    let details = |count: usize| (0..count).map(|n| (format!("n{n}"), "v".to_owned())).collect::<details::Details>();
    let minutes = |minutes: Value| json!({ "status": "IN_PROGRESS", "stepTimeoutInMinutes": minutes });
    for (thing, request, payload, code) in [
        ("pump-1", "no-operation", json!({}), "InvalidTopic"),
        ("pump-1", "j/update/now", json!({}), "InvalidTopic"),
        ("none", "get", json!({}), "ResourceNotFound"),
        ("none", "start-next", json!({}), "ResourceNotFound"),
        ("pump-1", "none/get", json!({}), "ResourceNotFound"),
        ("pump-1", "none/update", json!({ "status": "FAILED" }), "ResourceNotFound"),
        ("pump-2", "j/update", json!({ "status": "FAILED" }), "ResourceNotFound"),
        ("pump-1", "j/get", json!({ "executionNumber": 2 }), "ResourceNotFound"),
        ("pump 1", "get", json!({}), "InvalidRequest"),
        ("pump-1", "$next/update", json!({ "status": "FAILED" }), "InvalidRequest"),
        ("pump-1", "j/update", json!({}), "InvalidRequest"),
        ("pump-1", "j/update", json!({ "status": "DONE" }), "InvalidRequest"),
        ("pump-1", "j/update", json!({ "status": 1 }), "InvalidRequest"),
        ("pump-1", "j/update", json!({ "status": "QUEUED" }), "InvalidRequest"),
        ("pump-1", "j/update", json!({ "status": "CANCELED" }), "InvalidRequest"),
        ("pump-1", "j/update", json!({ "status": "TIMED_OUT" }), "InvalidRequest"),
        ("pump-1", "j/update", json!({ "status": "FAILED", "expectedVersion": "x" }), "InvalidRequest"),
        ("pump-1", "j/update", json!({ "status": "FAILED", "statusDetails": { "a": 1 } }), "InvalidRequest"),
        ("pump-1", "j/update", json!({ "status": "FAILED", "statusDetails": { "a b": "1" } }), "InvalidRequest"),
        ("pump-1", "j/update", json!({ "status": "FAILED", "statusDetails": { "a": "" } }), "InvalidRequest"),
        ("pump-1", "j/update", json!({ "status": "FAILED", "statusDetails": details(11) }), "InvalidRequest"),
        ("pump-1", "j/update", minutes(json!(0)), "InvalidRequest"),
        ("pump-1", "j/update", minutes(json!(10_081)), "InvalidRequest"),
        ("pump-1", "j/update", minutes(json!(1.5)), "InvalidRequest"),
        ("pump-1", "start-next", json!({ "stepTimeoutInMinutes": -2 }), "InvalidRequest"),
        ("pump-1", "get", json!({ "clientToken": 1 }), "InvalidRequest"),
        ("pump-1", "get", json!([]), "InvalidRequest"),
    ] {
        let answer = bench.device(thing, request, payload.clone());
        assert_eq!(answer["code"], code, "{request} {payload}: {answer}");
        assert_eq!(answer["timestamp"], 1_700_000_000);
    }
    for payload in [&b"{"[..], b"\xff\xfe", b"{} {}", b"status"] {
        assert_eq!(bench.device_bytes("pump-1", "j/update", payload)["code"], "InvalidJson");
    }
    assert_eq!(bench.execution("pump-1", "j").await["versionNumber"], 1, "nothing has changed");
    let allowed = json!({ "status": "IN_PROGRESS", "statusDetails": details(10), "stepTimeoutInMinutes": 10_080 });
    assert_eq!(bench.device("pump-1", "j/update", allowed)["code"], Value::Null);
}

#[test]
fn topics_of_answers_and_notifications_are_no_requests() {
    assert_eq!(mqtt::parse("$aws/things/t/jobs/get"), Some(("t", "get")));
    assert_eq!(mqtt::parse("$aws/things/t/jobs/$next/get"), Some(("t", "$next/get")));
    for other in ["notify", "notify-next", "get/accepted", "j/update/rejected"] {
        assert_eq!(mqtt::parse(&format!("$aws/things/t/jobs/{other}")), None, "{other}");
    }
    for other in ["$aws/things/t/jobs", "$aws/things/t/shadow/get", "things/t/jobs/get", ""] {
        assert_eq!(mqtt::parse(other), None, "{other}");
    }
}
