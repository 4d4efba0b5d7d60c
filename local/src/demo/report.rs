//! The end of the demo: tables of outcomes and latencies, and what was not as scripted.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use device::fleet::{Script, Stats};

use super::api::{Execution, STATUSES, Standing};
use super::latency::quantiles;

/// Differing executions that are told one by one.
const TOLD: usize = 10;

/// What became of one thing's execution.
pub(super) struct Followed {
    pub thing: String,
    pub script: Script,
    /// How it stood in the end; none if there was no execution.
    pub end: Option<Execution>,
    /// From the request for the command until that to the thing was on the broker.
    pub asked: Option<Duration>,
    /// From the request to the thing until its verdict was on the broker.
    pub answered: Option<Duration>,
}

/// All executions of a command, and what its counts say of them.
pub(super) struct Recount {
    pub executions: Vec<Execution>,
    pub standing: Standing,
}

impl Recount {
    fn of(&self, status: &str) -> u64 {
        self.executions.iter().filter(|execution| execution.status == status).count() as u64
    }

    /// Whether the counts are those of the executions.
    pub fn is_equal(&self) -> bool {
        let counts = &self.standing.counts;
        let all = self.executions.len() as u64;
        counts.total == all && counts.waiting == 0 && STATUSES.iter().all(|status| counts.of(status) == self.of(status))
    }

    fn explain(&self) -> String {
        let Self { executions, standing } = self;
        if self.is_equal() {
            return format!("The command is {}, and its counts are those of its executions.", standing.state);
        }
        let parts = STATUSES.iter().map(|status| (status, self.of(status))).filter(|(_, count)| *count > 0);
        let found = parts.map(|(status, count)| format!("{status} {count}")).collect::<Vec<_>>().join(", ");
        let (counts, total) = (&standing.counts, standing.counts.total);
        format!(
            "The command is {}. Its counts say {} of {total}, but {} executions are {found}.",
            standing.state,
            counts.summary(),
            executions.len()
        )
    }
}

pub(super) struct Report<'a> {
    pub followed: &'a [Followed],
    pub recount: &'a Recount,
    pub heartbeats: bool,
    pub stats: Stats,
    /// From the request until the last thing that waited for nothing but its work had answered.
    pub in_time: Duration,
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
    let end = followed.end.as_ref()?;
    Some(name(&end.status, end.reason.as_deref(), end.late))
}

impl Followed {
    /// Whether it ended as its script says.
    pub fn is_as_scripted(&self, heartbeats: bool) -> bool {
        let expected = self.script.expected(heartbeats);
        self.end.as_ref().is_some_and(|end| {
            end.status == expected.status
                && end.late == expected.late
                && expected.reason.is_none_or(|reason| end.reason.as_deref() == Some(reason))
        })
    }
}

