//! A thing that a command excludes has no execution of it.

use super::{History, Property, Violation};

pub(super) fn check(history: &History) -> Vec<Violation> {
    let is_excluded = |thing: &str, command: &str| {
        history.excluded.iter().any(|excluded| (excluded.0.as_str(), excluded.1.as_str()) == (thing, command))
    };
    let rows = history.images_by_row();
    let first_images = rows.values().filter_map(|images| images.first().copied());
    let wrong = first_images.filter_map(|image| {
        let command = image.text("command_id").filter(|command| is_excluded(&image.thing, command))?;
        let entries = format!("the command {command} excludes its thing: {image}");
        Some(Violation::new(Property::ExcludedIsNotAsked, &image.thing, &image.execution, entries))
    });
    wrong.collect()
}
