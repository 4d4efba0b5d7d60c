//! Pages of list results, and the opaque tokens that continue after a page.

use std::collections::BTreeSet;
use std::ops::Bound;

use data_encoding::BASE64;
use serde::Deserialize;

use super::check;
use super::error::Error;

/// Results of a page if the request gives no `maxResults`.
const DEFAULT_PAGE_SIZE: i64 = 25;
/// Upper limit of `maxResults`.
const MAX_PAGE_SIZE: i64 = 250;

/// Results of a page, and the token of the next page.
pub(super) type Page<T> = Result<(Vec<T>, Option<String>), Error>;

/// The paging members of a request; older operations name them `marker` and `pageSize`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Paging {
    #[serde(alias = "marker")]
    pub next_token: Option<String>,
    #[serde(alias = "pageSize")]
    pub max_results: Option<i64>,
}

impl Paging {
    /// The page of `items`, which must be sorted by key, and the next page's token.
    ///
    /// The token holds the last key of the page. Items that are added or removed between two requests therefore neither
    /// repeat nor hide other items.
    pub(super) fn page<K, T>(&self, items: impl IntoIterator<Item = (K, T)>) -> Page<T>
    where
        K: AsRef<str>,
    {
        let (size, after) = (self.page_size()?, self.after()?);
        let mut items =
            items.into_iter().skip_while(|(key, _)| after.as_deref().is_some_and(|after| key.as_ref() <= after));
        let mut page = Vec::with_capacity(size);
        let mut last = None;
        for (key, item) in items.by_ref().take(size) {
            page.push(item);
            last = Some(key);
        }
        let has_more = items.next().is_some();
        Ok((page, last.filter(|_| has_more).map(|key| BASE64.encode(key.as_ref().as_bytes()))))
    }

    /// The page of the union of `sets`. Each set is entered at the key of the token, not iterated from its start, so
    /// that listing all pages takes time linear in the size of the sets.
    pub(super) fn page_of_union<'a>(&self, sets: impl IntoIterator<Item = &'a BTreeSet<String>>) -> Page<&'a String> {
        let (size, after) = (self.page_size()?, self.after()?);
        let rest = (after.as_deref().map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        // One page and one more item of each set suffice to fill the page and to know whether another page follows.
        let candidates = sets.into_iter().flat_map(|set| set.range::<str, _>(rest).take(size + 1));
        self.page(candidates.collect::<BTreeSet<_>>().into_iter().map(|name| (name, name)))
    }

    fn page_size(&self) -> Result<usize, Error> {
        let size = self.max_results.unwrap_or(DEFAULT_PAGE_SIZE);
        check::number("maxResults", size, 1..=MAX_PAGE_SIZE)?;
        Ok(usize::try_from(size).unwrap_or_default())
    }

    fn after(&self) -> Result<Option<String>, Error> {
        let Some(token) = self.next_token.as_deref().filter(|token| !token.is_empty()) else { return Ok(None) };
        let key = BASE64.decode(token.as_bytes()).ok().and_then(|key| String::from_utf8(key).ok());
        key.map(Some).ok_or_else(|| Error::invalid("The pagination token is not valid"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pages_cover_all_items_once_in_order(
            keys in proptest::collection::btree_set("[a-z]{1,3}", 0..60),
            size in 1_i64..20,
        ) {
            let (mut seen, mut pages, mut next_token) = (Vec::new(), 0, None);
            loop {
                let paging = Paging { next_token, max_results: Some(size) };
                let (page, token) = paging.page(keys.iter().map(|key| (key, key.clone()))).unwrap();
                prop_assert!(page.len() <= usize::try_from(size).unwrap());
                seen.extend(page);
                pages += 1;
                next_token = token;
                if next_token.is_none() {
                    break;
                }
            }
            prop_assert_eq!(pages, keys.len().div_ceil(usize::try_from(size).unwrap()).max(1));
            prop_assert_eq!(seen, keys.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn pages_of_many_sets_are_pages_of_their_union(
            sets in proptest::collection::vec(proptest::collection::btree_set("[a-z]{1,2}", 0..30), 0..5),
            size in 1_i64..20,
        ) {
            let union: BTreeSet<_> = sets.iter().flatten().collect();
            let mut next_token = None;
            loop {
                let paging = Paging { next_token, max_results: Some(size) };
                let page = paging.page_of_union(&sets).unwrap();
                prop_assert_eq!(&page, &paging.page(union.iter().map(|name| (name, *name))).unwrap());
                next_token = page.1;
                if next_token.is_none() {
                    break;
                }
            }
        }

        #[test]
        fn removals_between_pages_hide_no_other_item(keys in proptest::collection::btree_set("[a-z]{1,3}", 4..60)) {
            let first = Paging { next_token: None, max_results: Some(3) };
            let (page, next_token) = first.page(keys.iter().map(|key| (key, key.clone()))).unwrap();
            let left: BTreeSet<_> = keys.iter().filter(|key| !page.contains(key)).cloned().collect();
            let rest = Paging { next_token, max_results: Some(250) };
            let (rest, _) = rest.page(left.iter().map(|key| (key, key.clone()))).unwrap();
            prop_assert_eq!(rest, left.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn invalid_sizes_and_tokens_are_rejected() {
        for max_results in [i64::MIN, 0, 251, i64::MAX] {
            let paging = Paging { next_token: None, max_results: Some(max_results) };
            assert!(paging.page([("a", 1)]).is_err(), "{max_results}");
            assert!(paging.page_of_union([&BTreeSet::new()]).is_err(), "{max_results}");
        }
        for token in ["!", "abc", "/w=="] {
            let paging = Paging { next_token: Some(token.to_owned()), max_results: None };
            assert!(paging.page([("a", 1)]).is_err(), "{token}");
        }
    }
}
