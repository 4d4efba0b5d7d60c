//! The HTTPS API of AWS IoT data plane (`iot-data`): shadows, publish, retained messages, connections.
//!
//! | module | holds |
//! |---|---|
//! | [`shadows`] | operations on shadows |
//! | [`messages`] | Publish, retained messages |
//! | [`connections`] | direct messages, connections, subscriptions |
//! | [`request`] | path, query and body of a request |
//! | [`paging`] | pages of a list |
//! | [`mqtt5`] | MQTT 5 properties in query and headers |
//! | [`answer`] | answers shared by several operations |
//! | [`error`] | error answers: status, exception name, message |

mod answer;
mod connections;
mod error;
mod messages;
mod mqtt5;
mod paging;
mod request;
mod shadows;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::routing::{get, post};
use local_broker::Broker;
use local_clock::Clock;
use local_shadows::Shadows;

use error::ApiError;

/// The services behind the operations.
#[derive(Clone)]
struct Api {
    clock: Clock,
    broker: Broker,
    shadows: Shadows,
}

/// Routes of all operations. They check no authorization: the gateway does.
pub fn router(clock: Clock, broker: Broker, shadows: Shadows) -> Router {
    Router::new()
        .route("/things/{thing}/shadow", get(shadows::get).post(shadows::update).delete(shadows::delete))
        .route("/api/things/shadow/ListNamedShadowsForThing/{thing}", get(shadows::list_named))
        .route("/topics/{*topic}", post(messages::publish))
        .route("/retainedMessage", get(messages::list_retained))
        .route("/retainedMessage/{*topic}", get(messages::get_retained))
        .route("/connections/{client}", get(connections::get).delete(connections::delete))
        .route("/connections/{client}/messages", post(connections::send_direct))
        .route("/connections/{client}/subscriptions", get(connections::list_subscriptions))
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .with_state(Api { clock, broker, shadows })
}
