//! Timers of jobs and of steps, and retries, by the clock of the stack.

use super::*;

fn timeout(minutes: u64) -> Value {
    json!({ "timeoutConfig": { "inProgressTimeoutInMinutes": minutes } })
}

/// The example in AWS's documentation, "How timers work for job timeouts".
#[tokio::test]
async fn step_timers_replace_each_other_within_the_timer_of_the_job() {
    let bench = Bench::new();
    bench.create("j", &["thing/pump-1"], timeout(20)).await;
    bench.advance(60);
    assert_eq!(bench.status("pump-1", "j").await, "QUEUED", "the timer starts with IN_PROGRESS");
    bench.device("pump-1", "start-next", json!({}));
    let left = async || bench.execution("pump-1", "j").await["approximateSecondsBeforeTimedOut"].clone();
    assert_eq!(left().await, 20 * 60);
    let step = |minutes: i64| {
        bench.device("pump-1", "j/update", json!({ "status": "IN_PROGRESS", "stepTimeoutInMinutes": minutes }))
    };
    bench.advance(5);
    step(7);
    assert_eq!(left().await, 7 * 60);
    bench.advance(5);
    step(5);
    assert_eq!(left().await, 5 * 60);
    bench.advance(3);
    step(9);
    assert_eq!(left().await, 7 * 60, "the timer of the job ends first");
    bench.advance(6);
    assert_eq!(bench.status("pump-1", "j").await, "IN_PROGRESS");
    bench.advance(1);
    assert_eq!(bench.status("pump-1", "j").await, "TIMED_OUT");
    assert_eq!(bench.update("pump-1", "j", "SUCCEEDED")["code"], "InvalidStateTransition");
    assert_eq!(bench.job("j").await["jobProcessDetails"]["numberOfTimedOutThings"], 1);
}

#[tokio::test]
async fn step_timer_is_canceled_and_ends_without_a_timer_of_the_job() {
    let mut bench = Bench::new();
    bench.create("j", &["thing/pump-1"], json!({})).await;
    bench.device("pump-1", "start-next", json!({ "stepTimeoutInMinutes": 2 }));
    assert_eq!(bench.jobs.next_ms(), Some(1_700_000_000_500 + 120_000));
    bench.device("pump-1", "j/update", json!({ "status": "IN_PROGRESS", "stepTimeoutInMinutes": -1 }));
    bench.advance(10);
    assert_eq!(bench.status("pump-1", "j").await, "IN_PROGRESS");
    bench.device("pump-1", "j/update", json!({ "status": "IN_PROGRESS", "stepTimeoutInMinutes": 3 }));
    // An update without a timer leaves it as it is.
    bench.advance(2);
    bench.update("pump-1", "j", "IN_PROGRESS");
    bench.published();
    bench.advance(1);
    assert_eq!(bench.topics(), ["$aws/things/pump-1/jobs/notify", "$aws/things/pump-1/jobs/notify-next"]);
    assert_eq!(bench.status("pump-1", "j").await, "TIMED_OUT");
    assert_eq!(bench.job("j").await["status"], "COMPLETED");
}

#[tokio::test]
async fn timers_survive_a_restart() {
    let bench = Bench::new();
    bench.create("j", &["thing/pump-1"], timeout(2)).await;
    bench.device("pump-1", "start-next", json!({}));
    let snapshot = bench.jobs.snapshot();
    let other = Bench::new();
    other.jobs.restore(&snapshot).unwrap();
    assert_eq!(other.execution("pump-1", "j").await["versionNumber"], 2);
    other.advance(2);
    assert_eq!(other.status("pump-1", "j").await, "TIMED_OUT");
    for broken in [json!(3), json!({ "jobs": 3 }), Value::Null] {
        assert!(other.jobs.restore(&broken).is_err());
    }
    assert_eq!(other.status("pump-1", "j").await, "TIMED_OUT", "a broken snapshot changes nothing");
}

#[tokio::test]
async fn the_service_wakes_when_the_clock_moves() {
    let bench = Bench::new();
    bench.create("j", &["thing/pump-1"], timeout(2)).await;
    let jobs = bench.jobs.clone();
    let running = tokio::spawn(async move { jobs.run().await });
    tokio::task::yield_now().await;
    bench.device("pump-1", "start-next", json!({}));
    tokio::task::yield_now().await;
    bench.clock.advance(Duration::from_secs(121));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.jobs.next_ms(), None, "the timer has ended without a request");
    running.abort();
}

#[tokio::test]
async fn failures_are_retried_as_often_as_the_job_says() {
    let mut bench = Bench::new();
    let criteria = json!([
        { "failureType": "FAILED", "numberOfRetries": 1 },
        { "failureType": "TIMED_OUT", "numberOfRetries": 1 },
    ]);
    let mut config = timeout(1);
    config["jobExecutionsRetryConfig"] = json!({ "criteriaList": criteria });
    bench.create("j", &["thing/pump-1", "thing/pump-2"], config).await;
    bench.update("pump-2", "j", "REJECTED");
    bench.published();
    bench.update("pump-1", "j", "FAILED");
    assert_eq!(bench.topics(), ["$aws/things/pump-1/jobs/notify", "$aws/things/pump-1/jobs/notify-next"]);
    assert_eq!(bench.execution("pump-1", "j").await["executionNumber"], 2);
    assert_eq!(bench.job("j").await["status"], "IN_PROGRESS");
    bench.device("pump-1", "start-next", json!({}));
    bench.advance(1);
    assert_eq!(bench.execution("pump-1", "j").await["executionNumber"], 3);
    bench.update("pump-1", "j", "FAILED");
    let listed = bench.ok("GET", "/things/pump-1/jobs", Value::Null).await;
    let listed: Vec<_> = listed["executionSummaries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|listed| listed["jobExecutionSummary"].clone())
        .map(|summary| (summary["executionNumber"].clone(), summary["status"].clone(), summary["retryAttempt"].clone()))
        .collect();
    let expected =
        [(3, "FAILED", 2), (2, "TIMED_OUT", 1), (1, "FAILED", 0)].map(|(n, s, r)| (json!(n), json!(s), json!(r)));
    assert_eq!(listed, expected);
    let job = bench.job("j").await;
    assert_eq!((&job["status"], &job["jobProcessDetails"]["numberOfFailedThings"]), (&json!("COMPLETED"), &json!(1)));
    assert_eq!(job["jobProcessDetails"]["numberOfRejectedThings"], 1, "a rejection is not retried");
    assert_eq!(
        bench.device("pump-1", "j/update", json!({ "status": "SUCCEEDED", "executionNumber": 1 }))["code"],
        "InvalidStateTransition"
    );
}
