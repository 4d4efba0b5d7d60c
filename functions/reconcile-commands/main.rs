//! The process of reconcile-commands. It receives the ticks of a schedule, and the ticks and wakes of a queue.
use aws::Connection;
use functions::reconcile_commands;
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
    let queue = connection.queue(config::variable("TICK_QUEUE_URL")?);
    let ticks = &reconcile_commands::Ticks::new(queue, config::variable("RECONCILE_SECONDS")?.parse()?);
    let timeout_seconds = config::number("TIMEOUT_SECONDS")?;
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let start = invocation_start(&event.context, timeout_seconds);
        reconcile_commands::handle(clients, ticks, event.payload.get(), start, &event.context.request_id).await
    }))
    .await
}
