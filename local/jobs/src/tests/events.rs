//! Events of jobs and executions, and their configuration.

use super::*;

const ALL: [&str; 11] = [
    "THING",
    "THING_GROUP",
    "THING_TYPE",
    "THING_GROUP_MEMBERSHIP",
    "THING_GROUP_HIERARCHY",
    "THING_TYPE_ASSOCIATION",
    "JOB",
    "JOB_EXECUTION",
    "POLICY",
    "CERTIFICATE",
    "CA_CERTIFICATE",
];

async fn enable(bench: &Bench, types: &[&str]) {
    let types: serde_json::Map<String, Value> =
        types.iter().map(|name| ((*name).to_owned(), json!({ "Enabled": true }))).collect();
    bench.ok("PATCH", "/event-configurations", json!({ "eventConfigurations": types })).await;
}

/// Topics below `$aws/events/` and bodies, without the ids.
fn events(bench: &mut Bench) -> Vec<(String, Value)> {
    let events = bench.published().into_iter().filter_map(|(topic, mut body)| {
        let topic = topic.strip_prefix("$aws/events/")?.to_owned();
        let id = body.as_object_mut()?.remove("eventId")?;
        assert_eq!(id.as_str()?.len(), 36);
        Some((topic, body))
    });
    events.collect()
}

#[tokio::test]
async fn all_types_of_events_are_configured_and_none_is_on_at_first() {
    let mut bench = Bench::new();
    let shown = bench.ok("GET", "/event-configurations", Value::Null).await;
    assert_eq!(shown["eventConfigurations"].as_object().unwrap().len(), ALL.len());
    assert!(ALL.iter().all(|name| shown["eventConfigurations"][name] == json!({ "Enabled": false })), "{shown}");
    assert_eq!(shown["creationDate"], Value::Null);
    bench.create("j", &["thing/pump-1"], json!({})).await;
    bench.update("pump-1", "j", "SUCCEEDED");
    assert_eq!(events(&mut bench), []);
    enable(&bench, &ALL).await;
    bench.advance(1);
    let off = json!({ "eventConfigurations": { "JOB": { "Enabled": false } } });
    bench.ok("PATCH", "/event-configurations", off).await;
    let shown = bench.ok("GET", "/event-configurations", Value::Null).await;
    let on = |name: &str| shown["eventConfigurations"][name]["Enabled"].clone();
    assert_eq!((on("JOB"), on("JOB_EXECUTION"), on("THING")), (json!(false), json!(true), json!(true)));
    assert_eq!(
        (&shown["creationDate"], &shown["lastModifiedDate"]),
        (&json!(1_700_000_000.5), &json!(1_700_000_060.5))
    );
    for body in [json!({ "eventConfigurations": { "NONE": {} } }), json!({ "eventConfigurations": 3 })] {
        assert_eq!(bench.refused("PATCH", "/event-configurations", body).await.0, 400);
    }
}

#[tokio::test]
async fn events_of_a_job_have_the_payloads_of_aws() {
    let mut bench = Bench::new();
    enable(&bench, &["JOB", "JOB_EXECUTION"]).await;
    bench.create("j", &["thing/pump-1"], json!({ "description": "d" })).await;
    let details = json!({ "status": "SUCCEEDED", "statusDetails": { "a": "b" } });
    bench.device("pump-1", "j/update", details);
    let execution = json!({
        "eventType": "JOB_EXECUTION", "timestamp": 1_700_000_000, "operation": "succeeded", "jobId": "j",
        "thingArn": arn("thing/pump-1"), "status": "SUCCEEDED", "statusDetails": { "a": "b" },
    });
    let job = json!({
        "eventType": "JOB", "timestamp": 1_700_000_000, "operation": "completed", "jobId": "j", "status": "COMPLETED",
        "targetSelection": "SNAPSHOT", "targets": [arn("thing/pump-1")], "description": "d",
        "completedAt": 1_700_000_000_500_i64, "createdAt": 1_700_000_000_500_i64,
        "lastUpdatedAt": 1_700_000_000_500_i64,
        "jobProcessDetails": {
            "numberOfCanceledThings": 0, "numberOfRejectedThings": 0, "numberOfFailedThings": 0,
            "numberOfRemovedThings": 0, "numberOfSucceededThings": 1, "numberOfTimedOutThings": 0,
        },
    });
    assert_eq!(
        events(&mut bench),
        [("jobExecution/j/succeeded".to_owned(), execution), ("job/j/completed".to_owned(), job)]
    );

    bench.ok("DELETE", "/jobs/j", Value::Null).await;
    let deleted = events(&mut bench);
    let topics: Vec<&str> = deleted.iter().map(|(topic, _)| topic.as_str()).collect();
    assert_eq!(topics, ["job/j/deletion_in_progress", "jobExecution/j/deleted", "job/j/deleted"]);
    // The status of an execution is that before the deletion.
    let statuses: Vec<_> = deleted.iter().map(|(_, body)| body["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["DELETION_IN_PROGRESS", "SUCCEEDED", "DELETED"]);
}

#[tokio::test]
async fn each_end_of_an_execution_has_its_event() {
    let mut bench = Bench::new();
    enable(&bench, &["JOB", "JOB_EXECUTION"]).await;
    let config = json!({ "targetSelection": "CONTINUOUS", "timeoutConfig": { "inProgressTimeoutInMinutes": 1 } });
    bench.registry.add_things("pumps", &["pump-5"]).unwrap();
    bench.create("j", &["thinggroup/pumps"], config).await;
    bench.update("pump-1", "j", "FAILED");
    bench.update("pump-2", "j", "REJECTED");
    bench.update("pump-3", "j", "IN_PROGRESS");
    bench.advance(1);
    bench.registry_call("DELETE", "/things/pump-4", Value::Null).await;
    bench.jobs.catch_up();
    bench.ok("PUT", "/jobs/j/cancel?force=true", json!({})).await;
    bench.ok("DELETE", "/things/pump-1/jobs/j/executionNumber/1", Value::Null).await;
    let all = events(&mut bench);
    let topics: Vec<&str> = all.iter().map(|(topic, _)| topic.as_str()).collect();
    assert_eq!(
        topics,
        [
            "jobExecution/j/failed",
            "jobExecution/j/rejected",
            "jobExecution/j/timed_out",
            "jobExecution/j/removed",
            "job/j/cancellation_in_progress",
            "jobExecution/j/canceled",
            "job/j/canceled",
            "jobExecution/j/deleted",
        ]
    );
    assert_eq!(all[4].1["status"], "CANCELLATION_IN_PROGRESS");
    assert_eq!((&all[6].1["forceCanceled"], &all[6].1["status"]), (&json!(true), &json!("CANCELED")));
}
