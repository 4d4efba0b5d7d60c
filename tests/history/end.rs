//! When everything is over: reading shows what is stored, no shadow holds what has ended, and nobody is left in a lane.

use std::collections::BTreeMap;

use super::{History, Left, Violation, Word};

pub(super) fn check(history: &History) -> Vec<Violation> {
    if !history.is_over {
        return Vec::new();
    }
    let rows = history.by_row();
    let mut found = Vec::new();
    for read in &history.reads {
        let last = rows.get(&(read.thing.as_str(), read.execution.as_str())).and_then(|images| images.last());
        if let Some(last) = last.filter(|last| last.status() != read.status) {
            let why = format!("it was shown as {}, and the row says {}", read.status, last.show());
            found.push(Violation::of("read", why));
        }
    }
    // What was said again in a shadow, and failed for good in its function, is on the failure queue: nobody else clears it.
    let given_up = |left: &Left| {
        let about = |word: &&Word| word.thing == left.thing && word.execution == left.execution;
        left.section == "reported" && history.words.iter().filter(about).any(|word| word.failed)
    };
    for left in history.left.iter().filter(|left| !given_up(left)) {
        let last = rows.get(&(left.thing.as_str(), left.execution.as_str())).and_then(|images| images.last());
        if let Some(last) = last.filter(|last| last.is_terminal()) {
            found.push(Violation::of("left", format!("it is still in {} of a shadow: {}", left.section, last.show())));
        }
    }
    let lanes: BTreeMap<_, _> =
        history.lanes.iter().map(|queued| ((&queued.thing, &queued.lane), &queued.ids)).collect();
    for ((thing, lane), ids) in lanes {
        // One that has left, and was taken in again by a write that came late, is taken out by the next who comes.
        let is_in = |id: &&String| {
            let last = rows.get(&(thing.as_str(), id.as_str())).and_then(|images| images.last());
            last.is_some_and(|last| last.text("in_lane").is_some())
        };
        for id in ids.iter().filter(is_in) {
            found.push(Violation::of("stuck", format!("{thing}/{id} never left its lane {lane}")));
        }
    }
    found
}
