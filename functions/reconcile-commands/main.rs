//! What is due: expires and times out. Receives the schedule's tick, which carries its time.

use aws::Connection;
use functions::{config, reconcile_commands, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let executions = Connection::from_env().await.executions(config::variable("EXECUTIONS_TABLE")?);
    let executions = &executions;
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| reconcile_commands::handle(executions, event.payload.get()).await))
        .await
}
