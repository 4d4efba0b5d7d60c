//! The Lambda functions, one folder each: `main.rs` starts the process, `handler.rs` handles an event. The functions
//! make no decisions: `domain` decides, `driver` and `aws` act on it.

#[path = "command-api/mod.rs"]
pub mod command_api;
#[path = "dispatch-commands/mod.rs"]
pub mod dispatch_commands;
#[path = "fan-out-command/mod.rs"]
pub mod fan_out_command;
#[path = "reconcile-commands/mod.rs"]
pub mod reconcile_commands;
#[path = "tally-command/mod.rs"]
pub mod tally_command;
#[path = "track-command/mod.rs"]
pub mod track_command;
#[path = "trim-shadow/mod.rs"]
pub mod trim_shadow;

#[cfg(test)]
mod fixtures {
    /// The name and the text of each event in `events/<function>`, in the order of their names.
    pub fn fixtures(function: &str) -> Vec<(String, String)> {
        let folder = format!("{}/../events/{function}", env!("CARGO_MANIFEST_DIR"));
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
        let mut events: Vec<_> = entries
            .map(|entry| {
                let path = entry.expect("an entry").path();
                let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
                (name, std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
            })
            .collect();
        events.sort();
        assert!(!events.is_empty(), "{folder} is empty");
        events
    }
}
