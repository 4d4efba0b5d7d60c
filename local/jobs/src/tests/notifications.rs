//! `notify` and `notify-next`: the series of examples in AWS's documentation, "Jobs notifications".

use super::*;

const NOTIFY: &str = "$aws/things/pump-1/jobs/notify";
const NOTIFY_NEXT: &str = "$aws/things/pump-1/jobs/notify-next";

fn ids(body: &Value, status: &str) -> Vec<String> {
    let listed = body["jobs"][status].as_array().cloned().unwrap_or_default();
    listed.iter().map(|summary| summary["jobId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn things_are_notified_of_changes_of_their_list_and_of_its_first() {
    let mut bench = Bench::new();
    bench.create("job1", &["thing/pump-1"], json!({})).await;
    let published = bench.published();
    let summary = json!({
        "jobId": "job1", "queuedAt": 1_700_000_000, "lastUpdatedAt": 1_700_000_000, "executionNumber": 1,
        "versionNumber": 1,
    });
    let list = json!({ "timestamp": 1_700_000_000, "jobs": { "QUEUED": [summary] } });
    let mut execution = summary;
    execution["status"] = "QUEUED".into();
    execution["jobDocument"] = json!({ "operation": "reboot", "at": null });
    let next = json!({ "timestamp": 1_700_000_000, "execution": execution });
    assert_eq!(published, [(NOTIFY.to_owned(), list), (NOTIFY_NEXT.to_owned(), next)]);

    bench.create("job2", &["thing/pump-1"], json!({})).await;
    assert_eq!(bench.topics(), [NOTIFY], "the first has not changed");
    bench.device("pump-1", "start-next", json!({}));
    assert_eq!(bench.topics(), [""; 0], "neither the list nor its first has changed");
    bench.create("job3", &["thing/pump-1"], json!({})).await;
    let published = bench.published();
    assert_eq!((ids(&published[0].1, "IN_PROGRESS"), ids(&published[0].1, "QUEUED").len()), (vec!["job1".into()], 2));
    assert_eq!(published.len(), 1);
    bench.update("pump-1", "job1", "SUCCEEDED");
    let published = bench.published();
    assert_eq!((published[0].0.as_str(), ids(&published[0].1, "QUEUED")), (NOTIFY, vec!["job2".into(), "job3".into()]));
    assert_eq!((published[1].0.as_str(), &published[1].1["execution"]["jobId"]), (NOTIFY_NEXT, &json!("job2")));
    bench.update("pump-1", "job3", "IN_PROGRESS");
    let published = bench.published();
    assert_eq!(published.len(), 1, "no job was added or removed");
    assert_eq!((published[0].0.as_str(), &published[0].1["execution"]["jobId"]), (NOTIFY_NEXT, &json!("job3")));
    bench.update("pump-1", "job2", "REJECTED");
    assert_eq!(bench.topics(), [NOTIFY]);
    bench.ok("DELETE", "/things/pump-1/jobs/job3/executionNumber/1?force=true", Value::Null).await;
    let empty = json!({ "timestamp": 1_700_000_000, "jobs": {} });
    let nothing = json!({ "timestamp": 1_700_000_000 });
    assert_eq!(bench.published(), [(NOTIFY.to_owned(), empty), (NOTIFY_NEXT.to_owned(), nothing)]);
}

#[tokio::test]
async fn a_list_has_at_most_fifteen_executions() {
    let mut bench = Bench::new();
    for n in 0..17 {
        bench.create(&format!("j{n:02}"), &["thing/pump-1"], json!({})).await;
    }
    let (_, last) = bench.published().pop().unwrap();
    assert_eq!(ids(&last, "QUEUED").len(), 15);
    let pending = bench.device("pump-1", "get", json!({}));
    assert_eq!(pending["queuedJobs"].as_array().unwrap().len(), 17);
}
