//! Measures dispatch-commands: one process behind the Runtime API gets the stream records of ready batches.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use local::clock::Clock;
use local::lambda::{Function, Lambda};
use local::sqs::Sqs;
use local::template::Queue;

use super::process::{self, Measurement};
use super::seed;

const NAME: &str = "dispatch-commands";

fn function(aws: SocketAddr) -> Function {
    let variables = [("COMMANDS_TABLE", seed::COMMANDS), ("EXECUTIONS_TABLE", "executions"), ("TIMEOUT_SECONDS", "60")];
    let added = process::environment(aws).into_iter().map(|(name, value)| (name.to_owned(), value));
    Function {
        name: NAME.to_owned(),
        arn: format!("arn:aws:lambda:us-east-1:000000000000:function:{NAME}"),
        program: env!("CARGO_BIN_EXE_dispatch-commands").into(),
        memory_mb: 512,
        timeout: Duration::from_secs(60),
        environment: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        added_environment: added.collect(),
        // One process is measured.
        concurrency: Some(1),
        retries: 0,
        event_age: Duration::from_secs(3_600),
        on_failure: None,
    }
}

/// Sends the events one after the other. The time of the start is not counted; the memory of the start is.
pub async fn measure(things: usize, aws: SocketAddr) -> Measurement {
    let clock = Clock::system();
    let sqs = Sqs::new(clock.clone(), "us-east-1", "000000000000", Vec::<Queue>::new());
    let lambda = Lambda::start(clock, vec![function(aws)], sqs).await.expect("the Lambda host starts");
    invoke(&lambda, r#"{"Records":[]}"#.to_owned()).await;
    let pid = process::child_pid(NAME);
    let events = seed::events(things);
    let (cpu_before, start) = (process::cpu_time(pid), Instant::now());
    for event in events {
        invoke(&lambda, event).await;
    }
    let measurement = Measurement::read(pid, things, start.elapsed(), cpu_before);
    lambda.shutdown().await;
    measurement
}

async fn invoke(lambda: &Lambda, event: String) {
    let outcome = lambda.invoke(NAME, event.into()).await.expect("the function exists");
    let response = String::from_utf8_lossy(&outcome.payload);
    let is_complete = outcome.error.is_none() && response == r#"{"batchItemFailures":[]}"#;
    assert!(is_complete, "{response}\n{}", lambda.logs(NAME).join("\n"));
}
