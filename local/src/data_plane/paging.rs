//! Cuts a sorted list into pages. A token says after which item the next page starts.

use data_encoding::BASE64URL_NOPAD;

use super::error::ApiError;
use super::request::Query;

/// The page that the query asks for, of items sorted by `key`, and the token of the next one.
pub(super) fn page<T>(
    items: Vec<T>,
    key: impl Fn(&T) -> &str,
    query: &Query,
    size: PageSize,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let wanted = query.number(size.parameter, 1, size.most)?.unwrap_or(size.usual) as usize;
    let after = query.text("nextToken").map(decode).transpose()?;
    let mut rest = items.into_iter().filter(|item| after.as_deref().is_none_or(|after| key(item) > after));
    let page: Vec<T> = rest.by_ref().take(wanted).collect();
    let next = page.last().filter(|_| rest.next().is_some()).map(|last| BASE64URL_NOPAD.encode(key(last).as_bytes()));
    Ok((page, next))
}

/// How an operation lets its callers choose a page's size.
#[derive(Clone, Copy)]
pub(super) struct PageSize {
    /// The query parameter.
    pub(super) parameter: &'static str,
    /// Without the parameter.
    pub(super) usual: u32,
    /// The largest allowed.
    pub(super) most: u32,
}

fn decode(token: &str) -> Result<String, ApiError> {
    let key = BASE64URL_NOPAD.decode(token.as_bytes()).ok().and_then(|key| String::from_utf8(key).ok());
    key.ok_or_else(|| ApiError::invalid("Invalid nextToken"))
}
