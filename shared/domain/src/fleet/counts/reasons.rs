//! `Reasons`: executions by reason, with a limited number of names although devices may send any reason code.

use std::collections::BTreeMap;

use crate::fleet::counts::signed_count::{add, shown};
use crate::status::Reason;

/// See [`Counts::REASONS`](super::totals::Counts::REASONS).
pub(super) const MAX_REASONS: usize = 64;

/// See [`Counts::OTHER`](super::totals::Counts::OTHER).
pub(super) const OTHER: &str = "OTHER";

/// Counts by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reasons(pub(super) BTreeMap<String, i64>);

impl Reasons {
    /// Adds to the count of this reason, or to [`OTHER`].
    pub(super) fn add(&mut self, reason: &str, more: i64) {
        let name = if self.has_place(reason) { reason } else { OTHER };
        match self.0.get_mut(name) {
            Some(count) => add(count, more),
            None => {
                self.0.insert(name.to_owned(), more);
            }
        }
    }

    fn has_place(&self, reason: &str) -> bool {
        let device_codes = || self.0.keys().filter(|name| !is_cloud_reason(name) && *name != OTHER).count();
        // The cloud's reasons always have a place, also after many reason codes of devices.
        is_cloud_reason(reason) || self.0.contains_key(reason) || device_codes() < MAX_REASONS - Reason::ALL.len()
    }

    pub(super) fn merge(&mut self, other: &Self) {
        other.0.iter().filter(|(_, count)| **count != 0).for_each(|(reason, count)| self.add(reason, *count));
    }

    /// The counts above zero.
    pub(super) fn shown(&self) -> impl Iterator<Item = (&str, u64)> {
        // A negative count was added under OTHER in another shard: it is subtracted there.
        let missing = self.0.iter().filter(|(name, _)| *name != OTHER).map(|(_, count)| (*count).min(0));
        let missing = missing.fold(0_i64, i64::saturating_add);
        self.0.iter().filter_map(move |(name, count)| {
            let correction = if name == OTHER { missing } else { 0 };
            Some((name.as_str(), shown(count.saturating_add(correction)))).filter(|(_, count)| *count > 0)
        })
    }
}

fn is_cloud_reason(reason: &str) -> bool {
    Reason::parse(reason).is_ok()
}
