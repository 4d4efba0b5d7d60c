//! The registry of things: the things of a group or of a fleet query, page by page.

use aws_sdk_iot::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use domain::{FleetQuery, GroupName, ThingName};

use crate::error::Error;

/// The fleet index of all things.
const INDEX: &str = "AWS_Things";

/// The registry of AWS IoT, and the fleet index over it.
#[derive(Clone, Debug)]
pub struct Registry {
    client: Client,
}

/// The outcome of reading a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// A page. An empty page may be followed by others.
    Page(ThingPage),
    /// The group does not exist.
    NoSuchGroup,
    /// The index can't be searched: fleet indexing is disabled, or the index is being built. The message of AWS.
    NoIndex(String),
    /// The query does not parse. The message of AWS.
    BadQuery(String),
    /// The token is invalid or has expired: the caller has to begin with the first page.
    StaleToken,
}

/// A page of things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThingPage {
    /// The names, in the order of AWS. Another page may have the same name again.
    pub things: Vec<ThingName>,
    /// The number of further names that are not valid names of things.
    pub unusable: u32,
    /// The token of the next page; none if this is the last.
    pub next: Option<String>,
}

impl Registry {
    /// The most things in a page of a group: the limit of ListThingsInThingGroup.
    pub const MAX_GROUP_PAGE: u16 = 250;
    /// The most things in a page of a query: they fill one batch.
    pub const MAX_SEARCH_PAGE: u16 = 100;

    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Reads the page at `token` of the things in a group and in its child groups: at most `max_things`.
    ///
    /// # Errors
    /// A failed call.
    pub async fn things_in_group(
        &self,
        group: &GroupName,
        token: Option<&str>,
        max_things: u16,
    ) -> Result<Listed, Error> {
        let request = self.client.list_things_in_thing_group().thing_group_name(group.as_str()).recursive(true);
        let request = request.max_results(max_things.clamp(1, Self::MAX_GROUP_PAGE).into());
        match request.set_next_token(token.map(str::to_owned)).send().await {
            Ok(answer) => Ok(page(answer.things.unwrap_or_default(), answer.next_token)),
            Err(error) => match (code(&error), token) {
                ("ResourceNotFoundException", _) => Ok(Listed::NoSuchGroup),
                ("InvalidRequestException", Some(_)) => Ok(Listed::StaleToken),
                _ => Err(Error::sdk("listing the things of a group", group, error)),
            },
        }
    }

    /// Reads the page at `token` of the things that a query finds: at most `max_things`.
    ///
    /// # Errors
    /// A failed call.
    pub async fn things_found(
        &self,
        query: &FleetQuery,
        token: Option<&str>,
        max_things: u16,
    ) -> Result<Listed, Error> {
        let request = self.client.search_index().index_name(INDEX).query_string(query.as_str());
        let request = request.max_results(max_things.clamp(1, Self::MAX_SEARCH_PAGE).into());
        match request.set_next_token(token.map(str::to_owned)).send().await {
            Ok(answer) => {
                let names = answer.things.unwrap_or_default().into_iter();
                Ok(page(names.map(|thing| thing.thing_name.unwrap_or_default()).collect(), answer.next_token))
            }
            Err(error) => match (code(&error), token) {
                ("ResourceNotFoundException" | "IndexNotReadyException", _) => Ok(Listed::NoIndex(message(&error))),
                ("InvalidQueryException", _) => Ok(Listed::BadQuery(message(&error))),
                ("InvalidRequestException", Some(_)) => Ok(Listed::StaleToken),
                _ => Err(Error::sdk("searching the index of things", query, error)),
            },
        }
    }
}

fn page(names: Vec<String>, next: Option<String>) -> Listed {
    let found = names.len();
    let things: Vec<_> = names.iter().filter_map(|name| ThingName::parse(name).ok()).collect();
    let unusable = u32::try_from(found - things.len()).unwrap_or(u32::MAX);
    Listed::Page(ThingPage { things, unusable, next: next.filter(|next| !next.is_empty()) })
}

/// The error code in the answer; empty if there is no answer.
fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> &str {
    error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default()
}

/// The message in the answer, or else its error code.
fn message<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> String {
    let text = error.as_service_error().and_then(ProvideErrorMetadata::message);
    text.filter(|text| !text.is_empty()).unwrap_or_else(|| code(error)).to_owned()
}
