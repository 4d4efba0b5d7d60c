//! The process of fan-out-command. It receives the stream of the table of commands.
use aws::Connection;
use functions::fan_out_command;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use runtime::clients::Clients;
use runtime::config;
use runtime::event_clock::invocation_start;
use runtime::metrics;
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    metrics::start_log();
    let connection = Connection::from_env(config::call_timeout_factor()).await;
    let clients = &Clients::from_env(&connection)?;
    let registry = &connection.registry();
    let timeout_seconds = config::number("TIMEOUT_SECONDS")?;
    let response_topic = config::optional("BROADCAST_RESPONSE_TOPIC");
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let start = invocation_start(&event.context, timeout_seconds);
        fan_out_command::handle(clients, registry, response_topic.as_deref(), event.payload.get(), start).await
    }))
    .await
}
