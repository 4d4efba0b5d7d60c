//! Reads from the journal which batches of a fleet command were claimed and sent before and after it was stopped.

use std::collections::BTreeSet;

use local::journal::Event;

use crate::world::{COMMANDS, EXECUTIONS, World};

/// Batches are named by their number as text.
#[derive(Default)]
pub struct SendTimeline {
    /// Batches that were claimed before the command was stopped.
    pub claimed_before: BTreeSet<String>,
    /// Number of executions that were created before the command was stopped.
    pub executions_before: usize,
    /// Batches of the executions that were created after the command was stopped.
    pub batches_after: BTreeSet<String>,
    /// Things that got a cancel notice.
    pub notified: BTreeSet<String>,
}

impl SendTimeline {
    /// Reads the journal. `stopped` is the control state, such as `CANCELED`, that stops the command.
    pub fn read(world: &World, id: &str, stopped: &str) -> Self {
        let (mut timeline, mut is_stopped) = (Self::default(), false);
        for entry in world.stack.journal.entries() {
            match &entry.event {
                Event::Written { table, after: Some(item), .. } if table == COMMANDS => {
                    match item["sk"]["S"].as_str() {
                        Some("META") if item["control"]["S"] == stopped => is_stopped = true,
                        Some("BATCH") if !is_stopped && item.get("claim").is_some() => {
                            let number = item["pk"]["S"].as_str().and_then(|pk| pk.rsplit('#').next());
                            timeline.claimed_before.extend(number.map(str::to_owned));
                        }
                        _ => {}
                    }
                }
                Event::Written { table, before: None, after: Some(row), .. }
                    if table == EXECUTIONS && row["command_id"]["S"] == id =>
                {
                    match is_stopped {
                        false => timeline.executions_before += 1,
                        true => timeline.batches_after.extend(row["batch"]["N"].as_str().map(str::to_owned)),
                    }
                }
                Event::Published { topic, .. } => {
                    let thing = topic.strip_prefix("cmd/").and_then(|topic| topic.strip_suffix("/cancel"));
                    timeline.notified.extend(thing.map(str::to_owned));
                }
                _ => {}
            }
        }
        assert!(is_stopped, "the command {id} was never {stopped}");
        timeline
    }

    /// Asserts that every batch that was sent after the stop was claimed before it.
    pub fn assert_only_claimed_batches_were_sent(&self) {
        let Self { claimed_before, batches_after, .. } = self;
        assert!(
            batches_after.is_subset(claimed_before),
            "batches claimed before the stop: {claimed_before:?}, sent after it: {batches_after:?}"
        );
    }
}
