//! `Selection`: which things a fleet command is for, and the sources from which fan-out reads them page by page.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use crate::fleet::query::FleetQuery;
use crate::names::{GroupName, ThingName};

/// The union of listed things, groups and a query, without the excluded things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// How many things are listed. Their names are stored in pages of [`Selection::PAGE`].
    pub listed: u32,
    /// Thing groups, each with its child groups.
    pub groups: Vec<GroupName>,
    /// A query of the fleet index.
    pub query: Option<FleetQuery>,
    /// How many things are excluded from all sources. Their names are stored in pages too.
    pub excluded: u32,
    /// Hash of the listed and excluded names: part of the key of their pages, so that two requests with the same
    /// `Idempotency-Key` and other names do not overwrite each other's pages.
    pub digest: String,
}

/// A part of a selection, which is read a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// The stored page of listed names with this number, from 0.
    Listed(u32),
    /// A thing group.
    Group(&'a GroupName),
    /// The result of a query.
    Found(&'a FleetQuery),
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed(_) => f.write_str("the list"),
            Self::Group(group) => write!(f, "the group {group}"),
            Self::Found(query) => write!(f, "the query {query}"),
        }
    }
}

impl Selection {
    /// Names in one stored page.
    pub const PAGE: usize = 1000;
    /// Things that a command can list. Thing groups and queries have no such limit.
    pub const MAX_LISTED: usize = 10_000;
    /// Things that a command can exclude.
    pub const MAX_EXCLUDED: usize = 10_000;
    /// Groups that a command can name.
    pub const MAX_GROUPS: usize = 100;

    /// A selection of these sources.
    pub fn new(things: &[ThingName], groups: Vec<GroupName>, query: Option<FleetQuery>, exclude: &[ThingName]) -> Self {
        let mut digest = Sha256::new();
        for (mark, names) in [(b'+', things), (b'-', exclude)] {
            for name in names {
                digest.update([mark]);
                digest.update(name.as_str());
            }
        }
        let mut digest = BASE32_NOPAD.encode(&digest.finalize()).to_ascii_lowercase();
        digest.truncate(26);
        let count = |names: &[ThingName]| u32::try_from(names.len()).unwrap_or(u32::MAX);
        Self { listed: count(things), groups, query, excluded: count(exclude), digest }
    }

    /// The group, if the selection is the things of one group, all of them and no others.
    pub fn only_group(&self) -> Option<&GroupName> {
        match &self.groups[..] {
            [group] if self.listed == 0 && self.query.is_none() && self.excluded == 0 => Some(group),
            _ => None,
        }
    }

    /// Whether the selection is every thing of the account: the query [`FleetQuery::EVERY_THING`] and nothing else.
    pub fn is_every_thing(&self) -> bool {
        let everything = self.query.as_ref().is_some_and(|query| query.as_str() == FleetQuery::EVERY_THING);
        everything && self.listed == 0 && self.groups.is_empty() && self.excluded == 0
    }

    /// The source with this number: first the pages of listed names, then the groups, then the query. None after the
    /// last.
    pub fn source(&self, number: u32) -> Option<Source<'_>> {
        let Some(after_list) = number.checked_sub(Self::page_count(self.listed)) else {
            return Some(Source::Listed(number));
        };
        let place = usize::try_from(after_list).ok()?;
        match (self.groups.get(place), &self.query) {
            (Some(group), _) => Some(Source::Group(group)),
            (None, Some(query)) if place == self.groups.len() => Some(Source::Found(query)),
            _ => None,
        }
    }

    /// Whether no thing can be found twice: there is only one source, a list, a group or a query.
    pub fn names_each_thing_once(&self) -> bool {
        usize::from(self.listed > 0) + self.groups.len() + usize::from(self.query.is_some()) <= 1
    }

    /// How many stored pages this many names take.
    pub fn page_count(names: u32) -> u32 {
        names.div_ceil(1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn things(names: &[&str]) -> Vec<ThingName> {
        names.iter().map(|name| ThingName::parse(name).unwrap()).collect()
    }

    #[test]
    fn sources_are_numbered_list_then_groups_then_query() {
        let groups = vec![GroupName::parse("floor-1").unwrap(), GroupName::parse("floor-2").unwrap()];
        let query = FleetQuery::parse("thingName:*").ok();
        let mut selection = Selection::new(&things(&["a", "b"]), groups.clone(), query.clone(), &[]);
        selection.listed = 1001;
        let sources: Vec<_> = (0..6).map_while(|n| selection.source(n)).collect();
        let found = query.as_ref().map(Source::Found);
        let expected = [
            Source::Listed(0),
            Source::Listed(1),
            Source::Group(&groups[0]),
            Source::Group(&groups[1]),
            found.unwrap(),
        ];
        assert_eq!(sources, expected);
        assert_eq!(Selection::default().source(0), None);
    }

    #[test]
    fn different_names_have_different_digests() {
        let of = |listed: &[&str], excluded: &[&str]| {
            Selection::new(&things(listed), Vec::new(), None, &things(excluded)).digest
        };
        let all =
            [of(&["a", "b"], &[]), of(&["ab"], &[]), of(&["a"], &["b"]), of(&["b"], &["a"]), of(&[], &["a", "b"])];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
