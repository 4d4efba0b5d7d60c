//! In a lane, one starts after the other has ended; and where the lane stops, nothing that waited behind a failed one starts.

use std::collections::BTreeMap;

use super::{History, Image, Violation};

pub(super) fn check(history: &History) -> Vec<Violation> {
    let mut lanes: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (at, image) in history.rows.iter().enumerate() {
        if image.is_forgotten() {
            let of_thing = lanes.iter_mut().filter(|((thing, _), _)| *thing == image.thing);
            of_thing.for_each(|(_, images)| images.push(at));
        }
        // Wishes about a state do not wait for each other.
        if let Some(lane) = image.text("lane").filter(|lane| !lane.starts_with("$state")) {
            lanes.entry((&image.thing, lane)).or_default().push(at);
        }
    }
    let rows = history.by_row();
    let last = |image: &Image| rows.get(&(image.thing.as_str(), image.execution.as_str()))?.last().copied();
    lanes.iter().flat_map(|((thing, lane), images)| check_lane(history, thing, lane, images, &last)).collect()
}

fn check_lane<'a>(
    history: &'a History,
    thing: &str,
    lane: &str,
    images: &[usize],
    last_of: &impl Fn(&Image) -> Option<&'a Image>,
) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut last: BTreeMap<&str, &Image> = BTreeMap::new();
    // Who must not start any more, and because of whom.
    let mut stopped: BTreeMap<&str, &Image> = BTreeMap::new();
    for &at in images {
        let image = &history.rows[at];
        if image.is_forgotten() {
            last.remove(image.execution.as_str());
            continue;
        }
        let before = last.insert(&image.execution, image);
        if is_out(image) && !before.is_some_and(is_out) {
            let others = last.values().filter(|other| other.execution != image.execution && is_out(other));
            for other in others {
                let why = format!("{} goes out in lane {lane}, before {} has ended", image.show(), other.show());
                found.push(Violation::of("order", why));
            }
            if let Some(failed) = stopped.get(image.execution.as_str()) {
                let why = format!("{} goes out in lane {lane}, which stopped at {}", image.show(), failed.show());
                found.push(Violation::of("order", why));
            }
        }
        let ended = image.is_terminal() && !before.is_some_and(Image::is_terminal);
        let failed = last_of(image)
            .is_some_and(|last| last.status() != "SUCCEEDED" && last.text("verdict") != Some("SUPERSEDED"));
        // Who supersedes takes the place of one that was never delivered, however that one has ended.
        let undelivered = image.attempt() == 1 && matches!(image.text("delivery_status"), Some("PENDING" | "QUEUED"));
        if ended && failed && image.text("on_failure") == Some("stop") {
            for id in behind(history, at, thing, lane, &image.execution) {
                let waiting = last.get(id);
                let supersedes = waiting
                    .and_then(|waiting| waiting.text("command_id"))
                    .is_some_and(|command| history.superseding.contains(command));
                let goes_on = waiting.is_some_and(|waiting| is_out(waiting)) || (supersedes && undelivered);
                if !goes_on {
                    stopped.insert(id, image);
                }
            }
        }
    }
    found
}

/// Whether its device may have it, and may not be done with it.
fn is_out(image: &Image) -> bool {
    // What has come into the lane of a shadow after an attempt by message has not gone out there yet.
    let again = image.attempt() > 1 && image.text("lane") != Some("$commands");
    !image.is_terminal() && (image.text("sent_at").is_some() || again)
}

fn behind<'a>(history: &'a History, at: usize, thing: &str, lane: &str, id: &str) -> Vec<&'a str> {
    let then = history.lanes.iter().rfind(|queued| queued.after <= at && queued.thing == thing && queued.lane == lane);
    let ids = then.map(|queued| queued.ids.as_slice()).unwrap_or_default();
    match ids.iter().position(|other| other == id) {
        Some(place) => ids[place + 1..].iter().map(String::as_str).collect(),
        None => Vec::new(),
    }
}
