//! A final report of a device is in the row at the end, and a final status in a row was reported by the device.

use super::row_image::{FAILED, SUCCEEDED};
use super::{History, Property, Report, ReportedStatus, RowImage, Violation};

pub(super) fn check(history: &History) -> Vec<Violation> {
    let rows = history.images_by_row();
    let mut found = Vec::new();
    for report in history.reports.iter().filter(|report| must_be_stored(history, report)) {
        let images = rows.get(&(report.thing.as_str(), report.execution.as_str()));
        let last = images.and_then(|images| images.last());
        if let Some(last) = last.filter(|last| !is_stored(last, report)) {
            let Report { at_ms, attempt, status, .. } = report;
            let entries = format!("its device reported {} for attempt {attempt} at {at_ms}: {last}", status.as_str());
            found.push(Violation::new(Property::ReportIsStored, &report.thing, &report.execution, entries));
        }
    }
    for images in rows.values() {
        let mut before: Option<&RowImage> = None;
        for image in images {
            if image.is_final() && before.is_none_or(|before| before.progress() != image.progress()) {
                found.extend(check_was_reported(history, image));
            }
            before = Some(image);
        }
    }
    found
}

/// Whether the row has to hold this report at the end: a final status, with the execution that it is about.
fn must_be_stored(history: &History, report: &Report) -> bool {
    history.is_over && report.is_named && !report.on_failure_queue && report.status != ReportedStatus::InProgress
}

/// Whether the last image of a row holds a report, or one that takes precedence.
fn is_stored(last: &RowImage, report: &Report) -> bool {
    let progress = last.progress();
    match report.status {
        // The device's first final report stays.
        ReportedStatus::Succeeded => progress.rank >= FAILED,
        _ => {
            progress.rank == SUCCEEDED
                || progress.attempt > report.attempt
                || (progress.attempt == report.attempt && progress.rank == FAILED)
        }
    }
}

/// Checks that a report of this final status was sent before the image was written.
fn check_was_reported(history: &History, image: &RowImage) -> Option<Violation> {
    let was_reported = history.reports.iter().any(|report| {
        // A report that names no execution can be about any execution on its thing.
        let is_about = !report.is_named || report.execution == image.execution;
        is_about
            && report.thing == image.thing
            && report.at_ms <= image.at_ms
            && report.status.as_str() == image.status()
    });
    let violation = || {
        let entries = format!("no report of its device says so: {image}");
        Violation::new(Property::FinalStatusWasReported, &image.thing, &image.execution, entries)
    };
    (!was_reported).then(violation)
}
