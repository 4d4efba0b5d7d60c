//! One shadow: what is desired, what is reported, since when, and the version.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::delta::delta;
use super::request::{Change, Update};

/// `desired` or `reported`: the values, and in the same shape when each was written. An empty section is an absent one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The values; never a null among them.
    pub state: Map<String, Value>,
    /// `{"timestamp": seconds}` in the place of every leaf.
    pub metadata: Map<String, Value>,
}

/// A shadow document. `Default` is the one that does not exist yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Grows with every accepted update.
    pub version: u64,
    /// What applications want.
    pub desired: Section,
    /// What the device says.
    pub reported: Section,
}

impl Document {
    /// The document after an update, under a new version.
    pub fn updated(&self, update: &Update, version: u64, now_s: i64) -> Self {
        let mut next = self.clone();
        next.version = version;
        for (section, change) in [(&mut next.desired, update.desired()), (&mut next.reported, update.reported())] {
            match change {
                Change::Keep => {}
                Change::Clear => *section = Section::default(),
                Change::Merge(patch) => section.merge(patch, now_s),
            }
        }
        next
    }

    /// The bytes that count against the size limit.
    pub fn size(&self) -> usize {
        let size = |section: &Section| match section.state.is_empty() {
            true => 0,
            false => json!(section.state).to_string().len(),
        };
        size(&self.desired) + size(&self.reported)
    }

    /// What is desired and not yet reported.
    pub fn delta(&self) -> Option<Section> {
        delta(&self.desired, &self.reported)
    }

    /// `state`: always an object, with the sections that hold something.
    pub fn state(&self) -> Map<String, Value> {
        self.sections(|section| &section.state)
    }

    /// `metadata`, in the shape of `state`.
    pub fn metadata(&self) -> Map<String, Value> {
        self.sections(|section| &section.metadata)
    }

    fn sections(&self, part: impl Fn(&Section) -> &Map<String, Value>) -> Map<String, Value> {
        [("desired", &self.desired), ("reported", &self.reported)]
            .into_iter()
            .filter(|(_, section)| !section.state.is_empty())
            .map(|(name, section)| (name.to_owned(), Value::Object(part(section).clone())))
            .collect()
    }
}
