//! Pages: a bounded number of results, and an opaque token to go on from.

use std::collections::BTreeSet;
use std::ops::Bound;

use data_encoding::BASE64;
use serde::Deserialize;

use super::check;
use super::error::Error;

/// How many results a page has when the request does not say.
const DEFAULT: i64 = 25;
/// The most a request may ask for.
const MOST: i64 = 250;

/// Results, and the token of the page after them.
pub(super) type Page<T> = Result<(Vec<T>, Option<String>), Error>;

/// The paging members of a request: older operations call them `marker` and `pageSize`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Paging {
    #[serde(alias = "marker")]
    pub next_token: Option<String>,
    #[serde(alias = "pageSize")]
    pub max_results: Option<i64>,
}

impl Paging {
    /// The page of `items`, which must come in the order of their keys, and the next page's token.
    ///
    /// The token says after which key to go on, so that what comes and goes between two requests neither repeats nor
    /// hides anything else.
    pub(super) fn of<K, T>(&self, items: impl IntoIterator<Item = (K, T)>) -> Page<T>
    where
        K: AsRef<str>,
    {
        let (most, after) = (self.most()?, self.after()?);
        let mut items =
            items.into_iter().skip_while(|(key, _)| after.as_deref().is_some_and(|after| key.as_ref() <= after));
        let mut page = Vec::with_capacity(most);
        let mut last = None;
        for (key, item) in items.by_ref().take(most) {
            page.push(item);
            last = Some(key);
        }
        let more = items.next().is_some();
        Ok((page, last.filter(|_| more).map(|key| BASE64.encode(key.as_ref().as_bytes()))))
    }

    /// The page of all that is in any of these sets, each once. What is before it is not gone through, so that all pages
    /// of a large set take no longer than it is large.
    pub(super) fn of_sets<'a>(&self, sets: impl IntoIterator<Item = &'a BTreeSet<String>>) -> Page<&'a String> {
        let (most, after) = (self.most()?, self.after()?);
        let rest = (after.as_deref().map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        // No more of any set can be on the page, or tell that there is another one.
        let near = sets.into_iter().flat_map(|set| set.range::<str, _>(rest).take(most + 1));
        self.of(near.collect::<BTreeSet<_>>().into_iter().map(|name| (name, name)))
    }

    fn most(&self) -> Result<usize, Error> {
        let most = self.max_results.unwrap_or(DEFAULT);
        check::number("maxResults", most, 1..=MOST)?;
        Ok(usize::try_from(most).unwrap_or_default())
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
        fn pages_together_are_everything_once_and_in_order(
            keys in proptest::collection::btree_set("[a-z]{1,3}", 0..60),
            size in 1_i64..20,
        ) {
            let (mut seen, mut pages, mut next_token) = (Vec::new(), 0, None);
            loop {
                let paging = Paging { next_token, max_results: Some(size) };
                let (page, token) = paging.of(keys.iter().map(|key| (key, key.clone()))).unwrap();
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
                let page = paging.of_sets(&sets).unwrap();
                prop_assert_eq!(&page, &paging.of(union.iter().map(|name| (name, *name))).unwrap());
                next_token = page.1;
                if next_token.is_none() {
                    break;
                }
            }
        }

        #[test]
        fn what_goes_between_pages_hides_nothing_else(keys in proptest::collection::btree_set("[a-z]{1,3}", 4..60)) {
            let first = Paging { next_token: None, max_results: Some(3) };
            let (page, next_token) = first.of(keys.iter().map(|key| (key, key.clone()))).unwrap();
            let left: BTreeSet<_> = keys.iter().filter(|key| !page.contains(key)).cloned().collect();
            let rest = Paging { next_token, max_results: Some(250) };
            let (rest, _) = rest.of(left.iter().map(|key| (key, key.clone()))).unwrap();
            prop_assert_eq!(rest, left.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn bad_sizes_and_tokens_are_refused() {
        for max_results in [i64::MIN, 0, 251, i64::MAX] {
            let paging = Paging { next_token: None, max_results: Some(max_results) };
            assert!(paging.of([("a", 1)]).is_err(), "{max_results}");
            assert!(paging.of_sets([&BTreeSet::new()]).is_err(), "{max_results}");
        }
        for token in ["!", "abc", "/w=="] {
            let paging = Paging { next_token: Some(token.to_owned()), max_results: None };
            assert!(paging.of([("a", 1)]).is_err(), "{token}");
        }
    }
}
