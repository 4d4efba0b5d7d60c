//! What a history is made of. Times are in milliseconds since 1970, by the one true clock.

use std::collections::{BTreeMap, BTreeSet};

use super::Image;

/// Everything that was seen of a system, in the order in which it happened.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Every image of every execution's row, in the order in which they were written.
    pub rows: Vec<Image>,
    /// Thing and execution id of whatever somebody was told is accepted.
    pub accepted: Vec<(String, String)>,
    /// What devices were asked.
    pub deliveries: Vec<Delivery>,
    /// What devices did.
    pub runs: Vec<Run>,
    /// Devices that lost their memory, and when: what they ran before, they may run again.
    pub forgot: Vec<(i64, String)>,
    /// What devices were told to leave alone.
    pub cancels: Vec<Told>,
    /// The commands that take the place of those in their lane that have not gone out.
    pub superseding: BTreeSet<String>,
    /// Every change of who waits in which lane, in order.
    pub lanes: Vec<Queued>,
    /// How an execution was answered to stand, when everything had come to its end.
    pub reads: Vec<Read>,
    /// What shadows still hold of executions, when everything had come to its end.
    pub left: Vec<Left>,
    /// What devices said, where AWS has acknowledged that it heard it.
    pub words: Vec<Word>,
    /// How far off a device's clock may be, in milliseconds.
    pub tolerance_ms: i64,
    /// Whether everything has come to its end: all deadlines passed, and reconciled since.
    pub is_over: bool,
}

impl History {
    /// The images of each row, in order.
    pub fn by_row(&self) -> BTreeMap<(&str, &str), Vec<&Image>> {
        let mut rows: BTreeMap<_, Vec<&Image>> = BTreeMap::new();
        for image in &self.rows {
            let images = rows.entry((image.thing.as_str(), image.execution.as_str())).or_default();
            if image.is_forgotten() {
                images.clear();
            } else {
                images.push(image);
            }
        }
        rows.retain(|_, images| !images.is_empty());
        rows
    }
}

/// A request reached a device.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// When.
    pub at_ms: i64,
    /// Which device.
    pub thing: String,
    /// Which execution.
    pub execution: String,
    /// Which attempt, by the request.
    pub attempt: u64,
    /// Until when it may start, by the request.
    pub expires_at_ms: i64,
}

/// A device has begun to do what it was asked.
#[derive(Clone, Debug)]
pub struct Run {
    /// When.
    pub at_ms: i64,
    /// Which device.
    pub thing: String,
    /// Which execution.
    pub execution: String,
    /// Which attempt.
    pub attempt: u64,
}

/// A device was told to leave an execution alone.
#[derive(Clone, Debug)]
pub struct Told {
    /// When.
    pub at_ms: i64,
    /// Which device.
    pub thing: String,
    /// Which execution.
    pub execution: String,
}

/// Who is in a lane.
#[derive(Clone, Debug)]
pub struct Queued {
    /// After how many images of rows it was so.
    pub after: usize,
    /// Whose lane.
    pub thing: String,
    /// Which.
    pub lane: String,
    /// Executions, in order.
    pub ids: Vec<String>,
}

/// An execution, as the API showed it.
#[derive(Clone, Debug)]
pub struct Read {
    /// Whose.
    pub thing: String,
    /// Which.
    pub execution: String,
    /// Its status.
    pub status: String,
}

/// Something of an execution in a shadow.
#[derive(Clone, Debug)]
pub struct Left {
    /// Whose.
    pub thing: String,
    /// Which.
    pub execution: String,
    /// Where: `desired` or `reported`.
    pub section: &'static str,
}

/// What a device may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It has begun, or still runs.
    InProgress,
    /// It is done.
    Succeeded,
    /// It failed.
    Failed,
    /// The device would not.
    Rejected,
    /// Its time was over.
    TimedOut,
}

impl Said {
    /// The status that a row has after it.
    pub fn status(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Rejected => "REJECTED",
            Self::TimedOut => "TIMED_OUT",
        }
    }
}

/// A device said something, and AWS acknowledged it.
#[derive(Clone, Debug)]
pub struct Word {
    /// When.
    pub at_ms: i64,
    /// Which device.
    pub thing: String,
    /// Which execution it meant.
    pub execution: String,
    /// Which attempt it meant.
    pub attempt: u64,
    /// What.
    pub said: Said,
    /// Whether it said which execution it meant: else the cloud may have to pass over it.
    pub named: bool,
    /// Whether the event ended on the failure queue, where someone will find it.
    pub failed: bool,
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which property, by its short name.
    pub property: &'static str,
    /// What happened.
    pub why: String,
}

impl Violation {
    /// A violation of this property.
    pub fn of(property: &'static str, why: String) -> Self {
        Self { property, why }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.property, self.why)
    }
}
