//! The tables at the end: checks, latencies, totals, and the executions that differ.

use std::fmt::Write;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use device::fleet::Stats;

use super::checks::{Check, Recount, ThingResult, checks};
use super::latency::quantiles;

/// Differing executions that are listed one by one.
const MAX_LISTED: usize = 10;

pub(super) struct Report<'a> {
    pub things: &'a [ThingResult],
    pub recount: &'a Recount,
    pub stats: Stats,
    /// Number of things that receive the command first.
    pub canary: usize,
    /// From the command to the last final report that needs no move of the clock.
    pub reported_after: Option<Duration>,
    /// Time since the stack was up.
    pub wall: Duration,
}

impl Report<'_> {
    fn checks(&self) -> Vec<Check> {
        checks(self.things, self.recount)
    }

    /// Whether every check holds.
    pub fn is_good(&self) -> bool {
        self.checks().iter().all(Check::holds)
    }

    /// The whole report.
    pub fn text(&self) -> String {
        let checks = self.checks();
        let mut text = format!("\n{}\n\n{}\n\n{}", check_table(&checks), self.latencies(), self.totals());
        let failed = checks.iter().filter(|check| !check.holds()).count();
        // Writing to a string cannot fail.
        let _ = match failed {
            0 => write!(text, "\nAll {} executions ended as scripted.", self.things.len()),
            failed => write!(text, "\n{failed} of {} checks failed.", checks.len()),
        };
        let differing: Vec<_> = self.things.iter().filter(|thing| !thing.is_as_expected()).collect();
        for thing in differing.iter().take(MAX_LISTED) {
            let _ = write!(text, "\n  {}", describe(thing));
        }
        if differing.len() > MAX_LISTED {
            let _ = write!(text, "\n  and {} more", differing.len() - MAX_LISTED);
        }
        text
    }

    fn latencies(&self) -> Table {
        let mut table = table(&["ms", "count", "p50", "p90", "p99", "max"]);
        let mut row = |what: &str, durations: Vec<Duration>| {
            let count = durations.len().to_string();
            if let Some(quantiles) = quantiles(durations) {
                table.add_row([vec![what.to_owned(), count], quantiles.to_vec()].concat());
            }
        };
        let mut requests: Vec<Duration> = self.things.iter().filter_map(|thing| thing.request_after).collect();
        requests.sort_unstable();
        let others = requests.split_off(self.canary.min(requests.len()));
        // What only a move of the clock brings about took no real time.
        let in_time = || self.things.iter().filter(|thing| !thing.script.ends_at_deadline());
        let prompt = in_time().filter(|thing| thing.script.is_prompt());
        row("from the command to a request, canary", requests);
        row("from the command to a request, others (they wait for the canary and the rate)", others);
        row(
            "from a request to the final report, prompt things",
            prompt.filter_map(|thing| thing.report_after).collect(),
        );
        row(
            "from a request to the final report, all things in time",
            in_time().filter_map(|t| t.report_after).collect(),
        );
        align_numbers(table, 1)
    }

    fn totals(&self) -> String {
        let Stats { requests, reports, shadow_updates, deltas, delta_bytes, trimmed, trimmed_bytes, .. } = self.stats;
        let in_time = self.things.iter().filter(|thing| !thing.script.ends_at_deadline()).count();
        let saved = delta_bytes.saturating_sub(trimmed_bytes) * 100 / delta_bytes.max(1);
        let rollout = match self.reported_after {
            Some(after) => format!("{in_time} things had reported {:.1} s after the command", after.as_secs_f64()),
            None => "some things did not report in time".to_owned(),
        };
        format!(
            "commands  {requests} requests reached things, things sent {reports} reports\n\
             shadows   {shadow_updates} updates, {deltas} deltas of {delta_bytes} bytes, trimmed to {trimmed} messages of \
             {trimmed_bytes} bytes: {saved} % less\n\
             rollout   {rollout}\n\
             time      {:.1} s since the stack was up",
            self.wall.as_secs_f64()
        )
    }
}

fn describe(thing: &ThingResult) -> String {
    let does = thing.script.behaviour.describe();
    format!("{} ({does}): expected {}, actual {}", thing.thing, thing.expected(), thing.actual())
}

fn check_table(checks: &[Check]) -> Table {
    let mut table = table(&["check", "expected", "actual", ""]);
    for check in checks {
        let verdict = if check.holds() { "ok" } else { "DIFFERS" };
        table.add_row([&check.what, &check.expected, &check.actual, verdict]);
    }
    align_numbers(table, 1)
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(header);
    table
}

/// Aligns all columns from `first` on to the right.
fn align_numbers(mut table: Table, first: usize) -> Table {
    for column in table.column_iter_mut().skip(first) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests;
