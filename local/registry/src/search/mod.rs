//! Fleet indexing: `SearchIndex` over names, types, groups, attributes and connectivity of things.
//!
//! | file | holds |
//! |---|---|
//! | [`lexer`] | lexer of query strings |
//! | [`parser`] | parser of query strings |
//! | [`query`] | a parsed query and its evaluation |
//! | [`document`] | the index document of a thing |
//! | [`configuration`] | the index configuration |
//!
//! The index is always on, covers registry data and connectivity, and never lags behind the registry.

mod configuration;
mod document;
mod lexer;
mod parser;
mod query;

use std::ops::Bound;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Registry;
use super::check;
use super::error::{Error, ErrorKind};
use super::http::{Outcome, Parameters, respond};
use super::store::Store;
use document::Document;
use query::Query;

/// Name of the only index, which covers all things.
const INDEX: &str = "AWS_Things";
const MAX_RESULTS: i64 = 100;
const MAX_QUERY_CHARS: usize = 1_000;

/// Connection state of an MQTT client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connectivity {
    /// Whether the client is connected.
    pub connected: bool,
    /// Time of the last connect or disconnect, in milliseconds since 1970.
    pub timestamp_ms: Option<i64>,
    /// Reason of the last disconnect, such as `CONNECTION_LOST`, while the client is disconnected.
    pub disconnect_reason: Option<&'static str>,
}

/// Returns the connectivity of a client by its id, which equals the thing name; `None` if it has never connected.
pub type ConnectivityLookup = Arc<dyn Fn(&str) -> Option<Connectivity> + Send + Sync>;

#[derive(Clone)]
struct Index {
    registry: Registry,
    connections: ConnectivityLookup,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SearchIndex {
    index_name: Option<String>,
    query_string: String,
    query_version: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

pub(super) fn router(registry: Registry, connections: ConnectivityLookup) -> Router {
    Router::new()
        .route("/indices/search", post(search))
        .route("/indices/{indexName}", get(configuration::describe_index))
        .route("/indices", get(configuration::list_indices))
        .route("/indexing/config", get(configuration::get_configuration).post(configuration::update_configuration))
        .with_state(Index { registry, connections })
}

async fn search(State(index): State<Index>, Parameters(request): Parameters<SearchIndex>) -> axum::response::Response {
    respond(index.registry.read(|store, _| find(store, &index.connections, &request)))
}

fn find(store: &Store, connections: &ConnectivityLookup, request: &SearchIndex) -> Outcome {
    check_index(request.index_name.as_deref().unwrap_or(INDEX))?;
    if let Some(other) = request.query_version.as_deref().filter(|version| *version != "2017-09-30") {
        return Err(Error::invalid(format!("Query version {other} is not supported; use 2017-09-30")));
    }
    let query = Query::parse(&request.query_string).map_err(|why| Error::new(ErrorKind::InvalidQuery, why))?;
    let max = request.max_results.unwrap_or(MAX_RESULTS);
    check::number("maxResults", max, 1..=MAX_RESULTS)?;
    let max = usize::try_from(max).unwrap_or_default();
    let after = after(request.next_token.as_deref())?;
    let range = (after.as_deref().map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
    let things = store.things.range::<str, _>(range).map(|(name, thing)| Document::new(name, thing, connections));
    let mut found = things.filter(|document| query.matches(document));
    let page: Vec<_> = found.by_ref().take(max).collect();
    let last = page.last().filter(|_| found.next().is_some());
    let next_token = last.map(|document| BASE64.encode(document.name.as_bytes()));
    Ok(json!({ "things": page.iter().map(Document::to_json).collect::<Vec<Value>>(), "nextToken": next_token }))
}

fn check_index(name: &str) -> Result<(), Error> {
    match name {
        INDEX => Ok(()),
        other => Err(Error::not_found(format!("Index {other} not found; the only index is {INDEX}"))),
    }
}

/// The thing name in a pagination token; the page starts after it.
fn after(token: Option<&str>) -> Result<Option<String>, Error> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    let name = BASE64.decode(token.as_bytes()).ok().and_then(|name| String::from_utf8(name).ok());
    name.map(Some).ok_or_else(|| Error::invalid("The pagination token is not valid"))
}
