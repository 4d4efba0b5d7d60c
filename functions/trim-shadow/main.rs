//! A shadow message becomes the few bytes that a constrained device needs. Receives what the shadow rules select.

use aws::Connection;
use domain::trim::{Keep, Kind, TrimOptions};
use functions::{config, telemetry, trim_shadow};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let kind = config::variable("TRIM_MESSAGE")?;
    let kind = Kind::parse(&kind).ok_or("TRIM_MESSAGE must be delta, accepted or documents")?;
    let keep = Keep::parse(&config::variable("TRIM_KEEP")?)?;
    let trimmer = trim_shadow::Trimmer::new(Connection::from_env().await.messages(), TrimOptions { kind, keep });
    let trimmer = &trimmer;
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| trimmer.handle(&event.payload).await)).await
}
