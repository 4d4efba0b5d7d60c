//! What a device reported becomes the execution's next status. Receives what the response rules select.

use aws::Connection;
use functions::{config, telemetry, track_command};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let executions = Connection::from_env().await.executions(config::variable("EXECUTIONS_TABLE")?);
    let executions = &executions;
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| track_command::handle(executions, event.payload.get()).await))
        .await
}
