//! Configuration of fleet indexing, which is fixed: registry data and connectivity status.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{INDEX, Index, check_index};
use crate::error::Error;
use crate::http::{Outcome, Parameters, respond};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IndexNamed {
    index_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateIndexingConfiguration {
    thing_indexing_configuration: Option<ThingIndexing>,
    thing_group_indexing_configuration: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ThingIndexing {
    thing_indexing_mode: String,
    thing_connectivity_indexing_mode: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct NoMembers {}

pub(super) async fn describe_index(_: State<Index>, Parameters(request): Parameters<IndexNamed>) -> Response {
    let describe = || -> Outcome {
        check_index(&request.index_name)?;
        let schema = "REGISTRY_AND_CONNECTIVITY_STATUS";
        Ok(json!({ "indexName": INDEX, "indexStatus": "ACTIVE", "schema": schema }))
    };
    respond(describe())
}

pub(super) async fn list_indices(_: State<Index>, Parameters(NoMembers {}): Parameters<NoMembers>) -> Response {
    respond(Ok(json!({ "indexNames": [INDEX], "nextToken": null })))
}

pub(super) async fn get_configuration(_: State<Index>, Parameters(NoMembers {}): Parameters<NoMembers>) -> Response {
    respond(Ok(json!({
        "thingIndexingConfiguration": {
            "thingIndexingMode": "REGISTRY",
            "thingConnectivityIndexingMode": "STATUS",
            "deviceDefenderIndexingMode": "OFF",
            "namedShadowIndexingMode": "OFF",
        },
        "thingGroupIndexingConfiguration": { "thingGroupIndexingMode": "OFF" },
    })))
}

pub(super) async fn update_configuration(
    _: State<Index>,
    Parameters(request): Parameters<UpdateIndexingConfiguration>,
) -> Response {
    respond(update(&request))
}

/// Accepts an update to the present configuration; rejects every other one.
fn update(request: &UpdateIndexingConfiguration) -> Outcome {
    let refused =
        |what: &str| Err(Error::invalid(format!("{what}: the local stack indexes the registry and connectivity only")));
    if let Some(things) = &request.thing_indexing_configuration {
        if things.thing_indexing_mode != "REGISTRY" {
            return refused(&format!("thingIndexingMode {}", things.thing_indexing_mode));
        }
        if let Some(mode) = things.thing_connectivity_indexing_mode.as_deref().filter(|mode| *mode != "STATUS") {
            return refused(&format!("thingConnectivityIndexingMode {mode}"));
        }
    }
    if request.thing_group_indexing_configuration.is_some() {
        return refused("thingGroupIndexingConfiguration");
    }
    Ok(json!({}))
}
