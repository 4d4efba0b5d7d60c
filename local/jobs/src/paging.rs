//! Pages of results, and the opaque tokens that continue after a page.

use data_encoding::BASE64;
use serde::Deserialize;

use super::error::Error;
use super::lenient;

/// Results of a page if the request gives no `maxResults`.
const DEFAULT_PAGE_SIZE: i64 = 25;
/// Upper limit of `maxResults`.
const MAX_PAGE_SIZE: i64 = 250;

/// The paging members of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Paging {
    next_token: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    max_results: Option<i64>,
}

impl Paging {
    /// The page of `items`, which are sorted by key, and the token of the next page: the last key of this one, so that
    /// what is added or removed between two requests neither repeats nor hides anything else.
    pub(super) fn page<T>(
        &self,
        items: impl IntoIterator<Item = (String, T)>,
    ) -> Result<(Vec<T>, Option<String>), Error> {
        let size = self.max_results.unwrap_or(DEFAULT_PAGE_SIZE);
        if !(1..=MAX_PAGE_SIZE).contains(&size) {
            return Err(Error::invalid(format!("maxResults is {size}: it is 1 to {MAX_PAGE_SIZE}")));
        }
        let after = self.after()?;
        let mut items = items.into_iter().skip_while(|(key, _)| after.as_ref().is_some_and(|after| key <= after));
        let size = usize::try_from(size).unwrap_or_default();
        let (keys, page): (Vec<String>, Vec<T>) = items.by_ref().take(size).unzip();
        let has_more = items.next().is_some();
        Ok((page, keys.last().filter(|_| has_more).map(|key| BASE64.encode(key.as_bytes()))))
    }

    fn after(&self) -> Result<Option<String>, Error> {
        let Some(token) = self.next_token.as_deref().filter(|token| !token.is_empty()) else { return Ok(None) };
        let key = BASE64.decode(token.as_bytes()).ok().and_then(|key| String::from_utf8(key).ok());
        key.map(Some).ok_or_else(|| Error::invalid("The pagination token is not valid"))
    }
}
