//! A shadow document: desired and reported sections with their timestamps, and the version.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::delta::delta;
use super::request::{SectionChange, Update};

/// `desired` or `reported`: values and their timestamps. An empty section counts as absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The values; none is null.
    pub state: Map<String, Value>,
    /// The shape of `state`, with `{"timestamp": seconds since 1970}` in place of every leaf.
    pub metadata: Map<String, Value>,
}

/// A shadow document. `Default` is the document before the first update.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Increases by one with every accepted update.
    pub version: u64,
    /// The desired state, written by applications.
    pub desired: Section,
    /// The reported state, written by the device.
    pub reported: Section,
}

impl Document {
    /// The document after an update at `now_s` (seconds since 1970), with a new version.
    pub fn apply_update(&self, update: &Update, version: u64, now_s: i64) -> Self {
        let mut next = self.clone();
        next.version = version;
        for (section, change) in [(&mut next.desired, update.desired()), (&mut next.reported, update.reported())] {
            match change {
                SectionChange::Keep => {}
                SectionChange::Clear => *section = Section::default(),
                SectionChange::Merge(patch) => section.merge(patch, now_s),
            }
        }
        next
    }

    /// Bytes that count against the size limit: compact JSON of both sections, without metadata.
    pub fn size(&self) -> usize {
        let size = |section: &Section| match section.state.is_empty() {
            true => 0,
            false => json!(section.state).to_string().len(),
        };
        size(&self.desired) + size(&self.reported)
    }

    /// The desired values that differ from the reported ones; `None` if nothing differs.
    pub fn delta(&self) -> Option<Section> {
        delta(&self.desired, &self.reported)
    }

    /// `state`: an object with the sections that are not empty.
    pub fn state(&self) -> Map<String, Value> {
        self.sections(|section| &section.state)
    }

    /// `metadata`: the timestamps, in the shape of `state`.
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
