//! How many executions there are by reason, though devices may say whatever they like.

use std::collections::BTreeMap;

use super::{Counts, shown};
use crate::Reason;

impl Counts {
    /// So many distinct reasons are counted by name: one for each that the cloud gives, and the rest for what devices say first.
    pub const REASONS: usize = 64;

    /// What is counted in place of all reasons that came later.
    ///
    /// A name that has a place keeps it, also when nothing is left there, and once no place is left none becomes free: so each
    /// reason is taken away from where it was added. Only where the devices of one command say more words than there are places
    /// *and* a shard has split may that be two places, a parent's and its child's: then a word and this may be off against each
    /// other. Nothing else that is counted depends on it.
    pub const OTHER: &str = "OTHER";
}

/// By name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reasons(pub(super) BTreeMap<String, i64>);

impl Reasons {
    /// Adds to where this reason is counted.
    pub(super) fn add(&mut self, reason: &str, more: i64) {
        let place = if self.has_place(reason) { reason } else { Counts::OTHER };
        match self.0.get_mut(place) {
            Some(count) => *count = count.saturating_add(more),
            None => {
                self.0.insert(place.to_owned(), more);
            }
        }
    }

    fn has_place(&self, reason: &str) -> bool {
        let of_devices = || self.0.keys().filter(|word| !is_own(word) && *word != Counts::OTHER).count();
        // The cloud's own must not depend on what devices say before: everyone looks at them.
        is_own(reason) || self.0.contains_key(reason) || of_devices() < Counts::REASONS - Reason::ALL.len()
    }

    pub(super) fn merge(&mut self, other: &Self) {
        other.0.iter().filter(|(_, count)| **count != 0).for_each(|(reason, count)| self.add(reason, *count));
    }

    /// Those that there are.
    pub(super) fn shown(&self) -> impl Iterator<Item = (&str, u64)> {
        // What one shard has under its name, another may have among the others.
        let missing = self.0.iter().filter(|(word, _)| *word != Counts::OTHER).map(|(_, count)| (*count).min(0));
        let missing = missing.fold(0_i64, i64::saturating_add);
        self.0.iter().filter_map(move |(word, count)| {
            let more = if word == Counts::OTHER { missing } else { 0 };
            Some((word.as_str(), shown(count.saturating_add(more)))).filter(|(_, count)| *count > 0)
        })
    }
}

fn is_own(reason: &str) -> bool {
    Reason::parse(reason).is_ok()
}
