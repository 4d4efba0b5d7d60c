//! Whom a command means: one thing, or a fleet.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use super::{Abort, Broadcast, FleetQuery, Rollout, Schedule};
use crate::{GroupName, ThingName};

/// Whom a command means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One thing.
    Thing(ThingName),
    /// Many, or at least as many as it turns out.
    Fleet(Box<Fleet>),
}

/// Many things, and how they are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// Which.
    pub selection: Selection,
    /// How fast, and who first.
    pub rollout: Rollout,
    /// When.
    pub schedule: Schedule,
    /// When it is given up.
    pub abort: Abort,
    /// One message for all of them, if it is delivered so.
    pub broadcast: Option<Broadcast>,
}

/// Which things: those that are listed, those of groups, and those that a query finds, without those that are excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// How many are listed. The names are stored apart, a thousand at a time.
    pub listed: u32,
    /// Everything in these groups, and in the groups below them.
    pub groups: Vec<GroupName>,
    /// Everything that this finds.
    pub query: Option<FleetQuery>,
    /// How many are left out, wherever they are found. The names are stored apart too.
    pub excluded: u32,
    /// Of the names that are stored apart, so that two lists are told from each other.
    pub digest: String,
}

/// A part of a target, which is read a page at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// This page of the listed names.
    Listed(u32),
    /// A group.
    Group(&'a GroupName),
    /// What a query finds.
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

impl Target {
    /// The one thing, if it is one.
    pub fn thing(&self) -> Option<&ThingName> {
        match self {
            Self::Thing(thing) => Some(thing),
            Self::Fleet(_) => None,
        }
    }

    /// The fleet, if it is one.
    pub fn fleet(&self) -> Option<&Fleet> {
        match self {
            Self::Thing(_) => None,
            Self::Fleet(fleet) => Some(fleet),
        }
    }
}

impl Fleet {
    /// Whether everything that is planned goes out at once.
    pub fn is_immediate(&self) -> bool {
        self.rollout.is_immediate() && self.schedule == Schedule::default()
    }
}

impl Selection {
    /// So many names are stored together.
    pub const PAGE: usize = 1000;
    /// So many things can be listed; a thing group or a query has no such limit.
    pub const MOST_LISTED: usize = 10_000;
    /// So many can be left out.
    pub const MOST_EXCLUDED: usize = 10_000;
    /// So many groups can be named.
    pub const MOST_GROUPS: usize = 100;

    /// The selection with these names in it and those left out.
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

    /// The n-th part of it; none if there are no more.
    pub fn source(&self, n: u32) -> Option<Source<'_>> {
        let pages = Self::pages(self.listed);
        let Some(after) = n.checked_sub(pages) else { return Some(Source::Listed(n)) };
        let group = usize::try_from(after).ok().and_then(|at| self.groups.get(at));
        match (group, &self.query) {
            (Some(group), _) => Some(Source::Group(group)),
            (None, Some(query)) if usize::try_from(after) == Ok(self.groups.len()) => Some(Source::Found(query)),
            _ => None,
        }
    }

    /// How many pages so many names take.
    pub fn pages(names: u32) -> u32 {
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
    fn every_part_has_its_number() {
        let groups = vec![GroupName::parse("floor-1").unwrap(), GroupName::parse("floor-2").unwrap()];
        let query = FleetQuery::parse("thingName:*").ok();
        let mut selection = Selection::new(&things(&["a", "b"]), groups.clone(), query.clone(), &[]);
        selection.listed = 1001;
        let sources: Vec<_> = (0..6).map_while(|n| selection.source(n)).collect();
        let found = query.as_ref().map(Source::Found);
        let parts = [
            Source::Listed(0),
            Source::Listed(1),
            Source::Group(&groups[0]),
            Source::Group(&groups[1]),
            found.unwrap(),
        ];
        assert_eq!(sources, parts);
        assert_eq!(Selection::default().source(0), None);
    }

    #[test]
    fn other_names_are_another_selection() {
        let of = |listed: &[&str], excluded: &[&str]| {
            Selection::new(&things(listed), Vec::new(), None, &things(excluded)).digest
        };
        let all =
            [of(&["a", "b"], &[]), of(&["ab"], &[]), of(&["a"], &["b"]), of(&["b"], &["a"]), of(&[], &["a", "b"])];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
