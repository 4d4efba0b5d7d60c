//! The process of trim-shadow. It receives what the shadow rules select.

use aws::Connection;
use domain::trim::{AllowList, ShadowMessageKind, TrimOptions};
use functions::trim_shadow;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use runtime::event_clock::invocation_start;
use runtime::{config, metrics};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    metrics::start_log();
    let kind = config::variable("TRIM_MESSAGE")?;
    let kind = ShadowMessageKind::parse(&kind).ok_or("TRIM_MESSAGE must be delta, accepted or documents")?;
    let allow_list = AllowList::parse(&config::variable("TRIM_KEEP")?)?;
    let connection = Connection::from_env(config::call_timeout_factor()).await;
    let timeout_seconds = config::number("TIMEOUT_SECONDS")?;
    let trimmer = &trim_shadow::Trimmer::new(connection.messages(), TrimOptions { kind, allow_list });
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        trimmer.handle(&event.payload, invocation_start(&event.context, timeout_seconds)).await
    }))
    .await
}
