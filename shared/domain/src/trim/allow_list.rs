//! The allow-list: the paths under `state` that a trimmed message keeps.

use std::collections::BTreeMap;

use crate::trim::members;

/// The paths under `state` that are kept, as a tree of names. The empty list keeps everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(BTreeMap<String, AllowList>);

/// An entry of an allow-list is not a path.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} is not a path: names joined by single dots, such as motor.speed")]
pub struct AllowListError {
    /// The refused entry.
    pub path: String,
}

impl AllowList {
    /// Parses comma-separated paths, such as `color,motor.speed`. Blanks around a path are ignored.
    ///
    /// # Errors
    ///
    /// [`AllowListError`] if an entry has an empty name, as in `a..b`.
    pub fn parse(list: &str) -> Result<Self, AllowListError> {
        let mut paths = Self::default();
        for path in list.split(',').map(str::trim).filter(|path| !path.is_empty()) {
            paths.insert(path)?;
        }
        Ok(paths)
    }

    /// Inserts a path. A path covers every longer path below it, in either order of insertion.
    fn insert(&mut self, path: &str) -> Result<(), AllowListError> {
        let mut at = self;
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            if name.is_empty() {
                return Err(AllowListError { path: path.to_owned() });
            }
            let covered = at.0.get(name).is_some_and(|below| below.0.is_empty());
            let below = at.0.entry(name.to_owned()).or_default();
            if names.peek().is_none() {
                below.0.clear();
            } else if covered {
                return names
                    .all(|name| !name.is_empty())
                    .then_some(())
                    .ok_or(AllowListError { path: path.to_owned() });
            }
            at = below;
        }
        Ok(())
    }

    /// Writes `object` with only the members that are kept.
    pub(super) fn write(&self, object: &str, body: &mut String) -> Result<(), serde_json::Error> {
        if self.0.is_empty() {
            body.push_str(object);
            return Ok(());
        }
        let members = members::split(object)?;
        let mut out = members::ObjectWriter::new(body);
        for (name, value) in &members {
            match self.0.get(name.as_ref()) {
                Some(below) if value.get().starts_with('{') && !below.0.is_empty() => {
                    let mut nested = String::new();
                    below.write(value.get(), &mut nested)?;
                    if nested != "{}" {
                        out.raw(name, &nested);
                    }
                }
                // The path continues below a value that is not an object: the value is kept as a whole.
                Some(_) => out.raw(name, value.get()),
                None => {}
            }
        }
        out.end();
        Ok(())
    }
}
