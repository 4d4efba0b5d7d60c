//! The end of the demo: tables of outcomes and latencies, and what was not as scripted.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use device::fleet::Stats;

use super::api::Delivery;
use super::board::STATUSES;
use super::follow::Followed;
use super::latency::quantiles;

/// Differing executions that are told one by one.
const TOLD: usize = 10;

pub(super) struct Report<'a> {
    pub followed: &'a [Followed],
    pub heartbeats: bool,
    pub stats: Stats,
    pub wall: Duration,
}

/// `SUCCEEDED`, `TIMED_OUT / EXPIRED`, `SUCCEEDED (late)`.
fn name(status: &str, reason: Option<&str>, late: bool) -> String {
    let reason = reason.filter(|_| status == "TIMED_OUT").map(|r| format!(" / {r}")).unwrap_or_default();
    format!("{status}{reason}{}", if late { " (late)" } else { "" })
}

fn expected(followed: &Followed, heartbeats: bool) -> String {
    let expected = followed.script.expected(heartbeats);
    name(expected.status, expected.reason, expected.late)
}

fn actual(followed: &Followed) -> Option<String> {
    let end = followed.end.as_ref().ok()?;
    Some(name(&end.status, end.reason.as_deref(), end.late))
}

impl Followed {
    /// Whether it ended as its script says.
    pub fn is_as_scripted(&self, heartbeats: bool) -> bool {
        let expected = self.script.expected(heartbeats);
        self.end.as_ref().is_ok_and(|end| {
            end.status == expected.status
                && end.late == expected.late
                && expected.reason.is_none_or(|reason| end.reason.as_deref() == Some(reason))
        })
    }
}

impl Report<'_> {
    /// Whether every execution ended as its script says.
    pub fn is_good(&self) -> bool {
        self.followed.iter().all(|f| f.is_as_scripted(self.heartbeats))
    }

    /// All of it, as text.
    pub fn text(&self) -> String {
        let mut text = format!("\n{}\n\n{}\n\n{}", self.outcomes(), self.latencies(), self.totals());
        let wrong: Vec<_> = self.followed.iter().filter(|f| !f.is_as_scripted(self.heartbeats)).collect();
        let all = self.followed.len();
        // Writing to a string cannot fail.
        let _ = match wrong.len() {
            0 => write!(text, "\nAll {all} executions ended as scripted."),
            n => write!(text, "\n{n} of {all} executions did not end as scripted:"),
        };
        for followed in wrong.iter().take(TOLD) {
            let _ = write!(text, "\n  {}", self.explain(followed));
        }
        if wrong.len() > TOLD {
            let _ = write!(text, "\n  and {} more", wrong.len() - TOLD);
        }
        text
    }

    fn outcomes(&self) -> Table {
        let mut rows: BTreeMap<(usize, String), [usize; 4]> = BTreeMap::new();
        for followed in self.followed {
            let expected = expected(followed, self.heartbeats);
            let row = rows.entry((rank(&expected), expected)).or_default();
            row[usize::from(followed.delivery == Delivery::Topic)] += 1;
            row[2] += 1;
            if let Some(actual) = actual(followed) {
                rows.entry((rank(&actual), actual)).or_default()[3] += 1;
            }
        }
        let mut table = table(&["outcome", "direct", "topic", "expected", "actual"]);
        for ((_, outcome), counts) in rows {
            table.add_row([vec![outcome], counts.map(|n| n.to_string()).to_vec()].concat());
        }
        right(table)
    }

    fn latencies(&self) -> Table {
        let mut table = table(&["from request until, ms", "count", "p50", "p90", "p99", "max"]);
        let mut row = |what: String, durations: Vec<Duration>| {
            let count = durations.len().to_string();
            if let Some(quantiles) = quantiles(durations) {
                table.add_row([vec![what, count], quantiles.to_vec()].concat());
            }
        };
        let in_time = || self.followed.iter().filter(|f| !f.script.waits_for_time());
        for delivery in [Delivery::Direct, Delivery::Topic] {
            let of = in_time().filter(|f| f.delivery == delivery && f.script.is_prompt());
            row(format!("answered, {}, prompt things", delivery.as_str()), of.filter_map(|f| f.answered).collect());
        }
        for status in STATUSES {
            for delivery in [Delivery::Direct, Delivery::Topic] {
                let of = in_time().filter(|f| f.delivery == delivery);
                let of = of.filter(|f| f.end.as_ref().is_ok_and(|end| end.status == status));
                row(format!("{status}, {}", delivery.as_str()), of.filter_map(|f| f.settled).collect());
            }
        }
        right(table)
    }

    fn totals(&self) -> String {
        let Stats { requests, answers, reports, deltas, delta_bytes, trimmed, trimmed_bytes, .. } = self.stats;
        let saved = delta_bytes.saturating_sub(trimmed_bytes) * 100 / delta_bytes.max(1);
        format!(
            "commands  {requests} requests reached things, {answers} answers came back\n\
             shadows   {reports} reports, {deltas} deltas of {delta_bytes} bytes, trimmed to {trimmed} messages of \
             {trimmed_bytes} bytes: {saved} % less\n\
             time      {:.1} s",
            self.wall.as_secs_f64()
        )
    }

    fn explain(&self, followed: &Followed) -> String {
        let Followed { thing, script, delivery, end, .. } = followed;
        let (does, delivery) = (script.behaviour.describe(), delivery.as_str());
        let expected = expected(followed, self.heartbeats);
        match (end, actual(followed)) {
            (Err(error), _) => format!("{thing} ({delivery}, {does}): should be {expected}; {}", with_sources(error)),
            (Ok(_), actual) => {
                format!("{thing} ({delivery}, {does}): should be {expected}, is {}", actual.unwrap_or_default())
            }
        }
    }
}

