//! The process of tally-command. It receives the stream of the table of executions.
use aws::Connection;
use functions::tally_command;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use runtime::clients::Clients;
use runtime::config;
use runtime::event_clock::invocation_start;
use runtime::metrics;
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    metrics::start_log();
    let clients = &Clients::from_env(&Connection::from_env(config::call_timeout_factor()).await)?;
    let timeout_seconds = config::number("TIMEOUT_SECONDS")?;
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let start = invocation_start(&event.context, timeout_seconds);
        tally_command::handle(clients, event.payload.get(), start).await
    }))
    .await
}
