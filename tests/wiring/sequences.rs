//! What functions do to executions in sequence is in `shared/driver`, where the model checker goes through it. So
//! functions use of the driver what the model's events use, and write no execution, lane or shadow by themselves.

use std::collections::BTreeSet;

use super::source::{code, read, sources};

/// What a function may ask the driver to do. The events of the model (`shared/driver/tests/model/event.rs`) do the same.
const EXPLORED: [&str; 8] = [
    "create",
    "cancel_by_operator",
    "drive_due",
    "drive_wake",
    "withdraw_early",
    "apply_report",
    "apply_shadow",
    "send_waiting",
];

/// What belongs to fleet commands, whose batches have a model of their own (`shared/domain/tests/batches`); and reads.
const OTHERS: [&str; 6] =
    ["store_command", "start_in_batch", "monitor", "cancel_with_command", "was_broadcast", "event_time"];

/// Writes that are part of a sequence.
const WRITES: [&str; 7] = [
    "executions.write(",
    "executions.put_new(",
    "executions.delete_unsent(",
    "commands.delete_unsent(",
    "lanes.",
    "shadows.update(",
    "messages.send_direct(",
];

/// The names of the methods that are called on a driver.
fn called_on_drivers(text: &str) -> BTreeSet<String> {
    let text: String = text.split_whitespace().collect();
    let receivers = ["driver.", "driver()."];
    let calls =
        receivers.iter().flat_map(|receiver| text.split(receiver).skip(1).map(str::to_owned).collect::<Vec<_>>());
    let name = |call: String| call.split_once('(').map(|(name, _)| name.to_owned());
    let is_name = |name: &String| name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    calls.filter_map(name).filter(is_name).collect()
}

#[test]
fn functions_use_of_the_driver_what_is_explored() {
    let mut used = BTreeSet::new();
    for (path, text) in sources("functions") {
        let called = called_on_drivers(&code(&text));
        let other = called.iter().find(|name| ![&EXPLORED[..], &OTHERS[..]].concat().contains(&name.as_str()));
        assert_eq!(other, None, "{}: no event of the model does this", path.display());
        used.extend(called);
    }
    let events = called_on_drivers(&code(&read("shared/driver/tests/model/event.rs")));
    for name in EXPLORED {
        assert!(used.contains(name), "no function asks for {name}: does this test still see it?");
        assert!(events.contains(name), "no event of the model asks for {name}");
    }
}

#[test]
fn functions_write_no_execution_lane_or_shadow_by_themselves() {
    for (path, text) in sources("functions") {
        // It writes no command, and leaves a classic shadow alone that holds one.
        if path.ends_with("dispatch-commands/presence.rs") {
            continue;
        }
        let text: String = code(&text).split_whitespace().collect();
        let write = WRITES.iter().find(|write| text.contains(**write));
        assert_eq!(write, None, "{}: the driver does that", path.display());
    }
}
