//! Properties of rows: accepted executions are stored and end; rows change only as their progress allows.

use super::*;

#[test]
fn accepted_execution_is_stored_and_ends() {
    let mut unstored = succeeded();
    unstored.accepted.push(("pump".into(), "two".into()));
    assert_eq!(violated(&unstored), [Property::AcceptedIsStored]);
    let mut open = history(&[row(0, 1, 0, "CREATED")], &[]);
    assert_eq!(violated(&open), [Property::ExecutionEnds, Property::NothingStaysDue]);
    open.is_over = false;
    assert_eq!(violations(&open), [], "its deadlines have not passed");
    let due = with(with(row(70, 1, 8, "TIMED_OUT"), "due_at", "61"), "due_shard", "3");
    assert_eq!(violated(&history(&[row(0, 1, 0, "CREATED"), due], &[])), [Property::NothingStaysDue]);
}

#[test]
fn row_changes_only_as_its_progress_allows() {
    let created = row(0, 1, 0, "CREATED");
    let illegal = |images: &[RowImage]| assert_ne!(transitions::check(&history(images, &[])), [], "{images:#?}");
    let failed = row(9, 1, 12, "FAILED");
    illegal(&[created.clone(), failed.clone(), row(10, 1, 15, "SUCCEEDED")]);
    illegal(&[row(5, 1, 8, "TIMED_OUT")]);
    illegal(&[created.clone(), failed.clone(), row(10, 1, 8, "TIMED_OUT")]);
    illegal(&[created.clone(), row(10, 1, 8, "CANCELED")]);
    illegal(&[created.clone(), row(9, 2, 8, "TIMED_OUT")]);
    illegal(&[created.clone(), failed.clone(), row(10, 2, 0, "CREATED"), row(11, 2, 12, "FAILED")]);
    illegal(&[created.clone(), without(row(9, 1, 8, "TIMED_OUT"), "verdict")]);
    illegal(&[created.clone(), without(failed.clone(), "finished_at")]);
    illegal(&[created.clone(), with(failed.clone(), "finished_at", "9000000000000")]);
    illegal(&[created.clone(), with(failed.clone(), "start_by", "61000")]);
    for attribute in ["result", "channel", "delivery_status", "reason_description"] {
        illegal(&[created.clone(), failed.clone(), with(failed.clone(), attribute, "other")]);
    }
    illegal(&[created.clone(), failed.clone(), with(row(10, 1, 12, "REJECTED"), "finished_at", "9")]);
    illegal(&[created.clone(), without(row(5, 1, 2, "IN_PROGRESS"), "due_at"), failed]);
}

#[test]
fn retry_policy_allows_the_next_attempt_only_for_the_reasons_that_it_names() {
    let retried = |reason: &str, attempt: u64| {
        let images = [row(0, 1, 0, "CREATED"), row(5, 1, 2, "IN_PROGRESS"), row(9, attempt, 0, "CREATED")];
        let entries = format!(r#"[{{"S":"9 1 {reason}"}}]"#);
        history(&images.map(|image| with(with(image, "retry", "2 4 30 5 300"), "history", &entries)), &[])
    };
    assert_eq!(transitions::check(&retried("FAILED", 2)), [], "the policy's 4 is the bit of FAILED");
    assert_ne!(transitions::check(&retried("NO_RESPONSE", 2)), []);
    assert_ne!(transitions::check(&retried("FAILED", 3)), [], "the policy's 2 is the number of attempts");
    let mut ended = retried("FAILED", 2);
    ended.images[1] = with(row(5, 1, 12, "FAILED"), "retry", "2 4 30 5 300");
    assert_ne!(transitions::check(&ended), []);
}

#[test]
fn excluded_thing_has_no_execution() {
    let excluding = |thing: &str, command: &str| {
        let mut history = succeeded();
        history.images.iter_mut().for_each(|image| *image = with(image.clone(), "command_id", "ring"));
        history.excluded.insert((thing.to_owned(), command.to_owned()));
        violated(&history)
    };
    assert_eq!(excluding("valve", "ring"), []);
    assert_eq!(excluding("pump", "reboot"), []);
    assert_eq!(excluding("pump", "ring"), [Property::ExcludedIsNotAsked]);
}
