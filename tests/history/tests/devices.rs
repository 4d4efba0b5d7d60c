//! Properties of what devices receive, run and report.

use super::*;

#[test]
fn attempt_runs_once_unless_its_device_lost_its_memory() {
    let with_runs = |runs: &[Run]| {
        let mut history = succeeded();
        history.runs = runs.to_vec();
        history
    };
    assert_eq!(violated(&with_runs(&[run(4, 1), run(5, 2)])), [], "another attempt is another run");
    assert_eq!(violated(&with_runs(&[run(4, 1), run(5, 1)])), [Property::AttemptRunsOnce]);
    let after_loss = |at_ms: i64, thing: &str| {
        let mut history = with_runs(&[run(4, 1), run(8, 1)]);
        history.memory_losses.push((at_ms, thing.to_owned()));
        violated(&history)
    };
    assert_eq!(after_loss(6, "pump"), []);
    for (at_ms, thing) in [(3, "pump"), (9, "pump"), (6, "valve")] {
        assert_eq!(after_loss(at_ms, thing), [Property::AttemptRunsOnce], "{thing} lost its memory at {at_ms}");
    }
}

#[test]
fn run_starts_before_its_expiry_by_a_clock_within_the_tolerance() {
    let started_at = |at_ms| {
        let mut history = succeeded();
        history.runs = vec![run(at_ms, 1)];
        violated(&history)
    };
    assert_eq!(started_at(START_BY + 10), []);
    assert_eq!(started_at(START_BY + 11), [Property::RunStartsInTime]);
}

#[test]
fn request_agrees_with_the_row() {
    let with_delivery = |change: fn(&mut Delivery)| {
        let mut history = succeeded();
        change(&mut history.deliveries[0]);
        violated(&history)
    };
    assert_eq!(with_delivery(|delivery| delivery.at_ms = -1)[0], Property::RequestMatchesRow);
    assert_eq!(with_delivery(|delivery| delivery.attempt = 2)[0], Property::RequestMatchesRow);
    assert_eq!(with_delivery(|delivery| delivery.execution = "two".into())[0], Property::RequestMatchesRow);
    assert_eq!(with_delivery(|delivery| delivery.expires_at_ms += 1000), [Property::RunStartsInTime]);
}

#[test]
fn request_is_claimed_before_it_is_sent() {
    let mut history = succeeded();
    history.images.iter_mut().for_each(|image| *image = without(image.clone(), "sent_at"));
    assert_eq!(violated(&history), [Property::RequestIsClaimed]);
}

#[test]
fn canceled_execution_does_not_start() {
    let mut history = succeeded();
    history.cancel_notices.push(CancelNotice { at_ms: 3, thing: "pump".into(), execution: "one".into() });
    assert_eq!(violated(&history), [Property::CancelIsKept]);
}

#[test]
fn final_report_is_in_the_row_unless_it_is_on_the_failure_queue() {
    let images = [row(0, 1, 0, "CREATED"), row(70, 1, 8, "TIMED_OUT")];
    let mut failed = report(8, 1, ReportedStatus::Failed);
    assert_eq!(violated(&history(&images, &[failed.clone()])), [Property::ReportIsStored]);
    failed.on_failure_queue = true;
    assert_eq!(violations(&history(&images, &[failed])), []);
}

#[test]
fn first_final_report_is_kept() {
    let images = [row(0, 1, 0, "CREATED"), row(9, 1, 12, "FAILED")];
    let reports = [report(8, 1, ReportedStatus::Failed), report(9, 1, ReportedStatus::Succeeded)];
    assert_eq!(violations(&history(&images, &reports)), []);
}

#[test]
fn final_status_was_reported_by_the_device_before() {
    let images = [row(0, 1, 0, "CREATED"), row(9, 1, 12, "FAILED")];
    let with_reports = |reports: &[Report]| violated(&history(&images, reports));
    assert_eq!(with_reports(&[]), [Property::FinalStatusWasReported]);
    let later = report(10, 1, ReportedStatus::Failed);
    assert_eq!(with_reports(&[later]), [Property::FinalStatusWasReported], "the report came after the write");
    let mut of_another = report(8, 1, ReportedStatus::Failed);
    of_another.execution = "two".into();
    assert_eq!(with_reports(&[of_another.clone()]), [Property::FinalStatusWasReported]);
    of_another.is_named = false;
    assert_eq!(with_reports(&[of_another]), [], "a report without an execution id can be about this one");
}
