//! The addresses of a core device: `UpdateConnectivityInfo` and `GetConnectivityInfo`.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::Greengrass;
use super::answer::{self, Exception};
use super::store::Address;

#[derive(Deserialize)]
struct Update {
    #[serde(rename = "ConnectivityInfo")]
    connectivity: Vec<Address>,
}

pub(super) async fn update(
    State(greengrass): State<Greengrass>,
    Path(thing): Path<String>,
    body: Bytes,
) -> Result<Response, Exception> {
    let Update { connectivity } =
        serde_json::from_slice(&body).map_err(|error| Exception::invalid(format!("ConnectivityInfo: {error}")))?;
    if greengrass.0.registry.thing_arn(&thing).is_none() {
        return Err(Exception::not_found(format!("thing {thing} not found")));
    }
    let mut store = greengrass.store();
    let core = store.cores.entry(thing).or_default();
    core.connectivity = Some(connectivity);
    core.version += 1;
    core.changed_ms = greengrass.0.clock.now_ms();
    Ok(answer::json(&json!({ "Version": core.version.to_string(), "Message": "Connectivity info updated" })))
}

pub(super) async fn get(
    State(greengrass): State<Greengrass>,
    Path(thing): Path<String>,
) -> Result<Response, Exception> {
    let store = greengrass.store();
    let core = store.cores.get(&thing).ok_or_else(|| Exception::not_found(format!("core device {thing} not found")))?;
    Ok(answer::json(&json!({ "ConnectivityInfo": core.connectivity.as_deref().unwrap_or_default() })))
}
