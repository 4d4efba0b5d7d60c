//! The process of dispatch-commands. It receives the stream of commands, and what the lifecycle rules select.
use aws::Connection;
use functions::dispatch_commands;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use runtime::clients::Clients;
use runtime::config;
use runtime::event_clock::invocation_start;
use runtime::metrics;
use runtime::request_topics;
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    metrics::start_log();
    let clients = &Clients::from_env(&Connection::from_env(config::call_timeout_factor()).await)?;
    let timeout_seconds = config::number("TIMEOUT_SECONDS")?;
    let throttle = &dispatch_commands::Throttle::new();
    let topics = &request_topics::from_env();
    let presence = &dispatch_commands::PresenceShadow::from_env()?;
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let start = invocation_start(&event.context, timeout_seconds);
        let request_id = &event.context.request_id;
        dispatch_commands::handle(clients, throttle, presence, topics, event.payload.get(), start, request_id).await
    }))
    .await
}
