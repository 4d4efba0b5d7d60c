//! A row only moves as the register allows.

use super::{History, Image, Violation};

/// What is settled when a row is made.
const FIXED: [&str; 8] = ["command_id", "name", "created_at", "start_by", "finish_by", "heartbeat", "purge_at", "lane"];

/// What of a row tells how it went: it changes only with the register.
const TOLD: [&str; 6] = ["status", "verdict", "verdict_at", "finished_at", "reason", "result"];

pub(super) fn check(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    for images in history.by_row().values() {
        if let Some(first) = images.first() {
            found.extend(birth(first));
        }
        found.extend(images.iter().flat_map(|image| agreement(image)));
        found.extend(images.windows(2).flat_map(|pair| step(pair[0], pair[1])));
    }
    found
}

fn illegal(why: &str, image: &Image) -> Violation {
    Violation::of("illegal", format!("{why}: {}", image.show()))
}

fn birth(first: &Image) -> Option<Violation> {
    let (attempt, rank, _) = first.progress();
    (attempt != 1 || rank != 0).then(|| illegal("it was not born as a first attempt that nobody has touched", first))
}

/// Status, register and what is owed say the same.
fn agreement(image: &Image) -> Vec<Violation> {
    let (attempt, rank, _) = image.progress();
    let status = image.status();
    let agrees = match rank {
        0 | 1 => status == "CREATED",
        2 | 3 => status == "IN_PROGRESS",
        8 => status == "TIMED_OUT",
        9 => status == "CANCELED",
        12 => matches!(status, "FAILED" | "REJECTED" | "TIMED_OUT"),
        15 => status == "SUCCEEDED",
        _ => false,
    };
    let soft = matches!(rank, 8 | 9);
    [
        (!agrees, "its status is not its rank's"),
        (rank != 15 && attempt != image.attempt(), "its register is another attempt's"),
        (rank >= 12 && image.text("finished_at").is_none(), "a device's word without its time"),
        (rank < 12 && image.text("finished_at").is_some(), "the time of a device's word without that word"),
        (soft && image.text("verdict").is_none(), "a verdict without its reason"),
        (
            // One of a fleet is looked at with its batch.
            !image.is_terminal() && image.text("due_at").is_none() && image.text("batch").is_none(),
            "it has not ended, and nobody will look at it again",
        ),
        (image.text("due_at").is_some() != image.text("due_shard").is_some(), "half an entry of the index"),
    ]
    .into_iter()
    .filter(|(wrong, _)| *wrong)
    .map(|(_, why)| illegal(why, image))
    .collect()
}

fn step(before: &Image, after: &Image) -> Vec<Violation> {
    let (old, new) = (before.progress(), after.progress());
    let opened = new.0 > old.0 && new.1 == 0;
    let mut found = Vec::new();
    let mut wrong = |why: String| {
        found.push(Violation::of("illegal", format!("{why}: {} -> {}", before.show(), after.show())));
    };
    if new < old {
        wrong("its register fell".to_owned());
    }
    if after.attempt() < before.attempt() {
        wrong("its attempt fell".to_owned());
    }
    if new.0 > old.0 && new.1 != 15 && !opened {
        wrong("an attempt began in the middle".to_owned());
    }
    if before.is_hard() && new != old {
        wrong("a device's word was overruled".to_owned());
    }
    if opened && !may_be_tried_again(before, after) {
        wrong("another attempt, which no retry policy allows".to_owned());
    }
    if new == old {
        for name in TOLD.iter().filter(|name| before.text(name) != after.text(name)) {
            wrong(format!("{name} changed, and the register did not"));
        }
    }
    // What goes another way has to go out earlier, and in the lane of that way.
    let rerouted = before.text("via") != after.text("via") && !before.is_in_shadow();
    for name in FIXED.iter().filter(|name| before.text(name) != after.text(name)) {
        if rerouted && matches!(*name, "start_by" | "lane") {
            continue;
        }
        wrong(format!("{name} changed from {:?} to {:?}", before.text(name), after.text(name)));
    }
    found
}

/// The reasons for another attempt, each with its bit in a stored policy.
const REASONS: [(&str, u64); 5] =
    [("NO_RESPONSE", 1), ("HEARTBEAT_LOST", 2), ("FAILED", 4), ("REJECTED", 8), ("TIMED_OUT", 16)];

/// Whether the row's own retry policy names why it is tried again, which its last step says. What has ended stays so.
fn may_be_tried_again(before: &Image, after: &Image) -> bool {
    let Some((attempts, on)) = before.retry() else { return false };
    let steps: Vec<serde_json::Value> =
        after.text("steps").and_then(|steps| serde_json::from_str(steps).ok()).unwrap_or_default();
    let last = steps.last().map(ToString::to_string).unwrap_or_default();
    let named = REASONS.iter().any(|(word, bit)| on & bit != 0 && last.contains(word));
    !before.is_terminal() && after.attempt() == before.attempt() + 1 && after.attempt() <= attempts && named
}