impl Report<'_> {
    /// Whether every execution ended as its script says, the command is completed, and its counts are right.
    pub fn is_good(&self) -> bool {
        let counted = self.recount.standing.state == "COMPLETED" && self.recount.is_equal();
        let executions = self.recount.executions.len() == self.followed.len();
        counted && executions && self.followed.iter().all(|f| f.is_as_scripted(self.heartbeats))
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
        let _ = write!(text, "\n{}", self.recount.explain());
        text
    }

    fn outcomes(&self) -> Table {
        let mut rows: BTreeMap<(usize, String), [usize; 2]> = BTreeMap::new();
        for followed in self.followed {
            let expected = expected(followed, self.heartbeats);
            rows.entry((rank(&expected), expected)).or_default()[0] += 1;
            if let Some(actual) = actual(followed) {
                rows.entry((rank(&actual), actual)).or_default()[1] += 1;
            }
        }
        let mut table = table(&["outcome", "expected", "actual"]);
        for ((_, outcome), counts) in rows {
            table.add_row([vec![outcome], counts.map(|n| n.to_string()).to_vec()].concat());
        }
        right(table)
    }

    fn latencies(&self) -> Table {
        let mut table = table(&["ms", "count", "p50", "p90", "p99", "max"]);
        let mut row = |what: &str, durations: Vec<Duration>| {
            let count = durations.len().to_string();
            if let Some(quantiles) = quantiles(durations) {
                table.add_row([vec![what.to_owned(), count], quantiles.to_vec()].concat());
            }
        };
        // What only moving the clock brought about took no time.
        let in_time = || self.followed.iter().filter(|f| !f.script.waits_for_time());
        let prompt = in_time().filter(|f| f.script.is_prompt());
        row("from the command to a thing's request", self.followed.iter().filter_map(|f| f.asked).collect());
        row("from that to its verdict, prompt things", prompt.filter_map(|f| f.answered).collect());
        row("from that to its verdict, all in time", in_time().filter_map(|f| f.answered).collect());
        right(table)
    }

    fn totals(&self) -> String {
        let Stats { requests, answers, reports, deltas, delta_bytes, trimmed, trimmed_bytes, .. } = self.stats;
        let in_time = self.followed.iter().filter(|f| !f.script.waits_for_time()).count();
        let saved = delta_bytes.saturating_sub(trimmed_bytes) * 100 / delta_bytes.max(1);
        format!(
            "commands  {requests} requests reached things, {answers} answers came back\n\
             shadows   {reports} reports, {deltas} deltas of {delta_bytes} bytes, trimmed to {trimmed} messages of \
             {trimmed_bytes} bytes: {saved} % less\n\
             rollout   {in_time} things in time in {:.1} s: {:.0} a second\n\
             time      {:.1} s",
            self.in_time.as_secs_f64(),
            in_time as f64 / self.in_time.as_secs_f64().max(0.001),
            self.wall.as_secs_f64()
        )
    }

    fn explain(&self, followed: &Followed) -> String {
        let (thing, does) = (&followed.thing, followed.script.behaviour.describe());
        let actual = actual(followed).unwrap_or_else(|| "missing".to_owned());
        format!("{thing} ({does}): should be {}, is {actual}", expected(followed, self.heartbeats))
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
    use device::fleet::Behaviour;

    fn followed(behaviour: Behaviour, status: &str, reason: Option<&str>, late: bool) -> Followed {
        let thing = format!("pump-{behaviour:?}");
        let (status, reason) = (status.to_owned(), reason.map(str::to_owned));
        Followed {
            end: Some(Execution { thing: thing.clone(), status, reason, late }),
            thing,
            script: Script { behaviour, work_ms: 5 },
            asked: Some(Duration::from_millis(12)),
            answered: Some(Duration::from_millis(34)),
        }
    }

    fn recount(followed: &[Followed], counts: serde_json::Value) -> Recount {
        let standing = serde_json::from_value(serde_json::json!({"state": "COMPLETED", "counts": counts}));
        let executions = followed.iter().filter_map(|followed| followed.end.clone()).collect();
        Recount { executions, standing: standing.expect("a standing") }
    }

    fn report<'a>(followed: &'a [Followed], recount: &'a Recount) -> Report<'a> {
        let stats = Stats { deltas: 2, delta_bytes: 400, trimmed: 2, trimmed_bytes: 100, ..Stats::default() };
        let (in_time, wall) = (Duration::from_secs(2), Duration::from_secs(3));
        Report { followed, recount, heartbeats: true, stats, in_time, wall }
    }

    fn all() -> [Followed; 5] {
        [
            followed(Behaviour::Succeeds, "SUCCEEDED", None, false),
            followed(Behaviour::Late, "SUCCEEDED", None, true),
            followed(Behaviour::Mute, "TIMED_OUT", Some("NO_RESPONSE"), false),
            followed(Behaviour::Crashes, "TIMED_OUT", Some("HEARTBEAT_LOST"), false),
            followed(Behaviour::Fails, "FAILED", Some("PUMP_JAMMED"), false),
        ]
    }

    #[test]
    fn all_as_scripted_and_counted_is_good() {
        let all = all();
        let recount =
            recount(&all, serde_json::json!({"total": 5, "waiting": 0, "SUCCEEDED": 2, "TIMED_OUT": 2, "FAILED": 1}));
        let report = report(&all, &recount);
        assert!(report.is_good());
        let text = report.text();
        for part in ["All 5 executions ended as scripted.", "TIMED_OUT / NO_RESPONSE", "SUCCEEDED (late)", "75 % less"]
        {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }

    #[test]
    fn wrong_counts_are_told() {
        let all = all();
        for counts in [
            serde_json::json!({"total": 5, "waiting": 0, "SUCCEEDED": 3, "TIMED_OUT": 1, "FAILED": 1}),
            serde_json::json!({"total": 6, "waiting": 1, "SUCCEEDED": 2, "TIMED_OUT": 2, "FAILED": 1}),
        ] {
            let recount = recount(&all, counts);
            let report = report(&all, &recount);
            assert!(!report.is_good());
            assert!(report.text().contains("but 5 executions are SUCCEEDED 2, FAILED 1, TIMED_OUT 2."));
        }
    }

    #[test]
    fn what_differs_is_told_with_what_it_should_be() {
        for (wrong, told) in [
            (followed(Behaviour::Fails, "SUCCEEDED", None, false), "should be FAILED, is SUCCEEDED"),
            (followed(Behaviour::Late, "TIMED_OUT", Some("EXPIRED"), false), "is TIMED_OUT / EXPIRED"),
            (followed(Behaviour::Succeeds, "SUCCEEDED", None, true), "is SUCCEEDED (late)"),
            (followed(Behaviour::Mute, "TIMED_OUT", Some("EXPIRED"), false), "should be TIMED_OUT / NO_RESPONSE"),
            (Followed { end: None, ..followed(Behaviour::Succeeds, "", None, false) }, "is missing"),
        ] {
            let all = [wrong];
            let recount = recount(&all, serde_json::json!({"total": 1, "waiting": 0}));
            let report = report(&all, &recount);
            assert!(!report.is_good());
            assert!(report.text().contains(told), "{told} is missing in {}", report.text());
        }
    }
}
