//! The registry of things: who is in a group, and whom a query finds, one page at a time.

use aws_sdk_iot::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use domain::{FleetQuery, GroupName, ThingName};

use crate::Error;

/// The index of all things.
const INDEX: &str = "AWS_Things";

/// The AWS IoT control plane, as far as it names things.
#[derive(Clone, Debug)]
pub struct Registry {
    client: Client,
}

/// What came of asking for a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// A page; an empty one may have others behind it.
    Page(ThingPage),
    /// There is no such group, or not any more.
    NoSuchGroup,
    /// There is no index to search, in AWS's words: fleet indexing is off, or the index is being built, which passes.
    NoIndex(String),
    /// The query does not parse, in AWS's words.
    BadQuery(String),
    /// The token leads nowhere, or nowhere any more: only the first page can be had.
    StaleToken,
}

/// A page of things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThingPage {
    /// Their names, in the order of AWS. Over several pages the same may come twice.
    pub things: Vec<ThingName>,
    /// How many others have no name that a thing can have.
    pub unusable: u32,
    /// The token of the page after this one; none where this is the last.
    pub next: Option<String>,
}

impl Registry {
    /// The most things that a page of a group has.
    pub const MOST_IN_GROUP: u16 = 250;
    /// The most things that a page of what a query found has.
    pub const MOST_FOUND: u16 = 100;

    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// At most so many of the things in a group and in all groups below it (ListThingsInThingGroup), after the page that
    /// the token is from.
    pub async fn things_in_group(&self, group: &GroupName, token: Option<&str>, most: u16) -> Result<Listed, Error> {
        let asked = self.client.list_things_in_thing_group().thing_group_name(group.as_str()).recursive(true);
        let asked = asked.max_results(most.clamp(1, Self::MOST_IN_GROUP).into());
        match asked.set_next_token(token.map(str::to_owned)).send().await {
            Ok(answer) => Ok(page(answer.things.unwrap_or_default(), answer.next_token)),
            Err(error) => match (code(&error), token) {
                ("ResourceNotFoundException", _) => Ok(Listed::NoSuchGroup),
                ("InvalidRequestException", Some(_)) => Ok(Listed::StaleToken),
                _ => Err(Error::sdk("listing the things of a group", group, error)),
            },
        }
    }

    /// At most so many of the things that a query finds (SearchIndex), after the page that the token is from.
    pub async fn things_found(&self, query: &FleetQuery, token: Option<&str>, most: u16) -> Result<Listed, Error> {
        let asked = self.client.search_index().index_name(INDEX).query_string(query.as_str());
        let asked = asked.max_results(most.clamp(1, Self::MOST_FOUND).into());
        match asked.set_next_token(token.map(str::to_owned)).send().await {
            Ok(answer) => {
                let names = answer.things.unwrap_or_default().into_iter();
                Ok(page(names.map(|thing| thing.thing_name.unwrap_or_default()).collect(), answer.next_token))
            }
            Err(error) => match (code(&error), token) {
                ("ResourceNotFoundException" | "IndexNotReadyException", _) => Ok(Listed::NoIndex(words(&error))),
                ("InvalidQueryException", _) => Ok(Listed::BadQuery(words(&error))),
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

/// Which exception the service answered; none of them where it is not known what it answered.
fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> &str {
    error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default()
}

/// How the service put it.
fn words<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> String {
    let message = error.as_service_error().and_then(ProvideErrorMetadata::message);
    message.filter(|message| !message.is_empty()).unwrap_or_else(|| code(error)).to_owned()
}
