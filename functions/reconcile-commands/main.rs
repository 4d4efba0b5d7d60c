//! What is due: expires, times out, is asked again, is withdrawn. Receives the schedule's tick, which carries its time.
use functions::{cloud::Cloud, reconcile_commands, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let cloud = &Cloud::from_env().await?;
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        reconcile_commands::handle(cloud, event.payload.get(), &event.context.request_id).await
    }))
    .await
}
