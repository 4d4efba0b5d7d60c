//! An operator's operations: describe, list, update, cancel, delete.

use super::*;

#[tokio::test]
async fn a_job_is_created_described_and_updated() {
    let bench = Bench::new();
    let config = json!({
        "description": "reboots", "tags": [{ "Key": "a", "Value": "b" }],
        "timeoutConfig": { "inProgressTimeoutInMinutes": 100 },
        "jobExecutionsRolloutConfig": { "maximumPerMinute": 50 },
        "abortConfig": { "criteriaList": [
            { "failureType": "ALL", "action": "CANCEL", "thresholdPercentage": 12.5, "minNumberOfExecutedThings": 3 },
        ] },
        "jobExecutionsRetryConfig": { "criteriaList": [{ "failureType": "ALL", "numberOfRetries": 3 }] },
    });
    let mut body = config.clone();
    body["targets"] = json!([arn("thing/pump-1")]);
    body["document"] = r#"{ "a": 1 }"#.into();
    let created = bench.ok("PUT", "/jobs/j", body.clone()).await;
    assert_eq!(created, json!({ "jobArn": arn("job/j"), "jobId": "j", "description": "reboots" }));
    let job = bench.job("j").await;
    for member in
        ["description", "timeoutConfig", "jobExecutionsRolloutConfig", "abortConfig", "jobExecutionsRetryConfig"]
    {
        assert_eq!(job[member], config[member], "{member}");
    }
    let times = ["createdAt", "lastUpdatedAt"].map(|name| job[name].clone());
    assert_eq!(times, [json!(1_700_000_000.5), json!(1_700_000_000.5)]);
    assert_eq!(
        (&job["status"], &job["targetSelection"], &job["jobArn"]),
        (&json!("IN_PROGRESS"), &json!("SNAPSHOT"), &json!(arn("job/j")))
    );
    assert_eq!(job["jobProcessDetails"]["numberOfQueuedThings"], 1);
    assert_eq!(bench.ok("GET", "/jobs/j/job-document", Value::Null).await, json!({ "document": r#"{ "a": 1 }"# }));

    let (status, exception, refused) = bench.call("PUT", "/jobs/j", body).await;
    assert_eq!((status, exception.as_str()), (409, "ResourceAlreadyExistsException"));
    assert_eq!((&refused["resourceId"], &refused["resourceArn"]), (&json!("j"), &json!(arn("job/j"))));

    let update = json!({ "description": "later", "timeoutConfig": { "inProgressTimeoutInMinutes": 5 } });
    assert_eq!(bench.ok("PATCH", "/jobs/j", update).await, json!({}));
    let job = bench.job("j").await;
    assert_eq!(
        (&job["description"], &job["timeoutConfig"]["inProgressTimeoutInMinutes"]),
        (&json!("later"), &json!(5))
    );
    assert_eq!(job["abortConfig"], config["abortConfig"], "what an update leaves out stays");
    bench.update("pump-1", "j", "SUCCEEDED");
    assert_eq!(bench.job("j").await["completedAt"], 1_700_000_000.5);
    assert_eq!(bench.refused("PATCH", "/jobs/j", json!({ "description": "too late" })).await.0, 400);
}

#[tokio::test]
async fn jobs_are_listed_newest_first_in_pages_and_filtered() {
    let bench = Bench::new();
    bench.create("a", &["thinggroup/pumps"], json!({ "targetSelection": "CONTINUOUS" })).await;
    bench.create("c", &["thing/pump-1"], json!({})).await;
    bench.create("b", &["thing/pump-1"], json!({})).await;
    bench.ok("PUT", "/jobs/c/cancel", json!({})).await;
    let list = async |query: &str| {
        let answer = bench.ok("GET", &format!("/jobs?{query}"), Value::Null).await;
        let ids: Vec<String> =
            answer["jobs"].as_array().unwrap().iter().map(|job| job["jobId"].as_str().unwrap().to_owned()).collect();
        (ids.join(","), answer["nextToken"].as_str().map(str::to_owned))
    };
    assert_eq!(list("").await, ("b,c,a".into(), None));
    assert_eq!(list("status=CANCELED").await.0, "c");
    assert_eq!(list("status=DELETION_IN_PROGRESS").await.0, "");
    assert_eq!(list("targetSelection=CONTINUOUS").await.0, "a");
    assert_eq!(list("targetSelection=SNAPSHOT&status=IN_PROGRESS").await.0, "b");
    assert_eq!(list("thingGroupName=pumps").await.0, "a");
    let group = send(bench.registry.router(), "GET", "/thing-groups/pumps", Value::Null).await.2;
    assert_eq!(list(&format!("thingGroupId={}", group["thingGroupId"].as_str().unwrap())).await.0, "a");
    let (first, token) = list("maxResults=2").await;
    let token = token.unwrap().replace('=', "%3D");
    // A job that is created meanwhile does not shift the next page.
    bench.create("d", &["thing/pump-1"], json!({})).await;
    assert_eq!((first.as_str(), list(&format!("maxResults=2&nextToken={token}")).await), ("b,c", ("a".into(), None)));
    for query in ["maxResults=0", "maxResults=251", "maxResults=x", "nextToken=!", "status=DONE", "namespaceId=n"] {
        assert_eq!(bench.refused("GET", &format!("/jobs?{query}"), Value::Null).await.0, 400, "{query}");
    }
    assert_eq!(bench.refused("GET", "/jobs?thingGroupId=none", Value::Null).await.0, 404);
}

#[tokio::test]
async fn executions_are_listed_by_job_and_by_thing() {
    let bench = Bench::new();
    bench.create("a", &["thinggroup/pumps"], json!({})).await;
    bench.create("b", &["thing/pump-1"], json!({})).await;
    bench.update("pump-1", "a", "IN_PROGRESS");
    let first = bench.ok("GET", "/jobs/a/things?maxResults=3", Value::Null).await;
    let token = first["nextToken"].as_str().unwrap().replace('=', "%3D").replace('+', "%2B");
    let second = bench.ok("GET", &format!("/jobs/a/things?maxResults=3&nextToken={token}"), Value::Null).await;
    let count = |page: &Value| page["executionSummaries"].as_array().unwrap().len();
    assert_eq!((count(&first), count(&second), &second["nextToken"]), (3, 1, &Value::Null));
    let summary = &first["executionSummaries"][0]["jobExecutionSummary"];
    assert_eq!((&summary["status"], &summary["startedAt"]), (&json!("IN_PROGRESS"), &json!(1_700_000_000.5)));
    assert_eq!(count(&bench.ok("GET", "/jobs/a/things?status=QUEUED", Value::Null).await), 3);
    let of_thing = bench.ok("GET", "/things/pump-1/jobs", Value::Null).await;
    let ids: Vec<_> = of_thing["executionSummaries"].as_array().unwrap().iter().map(|l| l["jobId"].clone()).collect();
    assert_eq!(ids, ["b", "a"]);
    assert_eq!(count(&bench.ok("GET", "/things/pump-1/jobs?status=IN_PROGRESS", Value::Null).await), 1);
    assert_eq!(count(&bench.ok("GET", "/things/pump-1/jobs?jobId=b", Value::Null).await), 1);
    assert_eq!(bench.refused("GET", "/things/none/jobs", Value::Null).await.0, 404);
    assert_eq!(bench.refused("GET", "/jobs/none/things", Value::Null).await.0, 404);
}

#[tokio::test]
async fn cancel_spares_what_is_in_progress_unless_it_is_forced() {
    let mut bench = Bench::new();
    bench.create("j", &["thing/pump-1", "thing/pump-2", "thing/pump-3"], json!({})).await;
    bench.update("pump-1", "j", "IN_PROGRESS");
    bench.update("pump-2", "j", "SUCCEEDED");
    bench.published();
    let body = json!({ "reasonCode": "BAD_BUILD_7", "comment": "leaks" });
    bench.ok("PUT", "/jobs/j/cancel", body).await;
    assert_eq!(bench.topics(), ["$aws/things/pump-3/jobs/notify", "$aws/things/pump-3/jobs/notify-next"]);
    let job = bench.job("j").await;
    let shown = ["status", "reasonCode", "comment", "forceCanceled"].map(|name| job[name].clone());
    assert_eq!(shown, [json!("CANCELED"), json!("BAD_BUILD_7"), json!("leaks"), json!(false)]);
    let statuses =
        [bench.status("pump-1", "j").await, bench.status("pump-2", "j").await, bench.status("pump-3", "j").await];
    assert_eq!(statuses, ["IN_PROGRESS", "SUCCEEDED", "CANCELED"]);
    assert_eq!(bench.refused("PUT", "/jobs/j/cancel", json!({})).await.0, 400);
    // With force, what is still IN_PROGRESS is canceled too.
    bench.ok("PUT", "/jobs/j/cancel?force=true", json!({})).await;
    let execution = bench.execution("pump-1", "j").await;
    assert_eq!((&execution["status"], &execution["forceCanceled"]), (&json!("CANCELED"), &json!(true)));
    assert_eq!(bench.update("pump-1", "j", "SUCCEEDED")["code"], "InvalidStateTransition");
    assert_eq!(bench.refused("PUT", "/jobs/j/cancel?force=true", json!({})).await.0, 400);
    for (path, body) in
        [("none/cancel", json!({})), ("j/cancel", json!({ "reasonCode": "low" })), ("j/cancel?force=x", json!({}))]
    {
        let status = bench.refused("PUT", &format!("/jobs/{path}"), body).await.0;
        assert_eq!(status, if path.starts_with("none") { 404 } else { 400 }, "{path}");
    }
}

#[tokio::test]
async fn a_job_in_progress_is_deleted_by_force_only() {
    let mut bench = Bench::new();
    bench.create("j", &["thing/pump-1"], json!({})).await;
    let refused = bench.refused("DELETE", "/jobs/j", Value::Null).await;
    assert_eq!(refused, (409, "InvalidStateTransitionException".to_owned()));
    bench.published();
    bench.ok("DELETE", "/jobs/j?force=true", Value::Null).await;
    assert_eq!(bench.topics(), ["$aws/things/pump-1/jobs/notify", "$aws/things/pump-1/jobs/notify-next"]);
    assert_eq!(bench.refused("GET", "/jobs/j", Value::Null).await.0, 404);
    assert_eq!(bench.device("pump-1", "j/get", json!({}))["code"], "ResourceNotFound");
    bench.create("j", &["thing/pump-1"], json!({})).await;
    bench.update("pump-1", "j", "FAILED");
    bench.ok("DELETE", "/jobs/j", Value::Null).await;
    assert_eq!(bench.refused("DELETE", "/jobs/j", Value::Null).await.0, 404);
}

#[tokio::test]
async fn one_execution_is_canceled_and_deleted() {
    let bench = Bench::new();
    bench.create("j", &["thing/pump-1", "thing/pump-2", "thing/pump-3"], json!({})).await;
    let cancel = async |thing: &str, query: &str, body: Value| {
        bench.call("PUT", &format!("/things/{thing}/jobs/j/cancel{query}"), body).await
    };
    let conflict = cancel("pump-1", "", json!({ "expectedVersion": 2 })).await;
    assert_eq!((conflict.0, conflict.1.as_str()), (409, "VersionConflictException"));
    let body = json!({ "expectedVersion": 1, "statusDetails": { "why": "spare" } });
    assert_eq!(cancel("pump-1", "", body).await.0, 200);
    let execution = bench.execution("pump-1", "j").await;
    assert_eq!(execution["statusDetails"], json!({ "detailsMap": { "why": "spare" } }));
    assert_eq!((&execution["status"], &execution["versionNumber"]), (&json!("CANCELED"), &json!(2)));
    bench.update("pump-2", "j", "IN_PROGRESS");
    let refused = cancel("pump-2", "", json!({})).await;
    assert_eq!((refused.0, refused.1.as_str()), (409, "InvalidStateTransitionException"));
    assert_eq!(cancel("pump-2", "?force=true", json!({})).await.0, 200);
    assert_eq!(cancel("pump-2", "?force=true", json!({})).await.0, 409, "it has ended");
    assert_eq!(cancel("pump-4", "", json!({})).await.0, 404);

    let delete = async |thing: &str, rest: &str| {
        bench.call("DELETE", &format!("/things/{thing}/jobs/j/executionNumber/{rest}"), Value::Null).await
    };
    assert_eq!(delete("pump-3", "1").await.1, "InvalidStateTransitionException");
    assert_eq!(delete("pump-1", "2").await.0, 404);
    assert_eq!(delete("pump-1", "x").await.0, 400);
    assert_eq!(delete("pump-1", "1").await.0, 200);
    assert_eq!(delete("pump-1", "1").await.0, 404);
    assert_eq!(bench.job("j").await["status"], "IN_PROGRESS");
    assert_eq!(delete("pump-3", "1?force=true").await.0, 200);
    let job = bench.job("j").await;
    assert_eq!((&job["status"], &job["jobProcessDetails"]["numberOfCanceledThings"]), (&json!("COMPLETED"), &json!(1)));
}

#[tokio::test]
async fn an_execution_deleted_from_a_continuous_job_does_not_come_back() {
    let bench = Bench::new();
    bench.create("j", &["thinggroup/pumps"], json!({ "targetSelection": "CONTINUOUS" })).await;
    bench.ok("DELETE", "/things/pump-1/jobs/j/executionNumber/1?force=true", Value::Null).await;
    bench.registry.add_things("pumps", &["pump-7"]).unwrap();
    assert_eq!(bench.status("pump-7", "j").await, "QUEUED");
    assert_eq!(bench.call("GET", "/things/pump-1/jobs/j", Value::Null).await.0, 404);
}
