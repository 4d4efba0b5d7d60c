//! Operations on shadows: GetThingShadow, UpdateThingShadow, DeleteThingShadow, ListNamedShadowsForThing.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::Api;
use super::answer;
use super::error::ApiError;
use super::paging::{PageSize, take_page};
use super::request::{PathParameter, Payload, Query};

const PAGE: PageSize = PageSize { parameter: "pageSize", default: 25, max: 100 };

pub(super) async fn get(
    State(api): State<Api>,
    PathParameter(thing): PathParameter,
    query: Query,
) -> Result<Response, ApiError> {
    Ok(answer::json(&api.shadows.get(&thing, query.text("name"))?))
}

pub(super) async fn update(
    State(api): State<Api>,
    PathParameter(thing): PathParameter,
    query: Query,
    Payload(payload): Payload,
) -> Result<Response, ApiError> {
    Ok(answer::json(&api.shadows.update(&thing, query.text("name"), &payload)?))
}

pub(super) async fn delete(
    State(api): State<Api>,
    PathParameter(thing): PathParameter,
    query: Query,
) -> Result<Response, ApiError> {
    Ok(answer::json(&api.shadows.delete(&thing, query.text("name"))?))
}

pub(super) async fn list_named(
    State(api): State<Api>,
    PathParameter(thing): PathParameter,
    query: Query,
) -> Result<Response, ApiError> {
    let (results, next) = take_page(api.shadows.named_shadows(&thing)?, |name| name, &query, PAGE)?;
    let mut body = json!({ "results": results, "timestamp": api.clock.now_s() });
    if let Some(next) = next {
        body["nextToken"] = Value::String(next);
    }
    Ok(answer::json(&body))
}
