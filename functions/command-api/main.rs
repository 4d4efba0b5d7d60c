//! The HTTP API: create a command, cancel it, read it and its executions.
use aws::Connection;
use functions::{
    cloud::Cloud,
    command_api::{self, Site},
    config, telemetry,
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let connection = Connection::from_env().await;
    let cloud = &Cloud::from_env(&connection)?;
    let site = &Site { registry: connection.registry(), broadcast_topic: config::optional("BROADCAST_TOPIC") };
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        Ok::<_, Error>(command_api::handle(cloud, site, event.payload.get()).await)
    }))
    .await
}
