//! The allow-list: which paths under `state` a trimmed message keeps.

use std::collections::BTreeMap;

use super::members;

/// Paths that stay. The empty list keeps everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keep(BTreeMap<String, Keep>);

/// Why an allow-list is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} is not a path: names joined by single dots, such as motor.speed")]
pub struct KeepError {
    /// The entry.
    pub path: String,
}

impl Keep {
    /// Parses comma-separated paths, such as `color,motor.speed`; blanks around them do not count.
    pub fn parse(list: &str) -> Result<Self, KeepError> {
        let mut keep = Self::default();
        for path in list.split(',').map(str::trim).filter(|path| !path.is_empty()) {
            keep.insert(path)?;
        }
        Ok(keep)
    }

    /// A shorter path covers every longer one below it, whichever comes first.
    fn insert(&mut self, path: &str) -> Result<(), KeepError> {
        let mut at = self;
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            if name.is_empty() {
                return Err(KeepError { path: path.to_owned() });
            }
            let covered = at.0.get(name).is_some_and(|below| below.0.is_empty());
            let below = at.0.entry(name.to_owned()).or_default();
            if names.peek().is_none() {
                below.0.clear();
            } else if covered {
                return names.all(|name| !name.is_empty()).then_some(()).ok_or(KeepError { path: path.to_owned() });
            }
            at = below;
        }
        Ok(())
    }

    /// Writes `object` with only the members that stay.
    pub(super) fn write(&self, object: &str, body: &mut String) -> Result<(), serde_json::Error> {
        if self.0.is_empty() {
            body.push_str(object);
            return Ok(());
        }
        let members = members::of(object)?;
        let mut out = members::Writer::new(body);
        for (name, value) in &members {
            match self.0.get(name.as_ref()) {
                Some(below) if value.get().starts_with('{') && !below.0.is_empty() => {
                    let mut nested = String::new();
                    below.write(value.get(), &mut nested)?;
                    if nested != "{}" {
                        out.raw(name, &nested);
                    }
                }
                // A path that goes on below a value which is no object: the value itself is what there is.
                Some(_) => out.raw(name, value.get()),
                None => {}
            }
        }
        out.end();
        Ok(())
    }
}
