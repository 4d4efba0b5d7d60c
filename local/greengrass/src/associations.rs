//! The operations of Greengrass V2 on core devices and the client devices that are associated with them.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Greengrass;
use super::answer::{self, Exception};
use super::store::Core;

/// The most client devices that one request associates (AWS IoT Greengrass endpoints and quotas).
const MAX_ENTRIES: usize = 100;
/// Results of a page, at most, and if the request does not say.
const MAX_PAGE: usize = 100;

#[derive(Deserialize)]
pub(super) struct Entries {
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    thing_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    max_results: Option<usize>,
    /// The last name of the page before.
    next_token: Option<String>,
}

impl Page {
    /// A page of what is sorted by name, and the token of the next one.
    fn of<'a, T: 'a>(&self, all: impl Iterator<Item = (&'a String, T)>) -> (Vec<(&'a String, T)>, Option<String>) {
        let size = self.max_results.unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
        let mut rest =
            all.skip_while(|(name, _)| self.next_token.as_deref().is_some_and(|after| name.as_str() <= after));
        let page: Vec<_> = rest.by_ref().take(size).collect();
        let has_more = rest.next().is_some();
        let next = page.last().filter(|_| has_more).map(|(name, _)| (*name).clone());
        (page, next)
    }
}

fn entries(body: &Bytes) -> Result<Vec<String>, Exception> {
    let Entries { entries } = serde_json::from_slice(body).map_err(|error| Exception::invalid(error.to_string()))?;
    match entries.len() {
        1..=MAX_ENTRIES => Ok(entries.into_iter().map(|entry| entry.thing_name).collect()),
        count => Err(Exception::invalid(format!("entries must have 1 to {MAX_ENTRIES} members, not {count}"))),
    }
}

fn error_entry(thing: &str, code: &str, message: String) -> Value {
    json!({ "thingName": thing, "code": code, "message": message })
}

/// `BatchAssociateClientDeviceWithCoreDevice`
pub(super) async fn associate(
    State(greengrass): State<Greengrass>,
    Path(core): Path<String>,
    body: Bytes,
) -> Result<Response, Exception> {
    let things = entries(&body)?;
    if greengrass.0.registry.thing_arn(&core).is_none() {
        return Err(Exception::not_found(format!("thing {core} not found")));
    }
    let now_ms = greengrass.0.clock.now_ms();
    let mut errors = Vec::new();
    let mut store = greengrass.store();
    let known = store.cores.entry(core).or_default();
    for thing in things {
        if greengrass.0.registry.thing_arn(&thing).is_none() {
            errors.push(error_entry(&thing, "ResourceNotFoundException", format!("thing {thing} not found")));
            continue;
        }
        known.clients.entry(thing).or_insert(now_ms);
        known.changed_ms = now_ms;
    }
    Ok(answer::json(&json!({ "errorEntries": errors })))
}

/// `BatchDisassociateClientDeviceFromCoreDevice`
pub(super) async fn disassociate(
    State(greengrass): State<Greengrass>,
    Path(core): Path<String>,
    body: Bytes,
) -> Result<Response, Exception> {
    let things = entries(&body)?;
    let mut store = greengrass.store();
    let known = store.cores.get_mut(&core).ok_or_else(|| no_core(&core))?;
    let mut errors = Vec::new();
    for thing in things {
        if known.clients.remove(&thing).is_none() {
            let message = format!("thing {thing} is not associated with {core}");
            errors.push(error_entry(&thing, "ResourceNotFoundException", message));
        }
    }
    known.changed_ms = greengrass.0.clock.now_ms();
    Ok(answer::json(&json!({ "errorEntries": errors })))
}

/// `ListClientDevicesAssociatedWithCoreDevice`
pub(super) async fn list(
    State(greengrass): State<Greengrass>,
    Path(core): Path<String>,
    Query(page): Query<Page>,
) -> Result<Response, Exception> {
    let store = greengrass.store();
    let known = store.cores.get(&core).ok_or_else(|| no_core(&core))?;
    let (clients, next) = page.of(known.clients.iter());
    let clients: Vec<Value> = clients
        .into_iter()
        .map(|(thing, at_ms)| json!({ "thingName": thing, "associationTimestamp": seconds(*at_ms) }))
        .collect();
    Ok(answer::json(&json!({ "associatedClientDevices": clients, "nextToken": next })))
}

/// `ListCoreDevices`
pub(super) async fn list_cores(State(greengrass): State<Greengrass>, Query(page): Query<Page>) -> Response {
    let store = greengrass.store();
    let (cores, next) = page.of(store.cores.iter());
    let cores: Vec<Value> = cores.into_iter().map(|(name, core)| shown(name, core)).collect();
    answer::json(&json!({ "coreDevices": cores, "nextToken": next }))
}

/// `GetCoreDevice`
pub(super) async fn get_core(
    State(greengrass): State<Greengrass>,
    Path(name): Path<String>,
) -> Result<Response, Exception> {
    let store = greengrass.store();
    let core = store.cores.get(&name).ok_or_else(|| no_core(&name))?;
    Ok(answer::json(&shown(&name, core)))
}

/// `DeleteCoreDevice`
pub(super) async fn delete_core(
    State(greengrass): State<Greengrass>,
    Path(core): Path<String>,
) -> Result<Response, Exception> {
    greengrass.store().cores.remove(&core).ok_or_else(|| no_core(&core))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn shown(name: &str, core: &Core) -> Value {
    json!({
        "coreDeviceThingName": name,
        "status": "HEALTHY",
        "lastStatusUpdateTimestamp": seconds(core.changed_ms),
    })
}

fn no_core(name: &str) -> Exception {
    Exception::not_found(format!("core device {name} not found"))
}

/// A timestamp in the format of the API: seconds since 1970, with a fraction.
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
