//! Counts what becomes of fleet commands, exactly. Receives the streams of executions and of commands.
use aws::Connection;
use functions::{cloud::Cloud, config, invocation, tally_command, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let cloud = &Cloud::from_env(&Connection::from_env().await)?;
    let seconds = config::number("TIMEOUT_SECONDS")?;
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        tally_command::handle(cloud, event.payload.get(), invocation::began(&event.context, seconds)).await
    }))
    .await
}
