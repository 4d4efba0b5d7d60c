//! Fleet indexing: things found by what they are, which groups they are in, and whether they are connected.
//!
//! | file | holds |
//! |---|---|
//! | [`lexer`] | a query string as tokens |
//! | [`parser`] | tokens as a query |
//! | [`query`] | a query, and what it matches |
//! | [`document`] | a thing as the index has it |
//! | [`configuration`] | what is indexed |
//!
//! The index is always on, has the registry and connectivity in it, and never lags.

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
use super::error::{Error, Kind};
use super::http::{Outcome, Parameters, answer};
use super::store::Store;
use document::Document;
use query::Query;

/// The index of all things, the only one there is.
const INDEX: &str = "AWS_Things";
const MOST_RESULTS: i64 = 100;
const LONGEST_QUERY: usize = 1_000;

/// Whether a client is connected, and since when it is or is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connectivity {
    /// Whether it is connected.
    pub connected: bool,
    /// Milliseconds since 1970 of its last connect or disconnect.
    pub timestamp_ms: Option<i64>,
    /// Why it is not.
    pub disconnect_reason: Option<&'static str>,
}

/// Tells of a client, by its id, which is its thing's name; `None` where it has not been seen.
pub type Connections = Arc<dyn Fn(&str) -> Option<Connectivity> + Send + Sync>;

#[derive(Clone)]
struct Index {
    registry: Registry,
    connections: Connections,
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

pub(super) fn router(registry: Registry, connections: Connections) -> Router {
    Router::new()
        .route("/indices/search", post(search))
        .route("/indices/{indexName}", get(configuration::describe_index))
        .route("/indices", get(configuration::list_indices))
        .route("/indexing/config", get(configuration::get_configuration).post(configuration::update_configuration))
        .with_state(Index { registry, connections })
}

async fn search(State(index): State<Index>, Parameters(request): Parameters<SearchIndex>) -> axum::response::Response {
    answer(index.registry.read(|store, _| find(store, &index.connections, &request)))
}

fn find(store: &Store, connections: &Connections, request: &SearchIndex) -> Outcome {
    check_index(request.index_name.as_deref().unwrap_or(INDEX))?;
    if let Some(other) = request.query_version.as_deref().filter(|version| *version != "2017-09-30") {
        return Err(Error::invalid(format!("Query version {other} is not supported: 2017-09-30 would be right")));
    }
    let query = Query::parse(&request.query_string).map_err(|why| Error::new(Kind::InvalidQuery, why))?;
    let most = request.max_results.unwrap_or(MOST_RESULTS);
    check::number("maxResults", most, 1..=MOST_RESULTS)?;
    let most = usize::try_from(most).unwrap_or_default();
    let after = after(request.next_token.as_deref())?;
    let range = (after.as_deref().map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
    let things = store.things.range::<str, _>(range).map(|(name, thing)| Document::new(name, thing, connections));
    let mut found = things.filter(|document| query.matches(document));
    let page: Vec<_> = found.by_ref().take(most).collect();
    let last = page.last().filter(|_| found.next().is_some());
    let next_token = last.map(|document| BASE64.encode(document.name.as_bytes()));
    Ok(json!({ "things": page.iter().map(Document::show).collect::<Vec<Value>>(), "nextToken": next_token }))
}

fn check_index(name: &str) -> Result<(), Error> {
    match name {
        INDEX => Ok(()),
        other => Err(Error::not_found(format!("Index {other} not found: {INDEX} is the only one here"))),
    }
}

/// The name after which a page begins.
fn after(token: Option<&str>) -> Result<Option<String>, Error> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
    let name = BASE64.decode(token.as_bytes()).ok().and_then(|name| String::from_utf8(name).ok());
    name.map(Some).ok_or_else(|| Error::invalid("The pagination token is not valid"))
}
