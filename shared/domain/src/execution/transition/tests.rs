//! Properties of sequences of changes.

use proptest::prelude::*;

use super::*;

use crate::execution::fixtures::{CREATED_AT, actor, execution, report};
use crate::execution::row::Verdict;
use crate::status::Reason;

/// Every change that may happen to an execution in its first attempt.
fn any_change() -> impl Strategy<Value = Change> {
    let created = execution(Some(30));
    let reported = |payload: &str| report(&created, payload).change(created.key.clone(), CREATED_AT.plus_seconds(7));
    let verdict = Verdict { reason: Reason::Expired, at: created.start_by };
    proptest::sample::select(vec![
        created.queued(CREATED_AT, actor()),
        created.sent(CREATED_AT, actor()),
        created.send_failed(CREATED_AT, actor(), true),
        created.delivered(CREATED_AT, actor()),
        created.give_up(verdict, created.start_by, actor()),
        reported("RUNNING"),
        reported(r#"{"status":"IN_PROGRESS","seq":1}"#),
        reported(r#"{"status":"IN_PROGRESS","seq":2}"#),
        reported("FAILED"),
        reported("SUCCEEDED"),
    ])
}

proptest! {
    #[test]
    fn progress_only_grows_and_a_final_status_never_changes(
        changes in proptest::collection::vec(any_change(), 0..30),
    ) {
        let mut row = execution(Some(30));
        for change in changes {
            let Some(next) = row.apply(&change) else { continue };
            prop_assert!(next.progress > row.progress);
            prop_assert!(!row.progress.is_final());
            prop_assert_eq!(next.is_terminal(), next.progress.is_terminal());
            prop_assert_eq!(next.due_at.is_some(), !next.is_terminal());
            prop_assert_eq!(next.outcome.is_some(), next.progress.is_final());
            row = next;
        }
    }

    #[test]
    fn change_is_applied_at_most_once(changes in proptest::collection::vec(any_change(), 0..30)) {
        let mut row = execution(Some(30));
        for change in changes {
            row = row.apply(&change).unwrap_or(row);
            prop_assert_eq!(row.apply(&change), None);
        }
    }

    #[test]
    fn final_row_does_not_depend_on_the_order_of_the_changes(
        mut changes in proptest::collection::vec(any_change(), 0..12),
    ) {
        // Verdicts depend on what they have read; and of several reports of an end the first counts.
        changes.retain(|change| !matches!(change.effect, Effect::CloudVerdict(_)));
        let end = changes.iter().find(|change| change.is_terminal()).cloned();
        changes.retain(|change| !change.is_terminal());
        changes.extend(end);
        let result = |changes: &[Change]| {
            let last = changes.iter().fold(execution(Some(30)), |row, change| row.apply(change).unwrap_or(row));
            (last.progress, last.is_terminal().then_some(last.status))
        };
        let forward = result(&changes);
        changes.reverse();
        prop_assert_eq!(forward, result(&changes));
    }
}
