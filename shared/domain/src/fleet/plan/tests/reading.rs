//! Tests of reading the target: pages, restarted and skipped sources.

use super::{at, command_for, immediate};
use crate::fleet::plan::row::{Cursor, Plan};

#[test]
fn a_page_token_is_kept_until_the_last_page_of_its_source() {
    let plan = Plan::new(&command_for(&immediate()), at(0));
    let plan = plan.page_read(100, 1, Some("page 2".to_owned()), at(1));
    assert_eq!(plan.cursor, Cursor { source: 0, token: Some("page 2".to_owned()), restarts: 0 });
    let plan = plan.page_read(50, 2, None, at(2));
    assert_eq!(plan.cursor, Cursor { source: 1, token: None, restarts: 0 });
    assert_eq!((plan.things, plan.batches, plan.revision), (150, 2, 2));
}

#[test]
fn a_source_is_restarted_three_times_and_then_skipped_with_a_note() {
    let fleet = immediate();
    let source = fleet.selection.source(0).unwrap();
    let mut plan = Plan::new(&command_for(&fleet), at(0)).page_read(100, 1, Some("page 2".to_owned()), at(1));
    for restarts in 1..=3 {
        plan = plan.restart_source(source, at(2));
        assert_eq!(plan.cursor, Cursor { source: 0, token: None, restarts });
        plan = plan.page_read(100, 1 + restarts, Some("page 2".to_owned()), at(3));
    }
    let skipped = plan.restart_source(source, at(4));
    assert_eq!(skipped.cursor, Cursor { source: 1, token: None, restarts: 0 });
    assert_eq!(skipped.notes, ["the group pumps could not be read to its end: its pages expire too fast"]);
    assert_eq!((skipped.things, skipped.batches), (plan.things, plan.batches));
}

#[test]
fn a_target_without_things_is_noted() {
    let plan = Plan::new(&command_for(&immediate()), at(0));
    assert_eq!(plan.page_read(0, 0, None, at(1)).finish_reading().notes, ["the target selects no thing"]);
    assert!(plan.page_read(1, 1, None, at(1)).finish_reading().notes.is_empty());
}

#[test]
fn the_due_entry_moves_only_after_it_has_come_up() {
    let plan = Plan::new(&command_for(&immediate()), at(0));
    let due_at = plan.due_at;
    assert_eq!(plan.page_read(1, 1, None, at(30)).due_at, due_at);
    let later = plan.page_read(1, 1, None, at(61)).due_at;
    assert!(later > due_at, "{later:?}");
    assert_eq!(plan.mark_ready(at(30)).due_at, due_at, "an earlier due time is kept");
}

#[test]
fn only_changes_that_the_api_shows_are_published() {
    let plan = Plan::new(&command_for(&immediate()), at(0));
    assert!(!plan.page_read(1, 1, None, at(1)).changes_state(&plan));
    assert!(plan.finish_reading().changes_state(&plan));
    assert!(plan.propagated(1, 0, at(1)).changes_state(&plan));
    assert!(plan.close("closed".to_owned(), 0, plan.release_position, at(1)).changes_state(&plan));
}
