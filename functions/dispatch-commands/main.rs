//! A device is back: what waited for it goes out. Receives what the lifecycle rules select.
use aws::Connection;
use functions::{cloud::Cloud, dispatch_commands, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let cloud = &Cloud::from_env(&Connection::from_env().await)?;
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        dispatch_commands::handle(cloud, event.payload.get(), &event.context.request_id).await
    }))
    .await
}
