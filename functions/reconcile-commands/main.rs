//! The process of reconcile-commands. It receives the ticks of a schedule and of a queue.
use aws::Connection;
use functions::reconcile_commands;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use runtime::clients::Clients;
use runtime::config;
use runtime::metrics;
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    metrics::start_log();
    let connection = Connection::from_env(config::call_timeout_factor()).await;
    let clients = &Clients::from_env(&connection)?;
    let queue = connection.queue(config::variable("TICK_QUEUE_URL")?);
    let ticks = &reconcile_commands::Ticks::new(queue, config::variable("RECONCILE_SECONDS")?.parse()?);
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        reconcile_commands::handle(clients, ticks, event.payload.get(), &event.context.request_id).await
    }))
    .await
}