/// An error and what caused it, in one line.
pub(super) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

/// Outcomes are listed in the order of their statuses.
fn rank(outcome: &str) -> usize {
    STATUSES.iter().position(|status| outcome.starts_with(status)).unwrap_or(STATUSES.len())
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_header(header);
    table
}

/// Numbers to the right.
fn right(mut table: Table) -> Table {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::api::{ApiError, Execution};
    use device::fleet::{Behaviour, Script};

    fn followed(behaviour: Behaviour, status: &str, reason: Option<&str>, late: bool) -> Followed {
        Followed {
            thing: format!("pump-{behaviour:?}"),
            script: Script { behaviour, work_ms: 5 },
            delivery: Delivery::Direct,
            end: Ok(Execution { status: status.to_owned(), reason: reason.map(str::to_owned), late }),
            answered: Some(Duration::from_millis(12)),
            settled: Some(Duration::from_millis(34)),
        }
    }

    fn report(followed: &[Followed]) -> Report<'_> {
        let stats = Stats { deltas: 2, delta_bytes: 400, trimmed: 2, trimmed_bytes: 100, ..Stats::default() };
        Report { followed, heartbeats: true, stats, wall: Duration::from_secs(3) }
    }

    #[test]
    fn all_as_scripted_is_good() {
        let all = [
            followed(Behaviour::Succeeds, "SUCCEEDED", None, false),
            followed(Behaviour::Late, "SUCCEEDED", None, true),
            followed(Behaviour::Mute, "TIMED_OUT", Some("NO_RESPONSE"), false),
            followed(Behaviour::Crashes, "TIMED_OUT", Some("HEARTBEAT_LOST"), false),
            followed(Behaviour::Fails, "FAILED", Some("PUMP_JAMMED"), false),
        ];
        let report = report(&all);
        assert!(report.is_good());
        let text = report.text();
        for part in ["All 5 executions ended as scripted.", "TIMED_OUT / NO_RESPONSE", "SUCCEEDED (late)", "75 % less"]
        {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }

    #[test]
    fn what_differs_is_told_with_what_it_should_be() {
        let refused = ApiError::Refused {
            what: "POST /commands for pump-x".to_owned(),
            status: reqwest::StatusCode::BAD_REQUEST,
            body: "no".to_owned(),
        };
        for (wrong, told) in [
            (followed(Behaviour::Fails, "SUCCEEDED", None, false), "should be FAILED, is SUCCEEDED"),
            (followed(Behaviour::Late, "TIMED_OUT", Some("EXPIRED"), false), "is TIMED_OUT / EXPIRED"),
            (followed(Behaviour::Succeeds, "SUCCEEDED", None, true), "is SUCCEEDED (late)"),
            (followed(Behaviour::Mute, "TIMED_OUT", Some("EXPIRED"), false), "should be TIMED_OUT / NO_RESPONSE"),
            (Followed { end: Err(refused), ..followed(Behaviour::Succeeds, "", None, false) }, "400 Bad Request no"),
        ] {
            let all = [wrong];
            let report = report(&all);
            assert!(!report.is_good());
            assert!(report.text().contains(told), "{told} is missing in {}", report.text());
        }
    }
}
