//! Properties of the end: API, shadows and lanes agree with the rows.

use super::*;

#[test]
fn api_shows_the_stored_status() {
    let mut history = succeeded();
    history.shown.push(ShownExecution { thing: "pump".into(), execution: "one".into(), status: "FAILED".into() });
    assert_eq!(violated(&history), [Property::ApiShowsRow]);
}

#[test]
fn shadow_holds_no_ended_execution_unless_its_report_is_on_the_failure_queue() {
    let mut history = succeeded();
    history.shadow_entries.push(ShadowEntry { thing: "pump".into(), execution: "one".into(), section: "desired" });
    assert_eq!(violated(&history), [Property::ShadowIsClean]);
    history.reports.push(Report { on_failure_queue: true, ..report(10, 1, ReportedStatus::Succeeded) });
    assert_eq!(violated(&history), [Property::ShadowIsClean], "a failed report does not excuse a request");
    history.shadow_entries[0].section = "reported";
    assert_eq!(violated(&history), []);
    history.reports.pop();
    assert_eq!(violated(&history), [Property::ShadowIsClean]);
}

#[test]
fn ended_execution_leaves_its_lane() {
    let mut history = succeeded();
    let ids = vec!["one".to_owned()];
    history.lanes.push(LaneImage { after_images: 0, thing: "pump".into(), lane: "valve".into(), ids });
    assert_eq!(violated(&history), [], "without in_lane, the next execution in the lane removes it");
    history.images.iter_mut().for_each(|image| *image = with(image.clone(), "in_lane", "true"));
    assert_eq!(violated(&history), [Property::EndedLeavesLane]);
}
