//! At the end the API shows what is stored, no shadow holds an ended execution, and no ended execution is in a lane.

use std::collections::BTreeMap;

use super::RowImage;
use super::entries::ImagesByRow;
use super::{History, Property, Report, ShadowEntry, Violation};

pub(super) fn check(history: &History) -> Vec<Violation> {
    if !history.is_over {
        return Vec::new();
    }
    let rows = history.images_by_row();
    let mut found = Vec::new();
    for shown in &history.shown {
        let last = last_image(&rows, &shown.thing, &shown.execution);
        if let Some(last) = last.filter(|last| last.status() != shown.status) {
            let entries = format!("the API shows {}: {last}", shown.status);
            found.push(Violation::new(Property::ApiShowsRow, &shown.thing, &shown.execution, entries));
        }
    }
    for entry in history.shadow_entries.iter().filter(|entry| !is_excused(history, entry)) {
        let last = last_image(&rows, &entry.thing, &entry.execution);
        if let Some(last) = last.filter(|last| last.is_terminal()) {
            let entries = format!("{} of a shadow still has it: {last}", entry.section);
            found.push(Violation::new(Property::ShadowIsClean, &entry.thing, &entry.execution, entries));
        }
    }
    let queues: BTreeMap<_, _> = history.lanes.iter().map(|queue| ((&queue.thing, &queue.lane), &queue.ids)).collect();
    for ((thing, lane), ids) in queues {
        // An id without in_lane was queued again by a late write; the next execution in the lane removes it.
        let is_in_lane = |id: &&String| last_image(&rows, thing, id).is_some_and(|last| last.text("in_lane").is_some());
        for id in ids.iter().filter(is_in_lane) {
            let entries = format!("the queue of lane {lane} still has it: {ids:?}");
            found.push(Violation::new(Property::EndedLeavesLane, thing, id, entries));
        }
    }
    found
}

/// The last image of a row.
fn last_image<'a>(rows: &ImagesByRow<'a>, thing: &'a str, execution: &'a str) -> Option<&'a RowImage> {
    rows.get(&(thing, execution)).and_then(|images| images.last().copied())
}

/// Whether a reported entry was repeated by the device, and the event of that report is on the failure queue: no
/// function removes the entry then.
fn is_excused(history: &History, entry: &ShadowEntry) -> bool {
    let is_about = |report: &&Report| report.thing == entry.thing && report.execution == entry.execution;
    entry.section == "reported" && history.reports.iter().filter(is_about).any(|report| report.on_failure_queue)
}
