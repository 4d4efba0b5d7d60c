//! The HTTP API: create a command, read it and its executions.

use aws::Connection;
use functions::{command_api, config, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let connection = Connection::from_env().await;
    let cloud = command_api::Cloud {
        commands: connection.commands(config::variable("COMMANDS_TABLE")?),
        executions: connection.executions(config::variable("EXECUTIONS_TABLE")?),
        messages: connection.messages(),
    };
    let cloud = &cloud;
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        Ok::<_, Error>(command_api::handle(cloud, event.payload.get()).await)
    }))
    .await
}
