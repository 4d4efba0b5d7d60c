//! The process of track-command. It receives what the response rules and the shadow report rules select.
// The futures of a report lie deep in one another: a build without incremental compilation may need more than the 128
// levels of the default.
#![recursion_limit = "256"]

use aws::Connection;
use functions::track_command;
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
        track_command::handle(clients, event.payload.get(), start, &event.context.request_id).await
    }))
    .await
}
