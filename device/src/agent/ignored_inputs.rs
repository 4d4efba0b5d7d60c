//! Counts the inputs that an agent did not act on, by reason.

use std::collections::BTreeMap;

/// Reasons and counts since the agent was created.
#[derive(Clone, Debug, Default)]
pub(super) struct IgnoredInputs(BTreeMap<&'static str, u64>);

impl IgnoredInputs {
    pub fn count(&mut self, reason: &'static str) {
        *self.0.entry(reason).or_default() += 1;
    }

    pub fn by_reason(&self) -> &BTreeMap<&'static str, u64> {
        &self.0
    }
}
