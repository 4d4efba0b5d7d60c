//! The process of command-api: builds clients and configuration once, then serves HTTP requests.
use aws::Connection;
use domain::fleet::SharedTopic;
use domain::{GroupName, NameError, Topic};
use functions::command_api::{self, ApiContext};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use runtime::clients::Clients;
use runtime::config;
use runtime::metrics;
use runtime::request_topics;
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    metrics::start_log();
    let connection = Connection::from_env(config::call_timeout_factor()).await;
    let clients = &Clients::from_env(&connection)?;
    let context = &ApiContext {
        registry: connection.registry(),
        shared_topic: shared_topic()?,
        request_topics: request_topics::from_env(),
    };
    run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        Ok::<_, Error>(command_api::handle(clients, context, event.payload.get()).await)
    }))
    .await
}

/// The topic BROADCAST_TOPIC, on which the things of BROADCAST_GROUP listen, or every thing if that is empty.
fn shared_topic() -> Result<Option<SharedTopic>, NameError> {
    let group = config::optional("BROADCAST_GROUP").map(|group| GroupName::parse(&group)).transpose()?;
    let topic = config::optional("BROADCAST_TOPIC");
    Ok(topic.map(|topic| SharedTopic { topic: Topic::from_stored(&topic), group }))
}
