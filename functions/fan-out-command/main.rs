//! A fleet command becomes batches, a page of its target at a time. Receives the stream of commands.
use aws::Connection;
use functions::{cloud::Cloud, config, fan_out_command, invocation, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let connection = Connection::from_env().await;
    let cloud = &Cloud::from_env(&connection)?;
    let registry = &connection.registry();
    let seconds = config::number("TIMEOUT_SECONDS")?;
    let response_topic = config::optional("BROADCAST_RESPONSE_TOPIC");
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let now = invocation::began(&event.context, seconds);
        fan_out_command::handle(cloud, registry, response_topic.as_deref(), event.payload.get(), now).await
    }))
    .await
}
