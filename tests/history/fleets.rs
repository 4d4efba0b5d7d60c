//! At the end each thing that a command is for has an execution, and the counts of the command are those of its rows.

use std::collections::{BTreeMap, BTreeSet};

use super::{History, Property, ShownCounts, Violation};

/// The counts that are no status.
const OTHERS: [&str; 3] = ["total", "waiting", "notAsked"];

pub(super) fn check(history: &History) -> Vec<Violation> {
    if !history.is_over {
        return Vec::new();
    }
    let rows = history.images_by_row();
    let last_images = || rows.values().filter_map(|images| images.last());
    let asked: BTreeSet<(&str, &str)> =
        last_images().filter_map(|image| Some((image.thing.as_str(), image.text("command_id")?))).collect();
    let is_asked = |thing: &str, command: &str| asked.contains(&(thing, command));
    let forgotten =
        history.meant.iter().filter(|(thing, command)| !is_asked(thing, command)).map(|(thing, command)| {
            let entries = format!("the command {command} is for it, and has no row of it");
            Violation::new(Property::MeantIsAsked, thing, "none", entries)
        });
    let miscounted = history.counts.iter().filter_map(|shown| {
        let mut stored: BTreeMap<&str, u64> = BTreeMap::new();
        for image in last_images().filter(|image| image.text("command_id") == Some(&shown.command)) {
            *stored.entry(image.status()).or_default() += 1;
        }
        let ShownCounts { command, counts } = shown;
        let count = |name: &str| counts.get(name).copied().unwrap_or(0);
        let is_status = |name: &&String| !OTHERS.contains(&name.as_str());
        let statuses: BTreeMap<&str, u64> = counts
            .iter()
            .filter(|(name, count)| is_status(name) && **count > 0)
            .map(|(name, count)| (name.as_str(), *count))
            .collect();
        let sum = stored.values().sum::<u64>() + count("waiting") + count("notAsked");
        let is_exact = statuses == stored && count("total") == sum;
        let entries = || format!("the API counts {counts:?}, and its rows are {stored:?}");
        (!is_exact).then(|| Violation::new(Property::CountsAreExact, "command", command, entries()))
    });
    forgotten.chain(miscounted).collect()
}
