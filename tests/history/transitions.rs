//! A row changes only as its progress allows: which attributes agree with it, and which writes may follow each other.

use super::row_image::{CANCELED, FAILED, SUCCEEDED, TIMED_OUT};
use super::{History, Property, RowImage, Violation};

/// Attributes that are set when the row is created.
const FIXED: [&str; 8] =
    ["command_id", "name", "created_at", "start_by", "finish_by", "heartbeat_seconds", "purge_at", "lane"];

/// Attributes that describe how the execution went: they change only together with progress, which numbers the progress
/// events that tell of them.
const BOUND_TO_PROGRESS: [&str; 9] = [
    "status",
    "delivery_status",
    "channel",
    "verdict",
    "verdict_at",
    "finished_at",
    "reason_code",
    "reason_description",
    "result",
];

/// The reasons for a retry, each with its bit in a stored policy.
const RETRY_REASONS: [(&str, u64); 5] =
    [("NO_RESPONSE", 1), ("HEARTBEAT_LOST", 2), ("FAILED", 4), ("REJECTED", 8), ("TIMED_OUT", 16)];

pub(super) fn check(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    for images in history.images_by_row().values() {
        found.extend(images.first().and_then(|first| check_creation(first)));
        found.extend(images.iter().flat_map(|image| check_image(image)));
        found.extend(images.windows(2).flat_map(|pair| check_transition(pair[0], pair[1])));
    }
    found
}

fn illegal(image: &RowImage, entries: String) -> Violation {
    Violation::new(Property::TransitionIsLegal, &image.thing, &image.execution, entries)
}

fn check_creation(first: &RowImage) -> Option<Violation> {
    let progress = first.progress();
    let is_untouched = progress.attempt == 1 && progress.rank == 0;
    (!is_untouched).then(|| illegal(first, format!("its first image is not an untouched first attempt: {first}")))
}

/// Checks that status, progress and due entry of one image agree.
fn check_image(image: &RowImage) -> Vec<Violation> {
    let progress = image.progress();
    let (rank, status) = (progress.rank, image.status());
    let status_fits = match rank {
        0 | 1 => status == "CREATED",
        2 | 3 => status == "IN_PROGRESS",
        TIMED_OUT => status == "TIMED_OUT",
        CANCELED => status == "CANCELED",
        FAILED => matches!(status, "FAILED" | "REJECTED" | "TIMED_OUT"),
        SUCCEEDED => status == "SUCCEEDED",
        _ => false,
    };
    let is_provisional = matches!(rank, TIMED_OUT | CANCELED);
    [
        (!status_fits, "its status does not fit its rank"),
        (rank != SUCCEEDED && progress.attempt != image.attempt(), "its progress belongs to another attempt"),
        (rank >= FAILED && image.text("finished_at").is_none(), "a final status without finished_at"),
        (rank < FAILED && image.text("finished_at").is_some(), "finished_at without a final status"),
        (is_provisional && image.text("verdict").is_none(), "a provisional status without a verdict"),
        (
            rank >= FAILED && is_past_its_deadline(image) && image.text("verdict").is_none(),
            "a late end without the verdict that readers were shown before it",
        ),
        (
            // A plain execution of a fleet is due with its batch.
            !image.is_terminal() && image.text("due_at").is_none() && image.text("batch").is_none(),
            "it has not ended and has no due entry",
        ),
        (image.text("due_at").is_some() != image.text("due_shard").is_some(), "only half of a due entry"),
    ]
    .into_iter()
    .filter(|(is_wrong, _)| *is_wrong)
    .map(|(_, fault)| illegal(image, format!("{fault}: {image}")))
    .collect()
}

/// Whether the device reported the end after a deadline.
fn is_past_its_deadline(image: &RowImage) -> bool {
    let millis = |name: &str| image.text(name).and_then(|millis| millis.parse::<i64>().ok());
    let deadline = if image.text("started_at").is_some() { "finish_by" } else { "start_by" };
    millis("finished_at").zip(millis(deadline)).is_some_and(|(finished_at, deadline)| finished_at >= deadline)
}

/// Checks that one image may follow another.
fn check_transition(before: &RowImage, after: &RowImage) -> Vec<Violation> {
    let (old, new) = (before.progress(), after.progress());
    let is_new_attempt = new.attempt > old.attempt && new.rank == 0;
    let mut found = Vec::new();
    let mut report = |fault: String| found.push(illegal(after, format!("{fault}: {before}; then {after}")));
    if new < old {
        report("its progress decreased".to_owned());
    }
    if after.attempt() < before.attempt() {
        report("its attempt decreased".to_owned());
    }
    if new.attempt > old.attempt && new.rank != SUCCEEDED && !is_new_attempt {
        report("an attempt did not begin with rank 0".to_owned());
    }
    if before.is_final() && new != old {
        report("a final status was overridden".to_owned());
    }
    if is_new_attempt && !is_retry_allowed(before, after) {
        report("its retry policy does not allow this attempt".to_owned());
    }
    if new == old {
        for name in BOUND_TO_PROGRESS.iter().filter(|name| before.text(name) != after.text(name)) {
            report(format!("{name} changed, and progress did not"));
        }
    }
    // An execution that changes to a shadow has to start earlier, and in the lane of that shadow.
    let is_rerouted = before.text("channel") != after.text("channel") && !before.uses_shadow();
    for name in FIXED.iter().filter(|name| before.text(name) != after.text(name)) {
        if is_rerouted && matches!(*name, "start_by" | "lane") {
            continue;
        }
        report(format!("{name} changed from {:?} to {:?}", before.text(name), after.text(name)));
    }
    found
}

/// Whether the row's retry policy names the reason of this retry, which the last history entry contains. An execution
/// that has ended is never retried.
fn is_retry_allowed(before: &RowImage, after: &RowImage) -> bool {
    let Some((attempts, reasons)) = before.retry_policy() else { return false };
    let entries: Vec<serde_json::Value> =
        after.text("history").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let last = entries.last().map(ToString::to_string).unwrap_or_default();
    let is_named = RETRY_REASONS.iter().any(|(reason, bit)| reasons & bit != 0 && last.contains(reason));
    !before.is_terminal() && after.attempt() == before.attempt() + 1 && after.attempt() <= attempts && is_named
}
