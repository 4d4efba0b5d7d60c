//! dispatch-commands itself: one process of it behind the Runtime API, handed the stream of a table whose batches are ready.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use local::clock::Clock;
use local::lambda::{Function, Lambda};
use local::sqs::Sqs;
use local::template::Queue;

use super::measure::{self, Figures};
use super::seed;

const NAME: &str = "dispatch-commands";

fn function(cloud: SocketAddr) -> Function {
    let variables = [
        ("COMMANDS_TABLE", seed::COMMANDS),
        ("EXECUTIONS_TABLE", "executions"),
        ("RECONCILE_SECONDS", "60"),
        ("TIMEOUT_SECONDS", "60"),
    ];
    let added = measure::environment(cloud).into_iter().map(|(name, value)| (name.to_owned(), value));
    Function {
        name: NAME.to_owned(),
        arn: format!("arn:aws:lambda:us-east-1:000000000000:function:{NAME}"),
        program: env!("CARGO_BIN_EXE_dispatch-commands").into(),
        memory_mb: 512,
        timeout: Duration::from_secs(60),
        environment: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        added_environment: added.collect(),
        // One process.
        concurrency: Some(1),
        retries: 0,
        event_age: Duration::from_secs(3_600),
        on_failure: None,
    }
}

/// Hands it its events, one after the other. What it took to start is not counted, its memory is.
pub async fn measure(things: usize, cloud: SocketAddr) -> Figures {
    let clock = Clock::system();
    let sqs = Sqs::new(clock.clone(), "us-east-1", "000000000000", Vec::<Queue>::new());
    let lambda = Lambda::start(clock, vec![function(cloud)], sqs).await.expect("a host");
    invoke(&lambda, r#"{"Records":[]}"#.to_owned()).await;
    let pid = measure::child(NAME);
    let events = seed::events(things);
    let (before, start) = (measure::cpu(pid), Instant::now());
    for event in events {
        invoke(&lambda, event).await;
    }
    let took = start.elapsed();
    let figures = Figures::of(pid, things, took, before);
    lambda.shutdown().await;
    figures
}

async fn invoke(lambda: &Lambda, event: String) {
    let outcome = lambda.invoke(NAME, event.into()).await.expect("accepted");
    let answer = String::from_utf8_lossy(&outcome.payload);
    let good = outcome.error.is_none() && answer == r#"{"batchItemFailures":[]}"#;
    assert!(good, "{answer}\n{}", lambda.logs(NAME).join("\n"));
}
