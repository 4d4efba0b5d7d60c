//! Pages of a sorted list. A page token contains the last key of the previous page.

use data_encoding::BASE64URL_NOPAD;

use super::error::ApiError;
use super::request::Query;

/// The requested page of items sorted by `key`, and the token of the next page.
pub(super) fn take_page<T>(
    items: Vec<T>,
    key: impl Fn(&T) -> &str,
    query: &Query,
    size: PageSize,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let count = query.number(size.parameter, 1, size.max)?.unwrap_or(size.default) as usize;
    let after = query.text("nextToken").map(decode).transpose()?;
    let mut rest = items.into_iter().filter(|item| after.as_deref().is_none_or(|after| key(item) > after));
    let page: Vec<T> = rest.by_ref().take(count).collect();
    let next = page.last().filter(|_| rest.next().is_some()).map(|last| BASE64URL_NOPAD.encode(key(last).as_bytes()));
    Ok((page, next))
}

/// The page sizes of an operation.
#[derive(Clone, Copy)]
pub(super) struct PageSize {
    /// Query parameter of the size.
    pub(super) parameter: &'static str,
    /// Size if the parameter is absent.
    pub(super) default: u32,
    /// Maximum size.
    pub(super) max: u32,
}

fn decode(token: &str) -> Result<String, ApiError> {
    let key = BASE64URL_NOPAD.decode(token.as_bytes()).ok().and_then(|key| String::from_utf8(key).ok());
    key.ok_or_else(|| ApiError::invalid("Invalid nextToken"))
}
