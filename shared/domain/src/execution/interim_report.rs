//! The interim report: what a device says of an execution that it runs, beside that it runs it.

use crate::execution::progress::Attempt;
use crate::messages::report::device_report::Report;
use crate::messages::report::reason_code::ReasonCode;
use crate::messages::report::result::ReportResult;
use crate::timestamp::Timestamp;

/// The last IN_PROGRESS report with a reason or a result. A later one replaces it: a device may send many, and every
/// heartbeat rewrites the whole row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InterimReport {
    /// When the report came.
    pub at: Timestamp,
    /// The attempt that it belongs to.
    pub attempt: Attempt,
    /// The device's reason code.
    pub code: Option<ReasonCode>,
    /// The device's reason as a sentence.
    pub description: Option<String>,
    /// The interim result.
    pub result: Option<ReportResult>,
}

impl InterimReport {
    /// The most that is kept of an interim result, in bytes. A heartbeat costs a write unit for each KB of the row.
    pub const MAX_RESULT_BYTES: usize = 1024;

    /// What an IN_PROGRESS report says beside its status; none if it says nothing.
    pub(crate) fn of(report: &Report, at: Timestamp) -> Option<Self> {
        let says_more = report.code.is_some() || report.description.is_some() || report.result.is_some();
        says_more.then(|| Self {
            at,
            attempt: report.answered_attempt,
            code: report.code.clone(),
            description: report.description.clone(),
            result: report.result.as_ref().map(|result| result.cut_at(Self::MAX_RESULT_BYTES)),
        })
    }

    /// The report as it is stored, in one attribute: lines, of which only the last one, the result, can have breaks.
    pub fn to_stored(&self) -> String {
        let Self { at, attempt, code, description, result } = self;
        let code = code.as_ref().map(ReasonCode::as_str).unwrap_or_default();
        let description = description.as_deref().unwrap_or_default();
        let (mark, result) = match result {
            None => ("", ""),
            Some(ReportResult { text, truncated: false }) => ("=", text.as_str()),
            Some(ReportResult { text, truncated: true }) => ("~", text.as_str()),
        };
        format!("{}\n{attempt}\n{code}\n{description}\n{mark}{result}", at.as_millis())
    }

    /// The report as it was stored; none for any other text.
    pub fn from_stored(text: &str) -> Option<Self> {
        let mut lines = text.splitn(5, '\n');
        let mut next = || lines.next();
        let present = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Some(Self {
            at: Timestamp::from_millis(next()?.parse().ok()?),
            attempt: next()?.parse().ok()?,
            code: next().and_then(ReasonCode::clean),
            description: present(next()?),
            result: match next()? {
                "" => None,
                result => {
                    let text = result.strip_prefix(['=', '~'])?.to_owned();
                    Some(ReportResult { text, truncated: result.starts_with('~') })
                }
            },
        })
    }

    /// Whether it says the same, at the same time or at another.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        Self { at: other.at, ..self.clone() } == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::execution::fixtures::{CREATED_AT, after_report, execution, report};

    #[test]
    fn stored_report_is_read_back() {
        let row = execution(None);
        for payload in [
            r#"{"status":"RUNNING","result":{"done":"40 %"}}"#,
            "{\"status\":\"RUNNING\",\"result\":{\n\"done\":\n 40}}",
            r#"{"status":"RUNNING","statusReason":{"reasonCode":"WARMING","reasonDescription":"8 | 9 °C"}}"#,
            r#"{"status":"RUNNING","result":null,"statusReason":{"reasonCode":"WARMING"}}"#,
        ] {
            let interim = InterimReport::of(&report(&row, payload), CREATED_AT).unwrap();
            assert_eq!(InterimReport::from_stored(&interim.to_stored()), Some(interim));
        }
        let long = format!(r#"{{"status":"RUNNING","result":"{}"}}"#, "é".repeat(600));
        let interim = InterimReport::of(&report(&row, &long), CREATED_AT).unwrap();
        let result = interim.result.as_ref().unwrap();
        assert_eq!((result.text.len(), result.truncated), (InterimReport::MAX_RESULT_BYTES - 1, true));
        assert_eq!(InterimReport::from_stored(&interim.to_stored()), Some(interim));
        for text in ["", "1\n1\n\n", "x\n1\n\n\n=1", "1\n1\n\n\n1"] {
            assert_eq!(InterimReport::from_stored(text), None, "{text}");
        }
    }

    #[test]
    fn last_interim_report_is_kept_and_a_plain_heartbeat_leaves_it() {
        let running = after_report(&execution(Some(30)), 5, r#"{"status":"RUNNING","result":1}"#).unwrap();
        let shown = |row: &crate::execution::row::Execution| {
            let interim = row.interim.as_ref().unwrap();
            (interim.result.as_ref().unwrap().text.clone(), interim.at)
        };
        let at = |seconds| CREATED_AT.plus_seconds(seconds);
        assert_eq!(shown(&running), ("1".to_owned(), at(5)));
        let later = after_report(&running, 8, r#"{"status":"RUNNING","seq":1}"#).unwrap();
        assert_eq!(shown(&later), ("1".to_owned(), at(5)));
        let later = after_report(&later, 9, r#"{"status":"RUNNING","seq":2,"result":2}"#).unwrap();
        assert_eq!(shown(&later), ("2".to_owned(), at(9)));
        assert_eq!(after_report(&later, 10, r#"{"status":"RUNNING","seq":1,"result":1}"#), None, "it is older");
        let ended = after_report(&later, 11, r#"{"status":"SUCCEEDED","result":3}"#).unwrap();
        assert_eq!(shown(&ended), ("2".to_owned(), at(9)));
    }

    #[test]
    fn unnumbered_report_with_something_new_counts_without_heartbeats_too() {
        let running = after_report(&execution(None), 5, r#"{"status":"RUNNING","result":1}"#).unwrap();
        let change = |payload: &str| report(&running, payload).change(running.key.clone(), CREATED_AT.plus_seconds(6));
        let new = change(r#"{"status":"RUNNING","result":2}"#);
        assert_eq!(running.apply(&new), None, "its progress does not grow");
        assert!(running.lacks_interim_report(&new));
        let kept = running.apply(&running.active_again(&new).unwrap()).unwrap();
        assert_eq!(kept.interim.and_then(|interim| interim.result).map(|result| result.text), Some("2".to_owned()));
        let same = change(r#"{"status":"RUNNING","result":1}"#);
        assert!(!running.lacks_interim_report(&same));
        assert_eq!(running.active_again(&change("RUNNING")), None);
        let later = after_report(&running, 7, r#"{"status":"RUNNING","seq":2}"#).unwrap();
        assert_eq!(later.active_again(&change(r#"{"status":"RUNNING","seq":1,"result":2}"#)), None, "it is older");
    }
}
