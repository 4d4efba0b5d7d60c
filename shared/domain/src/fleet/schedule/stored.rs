//! The stored form of a schedule: JSON with instants in milliseconds and the window as three texts.

use serde::{Deserialize, Serialize};

use crate::fleet::schedule::config::Schedule;
use crate::fleet::schedule::window::Window;
use crate::fleet::stored::{StoredError, json};
use crate::timestamp::Timestamp;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredSchedule {
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<i64>,
    /// Start, end and offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<[String; 3]>,
}

impl Schedule {
    /// The stored form.
    pub fn to_stored(&self) -> String {
        json(&StoredSchedule {
            not_before: self.not_before.map(Timestamp::as_millis),
            not_after: self.not_after.map(Timestamp::as_millis),
            window: self.window.map(|window| [window.start(), window.end(), window.offset()]),
        })
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// The text is not JSON of a schedule.
    pub fn from_stored(text: &str) -> Result<Self, StoredError> {
        let stored: StoredSchedule = serde_json::from_str(text).map_err(StoredError::of("schedule"))?;
        let window = stored.window.map(|[start, end, offset]| Window::parse(&start, &end, Some(&offset)));
        Ok(Self {
            not_before: stored.not_before.map(Timestamp::from_millis),
            not_after: stored.not_after.map(Timestamp::from_millis),
            window: window.transpose().map_err(StoredError::of("schedule"))?,
        })
    }
}
