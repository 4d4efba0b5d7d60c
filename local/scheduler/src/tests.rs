//! Schedules on a clock that the tests move.

use std::time::Duration;

use local_lambda::testing::function;
use local_sqs::Sqs;
use serde_json::Value;

use super::*;

const START_MS: i64 = 1_700_000_000_000;

struct Bench {
    clock: Clock,
    lambda: Lambda,
    sqs: Sqs,
    scheduler: Scheduler,
}

impl Bench {
    /// The function cannot run, and its events fail at once, so that each invoke can be read from the failure queue.
    async fn new(schedules: &[(&str, u64, Option<&str>)]) -> Self {
        let clock = Clock::manual(START_MS);
        let sqs = Sqs::new(clock.clone(), "eu-west-1", "000000000000", vec!["failed".to_owned()]);
        let mut broken = function("f");
        broken.program = "/no/such/program".into();
        broken.retries = 0;
        broken.concurrency = Some(1);
        let arn = broken.arn.clone();
        let lambda = Lambda::start(clock.clone(), vec![broken], sqs.clone()).await.expect("started");
        let schedule = |(name, every_s, input): &(&str, u64, Option<&str>)| Schedule {
            name: (*name).to_owned(),
            function_arn: arn.clone(),
            every_s: *every_s,
            input: input.map(str::to_owned),
        };
        let schedules = schedules.iter().map(schedule).collect();
        let place = Place {
            region: "eu-west-1".to_owned(),
            account: "000000000000".to_owned(),
            stack_name: "flaghoist".to_owned(),
            endpoint: String::new(),
        };
        let scheduler = Scheduler::start(clock.clone(), lambda.clone(), schedules, place);
        Self { clock, lambda, sqs, scheduler }
    }

    async fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.scheduler.caught_up().await;
        self.lambda.idle().await;
    }

    fn events(&self) -> Vec<Value> {
        let record = |body: &String| serde_json::from_str::<Value>(body).expect("JSON")["requestPayload"].clone();
        self.sqs.peek("failed").iter().map(record).collect()
    }
}

#[tokio::test]
async fn each_period_has_one_invoke_in_order_even_if_the_clock_jumps() {
    let input = r#"["<aws.scheduler.scheduled-time>"]"#;
    let bench = Bench::new(&[("minute", 60, Some(input)), ("long", 150, Some(r#"["long"]"#))]).await;
    bench.scheduler.caught_up().await;
    bench.advance(59).await;
    assert!(bench.events().is_empty());
    bench.advance(1).await;
    bench.advance(1).await;
    assert_eq!(bench.events(), [serde_json::json!(["2023-11-14T22:14:20Z"])]);
    bench.advance(179).await;
    let times: Vec<_> = bench.events().iter().map(|event| event[0].clone()).collect();
    let expected =
        ["2023-11-14T22:14:20Z", "2023-11-14T22:15:20Z", "long", "2023-11-14T22:16:20Z", "2023-11-14T22:17:20Z"];
    assert_eq!(times, expected);
    bench.advance(60 * 1_000).await;
    assert_eq!(bench.lambda.stats("f").invocations, (60_240 / 60) + (60_240 / 150));
}

#[tokio::test]
async fn context_attributes_are_filled_in() {
    let input = r#"{"at":"<aws.scheduler.scheduled-time>","arn":"<aws.scheduler.schedule-arn>",
        "id":"<aws.scheduler.execution-id>","attempt":"<aws.scheduler.attempt-number>"}"#;
    let bench = Bench::new(&[("tick", 60, Some(input))]).await;
    bench.advance(60).await;
    let [event] = &bench.events()[..] else { panic!("one event") };
    assert_eq!(event["at"], "2023-11-14T22:14:20Z");
    assert_eq!(event["arn"], "arn:aws:scheduler:eu-west-1:000000000000:schedule/default/tick");
    assert_eq!(event["attempt"], "1");
    assert_eq!(event["id"].as_str().map(str::len), Some(36));
}

#[tokio::test]
async fn event_without_input_is_schedulers_own() {
    let bench = Bench::new(&[("tick", 60, None)]).await;
    bench.advance(60).await;
    let [event] = &bench.events()[..] else { panic!("one event") };
    assert_eq!(event["source"], "aws.scheduler");
    assert_eq!(event["detail-type"], "Scheduled Event");
    assert_eq!(event["time"], "2023-11-14T22:14:20Z");
}

#[tokio::test]
async fn scheduler_without_schedules_is_caught_up() {
    let bench = Bench::new(&[]).await;
    bench.advance(1_000_000).await;
    assert!(bench.events().is_empty());
}
