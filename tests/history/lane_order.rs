//! A lane sends one execution at a time, and none of those behind a failed one where it stops.

use std::collections::BTreeMap;

use super::{History, LaneImage, Property, RowImage, Violation};

pub(super) fn check(history: &History) -> Vec<Violation> {
    let mut lanes: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (position, image) in history.images.iter().enumerate() {
        if image.is_deleted() {
            let lanes_of_thing = lanes.iter_mut().filter(|((thing, _), _)| *thing == image.thing);
            lanes_of_thing.for_each(|(_, positions)| positions.push(position));
        }
        // It holds only desired states, which do not wait for each other.
        if let Some(lane) = image.text("lane").filter(|lane| !lane.starts_with("$state/")) {
            lanes.entry((&image.thing, lane)).or_default().push(position);
        }
    }
    let rows = history.images_by_row();
    let last_image = |image: &RowImage| rows.get(&image.key())?.last().copied();
    lanes.iter().flat_map(|((_, lane), positions)| check_lane(history, lane, positions, &last_image)).collect()
}

/// Goes through the images of one lane's executions; `positions` are their places in `history.images`.
fn check_lane<'a>(
    history: &'a History,
    lane: &str,
    positions: &[usize],
    last_image: &impl Fn(&RowImage) -> Option<&'a RowImage>,
) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut current: BTreeMap<&str, &RowImage> = BTreeMap::new();
    // Executions that must not be sent any more, each with the image at which the lane stopped.
    let mut stopped: BTreeMap<&str, &RowImage> = BTreeMap::new();
    for &position in positions {
        let image = &history.images[position];
        if image.is_deleted() {
            current.remove(image.execution.as_str());
            continue;
        }
        let before = current.insert(&image.execution, image);
        if is_sent(image) && !before.is_some_and(is_sent) {
            let mut report = |entries| {
                found.push(Violation::new(Property::LaneKeepsOrder, &image.thing, &image.execution, entries));
            };
            let waits_for = |other: &RowImage| {
                other.execution != image.execution && !(sets_desired_state(image) && sets_desired_state(other))
            };
            for other in current.values().filter(|other| waits_for(other) && is_sent(other)) {
                report(format!("it is sent in lane {lane} ({image}) before another has ended: {other}"));
            }
            if let Some(failed) = stopped.get(image.execution.as_str()) {
                report(format!("it is sent in lane {lane} ({image}), which has stopped: {failed}"));
            }
        }
        let has_ended_now = image.is_terminal() && !before.is_some_and(RowImage::is_terminal);
        // One that was canceled on behalf of its lane stops nothing: what joins the lane later is behind neither it nor
        // the execution that has stopped the lane.
        let on_behalf = |last: &RowImage| matches!(last.text("verdict"), Some("SUPERSEDED" | "LANE_STOPPED"));
        let has_failed = last_image(image).is_some_and(|last| last.status() != "SUCCEEDED" && !on_behalf(last));
        if has_ended_now && has_failed && image.text("on_failure") == Some("stop") {
            for id in ids_behind(history, position, lane, image) {
                if !may_be_sent_after(history, current.get(id).copied(), image) {
                    stopped.insert(id, image);
                }
            }
        }
    }
    found
}

/// Whether an execution behind one that has failed may be sent in spite of that: it was sent before, or it supersedes,
/// and then takes the place of an execution that was never delivered, with any end.
fn may_be_sent_after(history: &History, waiting: Option<&RowImage>, failed: &RowImage) -> bool {
    let is_undelivered = failed.attempt() == 1 && matches!(failed.text("delivery_status"), Some("PENDING" | "QUEUED"));
    let supersedes = waiting
        .and_then(|waiting| waiting.text("command_id"))
        .is_some_and(|command| history.superseding_commands.contains(command));
    waiting.is_some_and(is_sent) || (supersedes && is_undelivered)
}

/// Whether it sets a desired state, which waits for no other desired state.
fn sets_desired_state(image: &RowImage) -> bool {
    image.text("channel").is_some_and(|channel| channel.starts_with("shadow/state"))
}

/// Whether the device may have the request and has not ended the execution.
fn is_sent(image: &RowImage) -> bool {
    // A retry that changed from messages to the lane of a shadow has not been sent there yet.
    let is_retried = image.attempt() > 1 && image.text("lane") != Some("$classic");
    !image.is_terminal() && (image.text("sent_at").is_some() || is_retried)
}

/// Ids of the executions that were behind this one in its lane when its image was written.
fn ids_behind<'a>(history: &'a History, position: usize, lane: &str, image: &RowImage) -> Vec<&'a str> {
    let is_before =
        |queue: &&LaneImage| queue.after_images <= position && queue.thing == image.thing && queue.lane == lane;
    let ids = history.lanes.iter().rfind(is_before).map(|queue| queue.ids.as_slice()).unwrap_or_default();
    match ids.iter().position(|id| *id == image.execution) {
        Some(place) => ids[place + 1..].iter().map(String::as_str).collect(),
        None => Vec::new(),
    }
}
