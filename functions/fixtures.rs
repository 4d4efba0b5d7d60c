//! The events that a function's tests read: every file of `events/<function>`, by name.

/// Name and text of each, in the order of their names.
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
