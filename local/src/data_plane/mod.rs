//! The `iot-data` HTTPS API.
//!
//! | file | holds |
//! |---|---|
//! | [`shadows`] | the shadow operations |
//! | [`messages`] | Publish, retained messages |
//! | [`connections`] | direct messages, connections, subscriptions |
//! | [`request`], [`paging`], [`mqtt5`] | what requests are made of |
//! | [`answer`], [`error`] | what comes back |

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

use crate::broker::Broker;
use crate::clock::Clock;
use crate::shadows::Shadows;
use error::ApiError;

/// What the operations work on.
#[derive(Clone)]
struct Api {
    clock: Clock,
    broker: Broker,
    shadows: Shadows,
}

/// Every operation of the API. Who may call is for the endpoint to decide.
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
