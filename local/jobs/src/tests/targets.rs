//! Targets: groups with those below them, things that join and leave a CONTINUOUS job, and things that are deleted.

use super::*;

fn continuous() -> Value {
    json!({ "targetSelection": "CONTINUOUS" })
}

#[tokio::test]
async fn a_group_stands_for_its_things_and_those_of_groups_below_it() {
    let bench = Bench::new();
    bench.create("j", &["thinggroup/pumps", "thing/pump-1"], json!({})).await;
    let listed = bench.ok("GET", "/jobs/j/things", Value::Null).await;
    let things: Vec<_> =
        listed["executionSummaries"].as_array().unwrap().iter().map(|l| l["thingArn"].clone()).collect();
    assert_eq!(things, ["pump-1", "pump-2", "pump-3", "pump-4"].map(|thing| json!(arn(&format!("thing/{thing}")))));
}

#[tokio::test]
async fn things_that_join_a_group_get_its_continuous_jobs() {
    let mut bench = Bench::new();
    bench.create("later", &["thinggroup/pumps"], continuous()).await;
    bench.create("now", &["thinggroup/pumps"], json!({})).await;
    bench.published();
    bench.registry.add_things("old", &["pump-5"]).unwrap();
    bench.jobs.catch_up();
    assert_eq!(bench.topics(), ["$aws/things/pump-5/jobs/notify", "$aws/things/pump-5/jobs/notify-next"]);
    assert_eq!(bench.status("pump-5", "later").await, "QUEUED");
    assert_eq!(bench.call("GET", "/things/pump-5/jobs/now", Value::Null).await.0, 404, "a SNAPSHOT job does not grow");
    for n in 1..=5 {
        bench.update(&format!("pump-{n}"), "later", "SUCCEEDED");
    }
    assert_eq!(bench.job("later").await["status"], "IN_PROGRESS", "a CONTINUOUS job does not complete");
}

#[tokio::test]
async fn things_that_leave_are_removed_and_get_the_job_again_when_they_come_back() {
    let mut bench = Bench::new();
    bench.create("j", &["thinggroup/pumps"], continuous()).await;
    bench.update("pump-2", "j", "SUCCEEDED");
    let remove = |thing: &str| json!({ "thingGroupName": "pumps", "thingName": thing });
    for thing in ["pump-1", "pump-2"] {
        bench.registry_call("PUT", "/thing-groups/removeThingFromThingGroup", remove(thing)).await;
    }
    bench.published();
    assert_eq!(bench.status("pump-1", "j").await, "REMOVED");
    assert_eq!(bench.topics(), ["$aws/things/pump-1/jobs/notify", "$aws/things/pump-1/jobs/notify-next"]);
    assert_eq!(bench.status("pump-2", "j").await, "SUCCEEDED", "what has ended stays as it is");
    assert_eq!(bench.update("pump-1", "j", "SUCCEEDED")["code"], "InvalidStateTransition");
    bench.registry.add_things("pumps", &["pump-1", "pump-2"]).unwrap();
    let execution = bench.execution("pump-1", "j").await;
    assert_eq!((&execution["status"], &execution["executionNumber"]), (&json!("QUEUED"), &json!(2)));
    assert_eq!(bench.status("pump-2", "j").await, "SUCCEEDED");
}

#[tokio::test]
async fn groups_are_added_to_continuous_jobs_only() {
    let bench = Bench::new();
    bench.registry.add_things("valves", &["valve-1"]).unwrap();
    bench.create("j", &["thinggroup/pumps"], continuous()).await;
    let body = json!({ "targets": [arn("thinggroup/valves")], "comment": "valves too" });
    let answer = bench.ok("POST", "/jobs/j/targets", body.clone()).await;
    assert_eq!(answer["jobArn"], arn("job/j"));
    assert_eq!(bench.status("valve-1", "j").await, "QUEUED");
    let job = bench.job("j").await;
    assert_eq!(job["targets"], json!([arn("thinggroup/pumps"), arn("thinggroup/valves")]));
    assert_eq!(job["comment"], "valves too");
    for (targets, status) in
        [(json!([]), 200), (json!([arn("thinggroup/none")]), 404), (json!([arn("thing/pump-1")]), 400)]
    {
        let answer = bench.call("POST", "/jobs/j/targets", json!({ "targets": targets })).await;
        assert_eq!(answer.0, status, "{answer:?}");
    }
    let many: Vec<String> = (0..99).map(|n| format!("g{n}")).collect();
    for group in &many {
        bench.registry.add_group(group, None).unwrap();
    }
    let many: Vec<String> = many.iter().map(|group| arn(&format!("thinggroup/{group}"))).collect();
    let refused = bench.refused("POST", "/jobs/j/targets", json!({ "targets": many })).await;
    assert_eq!(refused, (410, "LimitExceededException".to_owned()));
    bench.create("snapshot", &["thinggroup/pumps"], json!({})).await;
    assert_eq!(bench.refused("POST", "/jobs/snapshot/targets", body.clone()).await.0, 400);
    bench.ok("PUT", "/jobs/j/cancel", json!({})).await;
    assert_eq!(bench.refused("POST", "/jobs/j/targets", body.clone()).await.0, 400);
    assert_eq!(bench.refused("POST", "/jobs/none/targets", body).await.0, 404);
}

#[tokio::test]
async fn things_that_are_deleted_are_removed_from_every_job() {
    let bench = Bench::new();
    bench.registry.add_things("pumps", &["pump-9"]).unwrap();
    bench.create("j", &["thing/pump-9"], json!({})).await;
    let slow = json!({ "jobExecutionsRolloutConfig": { "maximumPerMinute": 1 } });
    bench.create("slow", &["thing/pump-1", "thing/pump-9"], slow).await;
    bench.registry_call("DELETE", "/things/pump-9", Value::Null).await;
    let job = bench.job("j").await;
    assert_eq!((&job["status"], &job["jobProcessDetails"]["numberOfRemovedThings"]), (&json!("COMPLETED"), &json!(1)));
    assert_eq!(bench.device("pump-9", "get", json!({}))["code"], "ResourceNotFound");
    bench.update("pump-1", "slow", "SUCCEEDED");
    assert_eq!(bench.job("slow").await["status"], "COMPLETED", "nothing waits for a thing that is gone");
}

#[tokio::test]
async fn a_job_without_things_completes_at_once() {
    let bench = Bench::new();
    bench.registry.add_group("empty", None).unwrap();
    bench.create("j", &["thinggroup/empty"], json!({})).await;
    assert_eq!(bench.job("j").await["status"], "COMPLETED");
    bench.create("c", &["thinggroup/empty"], continuous()).await;
    assert_eq!(bench.job("c").await["status"], "IN_PROGRESS");
}
