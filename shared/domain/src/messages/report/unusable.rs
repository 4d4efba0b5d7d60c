//! Reports that changed nothing because they could not be used. The last few are kept with their thing, so that the
//! author of a device sees what it sent and why it was refused.

use crate::execution::row::Execution;
use crate::ids::ExecutionId;
use crate::messages::report::decode::to_text;
use crate::messages::report::printable::printable_prefix;
use crate::timestamp::Timestamp;

/// A report that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableReport {
    /// When it arrived.
    pub received_at: Timestamp,
    /// The execution that it, or its topic, names.
    pub execution: Option<ExecutionId>,
    /// Why it was not used.
    pub reason: String,
    /// Its first bytes as text.
    pub excerpt: String,
}

/// The last unusable reports of a thing, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnusableReports(pub Vec<UnusableReport>);

impl UnusableReport {
    const MAX_REASON_BYTES: usize = 200;
    const MAX_EXCERPT_BYTES: usize = 100;

    /// A report as it arrived. Without an execution that its place names, the first execution id in it counts.
    pub fn new(received_at: Timestamp, place: Option<&ExecutionId>, payload: &[u8], reason: &str) -> Self {
        let text = to_text(payload);
        Self {
            received_at,
            execution: place.cloned().or_else(|| ExecutionId::find(&text)),
            reason: printable_prefix(reason, Self::MAX_REASON_BYTES).unwrap_or_default(),
            excerpt: printable_prefix(&text, Self::MAX_EXCERPT_BYTES).unwrap_or_default(),
        }
    }

    /// Whether another report says the same of the same execution, or, where they name none, soon after. A device
    /// reports all that is in its shadow again with every change.
    fn is_repeated_by(&self, other: &Self) -> bool {
        let content = |report: &Self| Self { received_at: self.received_at, ..report.clone() };
        let soon = other.received_at < self.received_at.plus_seconds(UnusableReports::REPEAT_SECONDS);
        content(self) == content(other) && (self.execution.is_some() || soon)
    }
}

impl UnusableReports {
    /// The most reports that are kept for a thing: their item stays below 1.5 KB.
    pub const MAX: usize = 3;
    /// A report that names no execution, and is repeated within this time, is kept once: not each message is a write.
    const REPEAT_SECONDS: u32 = 60;
    const RETENTION_SECONDS: u32 = 30 * 24 * 3600;

    /// When the reports may be forgotten: 30 days after the last one.
    pub fn purge_at(&self) -> Timestamp {
        let last = self.0.last().map_or_else(Timestamp::default, |report| report.received_at);
        last.plus_seconds(Self::RETENTION_SECONDS)
    }

    /// The reports with one more; `None` if it repeats one that is kept, as a second delivery of its event does.
    #[must_use]
    pub fn with(&self, report: UnusableReport) -> Option<Self> {
        if self.0.iter().any(|kept| kept.is_repeated_by(&report)) {
            return None;
        }
        let first = (self.0.len() + 1).saturating_sub(Self::MAX);
        let mut reports = self.0.get(first..).unwrap_or_default().to_vec();
        reports.push(report);
        Some(Self(reports))
    }

    /// The reports that are about an execution, or may be: those that name it, and those that came after its creation
    /// and name none.
    pub fn about(&self, execution: &Execution) -> impl Iterator<Item = &UnusableReport> {
        self.0.iter().filter(|report| match &report.execution {
            Some(named) => *named == execution.key.id,
            None => report.received_at >= execution.created_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::execution::fixtures::{CREATED_AT, execution};

    fn report(seconds: u32, payload: &str) -> UnusableReport {
        UnusableReport::new(CREATED_AT.plus_seconds(seconds), None, payload.as_bytes(), "the status is unknown")
    }

    fn excerpts(reports: &UnusableReports) -> Vec<&str> {
        reports.0.iter().map(|report| report.excerpt.as_str()).collect()
    }

    #[test]
    fn last_three_are_kept_and_repeats_are_not() {
        let mut reports = UnusableReports::default();
        for (seconds, payload) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
            reports = reports.with(report(seconds, payload)).unwrap();
        }
        assert_eq!(excerpts(&reports), ["b", "c", "d"]);
        assert_eq!(reports.with(report(4, "d")), None, "the event was handled twice");
        assert_eq!(reports.with(report(61, "b")), None, "the device repeats itself");
        let named = |seconds| report(seconds, &format!("CANCELED {}", "a".repeat(26)));
        let with_named = reports.with(named(5)).unwrap();
        assert_eq!(with_named.with(named(9999)), None, "it says the same of the same execution");
        assert_eq!(excerpts(&reports.with(report(62, "b")).unwrap()), ["c", "d", "b"]);
    }

    #[test]
    fn reports_about_an_execution_name_it_or_none() {
        let execution = execution(None);
        let other = "a".repeat(26);
        let named = UnusableReport::new(CREATED_AT, Some(&execution.key.id), b"x", "why");
        let of_other = UnusableReport::new(CREATED_AT, None, format!("CANCELED {other}").as_bytes(), "why");
        assert_eq!(of_other.execution.as_ref().map(ExecutionId::as_str), Some(other.as_str()));
        let before = UnusableReport { received_at: CREATED_AT.plus_seconds(0), ..report(0, "before") };
        let before =
            UnusableReport { received_at: Timestamp::from_millis(before.received_at.as_millis() - 1), ..before };
        let reports = UnusableReports(vec![named.clone(), of_other, before, report(1, "after")]);
        assert_eq!(reports.about(&execution).collect::<Vec<_>>(), [&named, &report(1, "after")]);
    }

    #[test]
    fn long_and_binary_reports_are_cut_and_cleaned() {
        let long = UnusableReport::new(CREATED_AT, None, &[b"a\x07\xff".repeat(100)].concat(), &"é".repeat(200));
        assert!(long.excerpt.starts_with("a \u{fffd}a") && long.excerpt.len() <= 100, "{long:?}");
        assert_eq!(long.reason.len(), 200);
    }
}
