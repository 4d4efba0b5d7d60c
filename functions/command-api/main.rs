//! The HTTP API: create a command, cancel it, read it and its executions.
use aws::Connection;
use functions::{cloud::Cloud, command_api, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let cloud = &Cloud::from_env(&Connection::from_env().await)?;
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        Ok::<_, Error>(command_api::handle(cloud, event.payload.get()).await)
    }))
    .await
}
