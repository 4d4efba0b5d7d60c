//! The rows that decide the demo's exit status: what is expected, and what happened.

use device::fleet::{Behaviour, Expected, Script};

use super::api::{CommandView, Execution, STATUSES};

/// One thing, its script and its execution.
pub(super) struct ThingResult {
    pub thing: String,
    pub script: Script,
    /// The execution as the API lists it; `None` if there is none.
    pub execution: Option<Execution>,
    /// From the request for the command to the request for the thing, on the broker.
    pub request_after: Option<std::time::Duration>,
    /// From the request for the thing to the thing's final report, on the broker.
    pub report_after: Option<std::time::Duration>,
}

/// All executions of a command, and the command's own counts of them.
pub(super) struct Recount {
    pub executions: Vec<Execution>,
    pub command: CommandView,
}

/// One check: it holds if both texts are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    pub what: String,
    pub expected: String,
    pub actual: String,
}

/// How the execution of a thing with this script ends in the demo.
///
/// The command goes to the things' request topics. A thing that never connects has no queue that keeps its request: the
/// message is sent, and the execution ends like that of a thing that sends no report.
pub(super) fn expected(script: &Script) -> Expected {
    let expected = script.expected(true);
    match script.behaviour {
        Behaviour::NeverOnline => Expected { reason: Some("NO_RESPONSE"), ..expected },
        _ => expected,
    }
}

/// `SUCCEEDED`, `TIMED_OUT / NO_RESPONSE`, `SUCCEEDED (late)`.
fn outcome(status: &str, reason: Option<&str>, late: bool) -> String {
    let reason = reason.map(|reason| format!(" / {reason}")).unwrap_or_default();
    format!("{status}{reason}{}", if late { " (late)" } else { "" })
}

impl ThingResult {
    /// The outcome that the script leads to.
    pub fn expected(&self) -> String {
        let Expected { status, reason, late } = expected(&self.script);
        outcome(status, reason, late)
    }

    /// The outcome of the execution.
    pub fn actual(&self) -> String {
        match &self.execution {
            Some(Execution { status, reason, late, .. }) => outcome(status, reason.as_deref(), *late),
            None => "no execution".to_owned(),
        }
    }

    /// Whether the execution ended as the script says.
    pub fn is_as_expected(&self) -> bool {
        self.expected() == self.actual()
    }
}

impl Recount {
    fn of(&self, status: &str) -> u64 {
        self.executions.iter().filter(|execution| execution.status == status).count() as u64
    }

    /// Whether the command's counts are those of its executions.
    pub fn is_consistent(&self) -> bool {
        let counts = &self.command.counts;
        let all = self.executions.len() as u64;
        counts.total == all && counts.waiting == 0 && STATUSES.iter().all(|status| counts.of(status) == self.of(status))
    }
}

impl Check {
    pub fn holds(&self) -> bool {
        self.expected == self.actual
    }

    fn new(what: impl Into<String>, expected: impl ToString, actual: impl ToString) -> Self {
        Self { what: what.into(), expected: expected.to_string(), actual: actual.to_string() }
    }
}

/// Every check of a run: one for each behaviour, then the number of executions, and the command's state and counts,
/// which must be those of its listed executions.
pub(super) fn checks(things: &[ThingResult], recount: &Recount) -> Vec<Check> {
    let mut kinds: Vec<Behaviour> = Vec::new();
    for thing in things {
        if !kinds.contains(&thing.script.behaviour) {
            kinds.push(thing.script.behaviour);
        }
    }
    let mut checks: Vec<Check> = kinds.into_iter().filter_map(|kind| of_kind(things, kind)).collect();
    checks.sort_by_key(|check| STATUSES.iter().position(|status| check.what.contains(status)));
    let CommandView { state, counts } = &recount.command;
    checks.push(Check::new("executions", things.len(), recount.executions.len()));
    checks.push(Check::new("state of the command", "COMPLETED", state));
    checks.push(Check::new("total of the command", recount.executions.len(), counts.total));
    checks.push(Check::new("waiting things of the command", 0, counts.waiting));
    let statuses = STATUSES.iter().map(|status| (status, recount.of(status), counts.of(status)));
    let occurring = statuses.filter(|(_, listed, counted)| listed + counted > 0);
    checks.extend(
        occurring.map(|(status, listed, counted)| Check::new(format!("command's count of {status}"), listed, counted)),
    );
    checks
}

/// How many things with this behaviour have the outcome that their scripts lead to.
fn of_kind(things: &[ThingResult], kind: Behaviour) -> Option<Check> {
    let of_kind: Vec<_> = things.iter().filter(|thing| thing.script.behaviour == kind).collect();
    let what = format!("{}: {}", kind.describe(), of_kind.first()?.expected());
    Some(Check::new(what, of_kind.len(), of_kind.iter().filter(|thing| thing.is_as_expected()).count()))
}
