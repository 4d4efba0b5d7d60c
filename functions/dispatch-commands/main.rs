//! Batches that are ready go out, and what waited for a device that is back. Receives the stream of commands, and what the lifecycle rules
//! select.
use aws::Connection;
use functions::{cloud::Cloud, config, dispatch_commands, invocation, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let cloud = &Cloud::from_env(&Connection::from_env().await)?;
    let seconds = config::number("TIMEOUT_SECONDS")?;
    let throttle = &dispatch_commands::Throttle::new();
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let (now, id) = (invocation::began(&event.context, seconds), &event.context.request_id);
        dispatch_commands::handle(cloud, throttle, event.payload.get(), now, id).await
    }))
    .await
}
