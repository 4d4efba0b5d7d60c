//! Rollout by the minute, and abort criteria.

use super::*;

fn counts(job: &Value) -> (i64, i64) {
    let count = |name: &str| job["jobProcessDetails"][name].as_i64().unwrap();
    (count("numberOfQueuedThings"), count("numberOfCanceledThings"))
}

async fn bench_of(things: usize) -> Bench {
    let bench = Bench::new();
    let names: Vec<String> = (0..things).map(|n| format!("t{n:03}")).collect();
    bench.registry.add_things("fleet", &names).unwrap();
    bench
}

#[tokio::test]
async fn constant_rate_creates_executions_minute_by_minute() {
    let mut bench = Bench::new();
    let rate = json!({ "jobExecutionsRolloutConfig": { "maximumPerMinute": 2 } });
    bench.create("j", &["thinggroup/pumps"], rate).await;
    let job = bench.job("j").await;
    assert_eq!(counts(&job).0, 2);
    assert_eq!(job["jobProcessDetails"]["processingTargets"], json!([arn("thinggroup/pumps")]));
    assert_eq!(bench.topics().len(), 4, "things whose turn has not come are not notified");
    assert_eq!(bench.jobs.next_ms(), Some(1_700_000_000_500 + 60_000));
    // Those that have it may end: the others keep the job open.
    for thing in ["pump-1", "pump-2"] {
        bench.update(thing, "j", "SUCCEEDED");
    }
    assert_eq!(bench.job("j").await["status"], "IN_PROGRESS");
    bench.clock.advance(Duration::from_secs(59));
    assert_eq!(counts(&bench.job("j").await).0, 0);
    bench.clock.advance(Duration::from_secs(1));
    let job = bench.job("j").await;
    assert_eq!((counts(&job).0, &job["jobProcessDetails"]["processingTargets"]), (2, &Value::Null));
    for thing in ["pump-3", "pump-4"] {
        bench.update(thing, "j", "SUCCEEDED");
    }
    assert_eq!(bench.job("j").await["status"], "COMPLETED");
}

#[tokio::test]
async fn without_a_rate_all_executions_are_created_at_once() {
    let bench = bench_of(100).await;
    bench.create("j", &["thinggroup/fleet"], json!({})).await;
    assert_eq!(counts(&bench.job("j").await).0, 100);
}

#[tokio::test]
async fn exponential_rate_grows_with_the_things_that_were_notified() {
    let bench = bench_of(100).await;
    let rate = json!({
        "baseRatePerMinute": 5, "incrementFactor": 2, "rateIncreaseCriteria": { "numberOfNotifiedThings": 10 },
    });
    let config = json!({ "jobExecutionsRolloutConfig": { "exponentialRate": rate, "maximumPerMinute": 25 } });
    bench.create("j", &["thinggroup/fleet"], config).await;
    let mut released = vec![counts(&bench.job("j").await).0];
    for _ in 0..5 {
        bench.advance(1);
        released.push(counts(&bench.job("j").await).0);
    }
    // 5, 5, then 10 for each further ten, at most 25 in a minute.
    assert_eq!(released, [5, 10, 20, 40, 65, 90]);
}

#[tokio::test]
async fn exponential_rate_grows_with_the_things_that_have_succeeded() {
    let bench = bench_of(20).await;
    let rate = json!({
        "baseRatePerMinute": 2, "incrementFactor": 1.5, "rateIncreaseCriteria": { "numberOfSucceededThings": 2 },
    });
    bench
        .create("j", &["thinggroup/fleet"], json!({ "jobExecutionsRolloutConfig": { "exponentialRate": rate } }))
        .await;
    bench.advance(1);
    assert_eq!(counts(&bench.job("j").await).0, 4, "nothing has succeeded");
    for thing in ["t000", "t001"] {
        bench.update(thing, "j", "SUCCEEDED");
    }
    bench.advance(1);
    assert_eq!(counts(&bench.job("j").await).0, 2 + 3);
}

#[tokio::test]
async fn a_jump_of_the_clock_releases_every_minute_on_the_way() {
    let bench = bench_of(10).await;
    bench.create("j", &["thinggroup/fleet"], json!({ "jobExecutionsRolloutConfig": { "maximumPerMinute": 3 } })).await;
    bench.advance(60);
    assert_eq!(counts(&bench.job("j").await).0, 10);
    assert_eq!(bench.execution("t009", "j").await["queuedAt"], 1_700_000_180.5);
}

#[tokio::test]
async fn too_many_failures_cancel_the_job_but_not_what_is_in_progress() {
    let bench = bench_of(10).await;
    let criteria = json!([{
        "failureType": "FAILED", "action": "CANCEL", "thresholdPercentage": 50, "minNumberOfExecutedThings": 4,
    }]);
    let config = json!({
        "abortConfig": { "criteriaList": criteria }, "jobExecutionsRolloutConfig": { "maximumPerMinute": 8 },
    });
    bench.create("j", &["thinggroup/fleet"], config).await;
    bench.update("t007", "j", "IN_PROGRESS");
    bench.update("t000", "j", "FAILED");
    bench.update("t001", "j", "REJECTED");
    bench.update("t002", "j", "SUCCEEDED");
    assert_eq!(bench.job("j").await["status"], "IN_PROGRESS", "three have executed it");
    bench.update("t003", "j", "FAILED");
    let job = bench.job("j").await;
    assert_eq!((&job["status"], counts(&job)), (&json!("CANCELED"), (0, 3)));
    assert_eq!(bench.status("t007", "j").await, "IN_PROGRESS");
    bench.advance(5);
    assert_eq!(bench.call("GET", "/things/t009/jobs/j", Value::Null).await.0, 404, "no further things are asked");
    bench.update("t007", "j", "SUCCEEDED");
    assert_eq!(bench.job("j").await["status"], "CANCELED");
}

#[tokio::test]
async fn one_thing_that_fails_retries_and_aborts_ends_canceled() {
    let bench = Bench::new();
    let abort = json!([{
        "failureType": "ALL", "action": "CANCEL", "thresholdPercentage": 100, "minNumberOfExecutedThings": 1,
    }]);
    let retry = json!([{ "failureType": "ALL", "numberOfRetries": 1 }]);
    let config = json!({
        "abortConfig": { "criteriaList": abort }, "jobExecutionsRetryConfig": { "criteriaList": retry },
    });
    bench.create("j", &["thing/pump-1", "thing/pump-2"], config).await;
    bench.update("pump-1", "j", "FAILED");
    assert_eq!(bench.job("j").await["status"], "IN_PROGRESS", "a retry is to come");
    bench.update("pump-1", "j", "FAILED");
    assert_eq!(bench.job("j").await["status"], "CANCELED");
    assert_eq!(bench.status("pump-2", "j").await, "CANCELED");
}
