//! The registry of things: the things of a group or of a fleet query, page by page.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::{http::HttpResponse, retry::RetryPartition};
use aws_sdk_dynamodb::error::{ErrorMetadata, ProvideErrorMetadata, SdkError};
use domain::{FleetQuery, GroupName, ThingName};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;

use crate::error::{Error, FromAnswer};
use crate::iot_operation::{IotOperation, IotRequest};

/// The fleet index of all things.
const INDEX: &str = "AWS_Things";

/// The characters that a path or a query carries encoded: all but the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The registry of AWS IoT, and the fleet index over it.
#[derive(Debug)]
pub struct Registry {
    list: IotOperation<GroupPage>,
    search: IotOperation<SearchPage>,
    describe: IotOperation<Described>,
}

/// The response of DescribeThing, of which nothing is needed but that there is one.
#[derive(Debug, Deserialize)]
struct Described {}

/// The response of ListThingsInThingGroup. As in the SDK's clients, `null` stands for a missing member.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupPage {
    things: Option<Vec<Option<String>>>,
    next_token: Option<String>,
}

/// The response of SearchIndex.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SearchPage {
    things: Option<Vec<FoundThing>>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundThing {
    thing_name: Option<String>,
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

    /// `quota`: the retry quota, if it must not be the one that all clients of a service share in a process.
    pub(crate) fn new(config: &SdkConfig, quota: Option<&RetryPartition>) -> Self {
        Self {
            list: IotOperation::new("ListThingsInThingGroup", config, quota),
            search: IotOperation::new("SearchIndex", config, quota),
            describe: IotOperation::new("DescribeThing", config, quota),
        }
    }

    /// Whether the registry has a thing.
    ///
    /// # Errors
    /// A failed call.
    pub async fn has_thing(&self, thing: &ThingName) -> Result<bool, Error> {
        let path = format!("/things/{}", utf8_percent_encode(thing.as_str(), RESERVED));
        match self.describe.send(IotRequest { path, body: None }).await {
            Ok(Described {}) => Ok(true),
            Err(error) => match code(&error) {
                "ResourceNotFoundException" => Ok(false),
                _ => Err(Error::sdk("describing a thing", thing, error)),
            },
        }
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
        let max_things = max_things.clamp(1, Self::MAX_GROUP_PAGE);
        let group_name = utf8_percent_encode(group.as_str(), RESERVED);
        let mut path = format!("/thing-groups/{group_name}/things?recursive=true&maxResults={max_things}");
        if let Some(token) = token {
            path.extend(["&nextToken="].into_iter().chain(utf8_percent_encode(token, RESERVED)));
        }
        match self.list.send(IotRequest { path, body: None }).await {
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
        let max_things = max_things.clamp(1, Self::MAX_SEARCH_PAGE);
        let mut body = json!({"indexName": INDEX, "queryString": query.as_str(), "maxResults": max_things});
        if let Some(token) = token {
            body["nextToken"] = json!(token);
        }
        match self.search.send(IotRequest { path: "/indices/search".to_owned(), body: Some(body) }).await {
            Ok(answer) => {
                let names = answer.things.unwrap_or_default().into_iter().map(|thing| thing.thing_name);
                Ok(page(names.collect(), answer.next_token))
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

fn page(names: Vec<Option<String>>, next: Option<String>) -> Listed {
    let found = names.len();
    let things: Vec<_> = names.iter().flatten().filter_map(|name| ThingName::parse(name).ok()).collect();
    let unusable = u32::try_from(found - things.len()).unwrap_or(u32::MAX);
    Listed::Page(ThingPage { things, unusable, next: next.filter(|next| !next.is_empty()) })
}

/// The error code in the answer; empty if there is no answer.
fn code(error: &SdkError<ErrorMetadata, HttpResponse>) -> &str {
    error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default()
}

/// The message in the answer, or else its error code.
fn message(error: &SdkError<ErrorMetadata, HttpResponse>) -> String {
    let text = error.as_service_error().and_then(ProvideErrorMetadata::message);
    text.filter(|text| !text.is_empty()).unwrap_or_else(|| code(error)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_stands_for_a_missing_member() {
        let of_group = |json| serde_json::from_str::<GroupPage>(json).unwrap();
        for json in ["{}", r#"{"things":null,"nextToken":null}"#] {
            let read = of_group(json);
            assert_eq!((read.things, read.next_token), (None, None), "{json}");
            assert!(serde_json::from_str::<SearchPage>(json).unwrap().things.is_none(), "{json}");
        }
        let group = of_group(r#"{"things":["pump-7",null],"nextToken":"2"}"#);
        let found: SearchPage =
            serde_json::from_str(r#"{"things":[{"thingName":"pump-7"},{"thingName":null}]}"#).unwrap();
        let found = found.things.unwrap().into_iter().map(|thing| thing.thing_name).collect();
        for names in [group.things.unwrap(), found] {
            let Listed::Page(page) = page(names, None) else { panic!("no page") };
            let things: Vec<_> = page.things.iter().map(ThingName::as_str).collect();
            assert_eq!((things, page.unusable), (vec!["pump-7"], 1));
        }
    }
}
