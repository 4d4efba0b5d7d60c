//! What is due: expires, times out, is asked again, is withdrawn. Receives the schedule's tick and those that the queue hands
//! back; each carries its time.
use aws::Connection;
use functions::{cloud::Cloud, config, reconcile_commands, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let connection = Connection::from_env().await;
    let cloud = &Cloud::from_env(&connection)?;
    let queue = connection.queue(config::variable("TICK_QUEUE_URL")?);
    let ticks = &reconcile_commands::Ticks::new(queue, config::variable("RECONCILE_SECONDS")?.parse()?);
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        reconcile_commands::handle(cloud, ticks, event.payload.get(), &event.context.request_id).await
    }))
    .await
}
