//! What a device reported becomes the execution's next status. Receives what the response and shadow rules select.
use aws::Connection;
use functions::{cloud::Cloud, telemetry, track_command};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let cloud = &Cloud::from_env(&Connection::from_env().await)?;
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        track_command::handle(cloud, event.payload.get(), &event.context.request_id).await
    }))
    .await
}
