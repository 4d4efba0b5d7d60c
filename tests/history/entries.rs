//! The entries of a history. Times are in milliseconds since 1970, by the clock of the stack.

use std::collections::{BTreeMap, BTreeSet};

use super::RowImage;

/// What was observed of a system; each list is in the order in which it happened.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Every image of every execution's row.
    pub images: Vec<RowImage>,
    /// Thing and execution id of each execution that the API accepted.
    pub accepted: Vec<(String, String)>,
    /// Thing and command id of each thing that a command excludes, or that is no target of it.
    pub excluded: BTreeSet<(String, String)>,
    /// Thing and command id of each thing that an accepted command is for, unless the command was canceled.
    pub meant: BTreeSet<(String, String)>,
    /// Requests that reached a device.
    pub deliveries: Vec<Delivery>,
    /// Runs that devices started.
    pub runs: Vec<Run>,
    /// Time and thing of each loss of a device's memory: what ran before it may run again.
    pub memory_losses: Vec<(i64, String)>,
    /// Cancel notices that reached a device.
    pub cancel_notices: Vec<CancelNotice>,
    /// Ids of the commands that supersede the undelivered executions before them in their lane.
    pub superseding_commands: BTreeSet<String>,
    /// Every image of every lane's queue.
    pub lanes: Vec<LaneImage>,
    /// Executions as the API showed them at the end.
    pub shown: Vec<ShownExecution>,
    /// Counts of commands as the API showed them at the end.
    pub counts: Vec<ShownCounts>,
    /// Entries of executions in shadows at the end.
    pub shadow_entries: Vec<ShadowEntry>,
    /// Reports of devices that AWS acknowledged.
    pub reports: Vec<Report>,
    /// How far a device's clock may deviate, in milliseconds.
    pub clock_tolerance_ms: i64,
    /// Whether all deadlines have passed, and the reconciler has processed them.
    pub is_over: bool,
}

/// The images of each row, by thing and execution id.
pub type ImagesByRow<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a RowImage>>;

impl History {
    /// Returns the images of each row that is not deleted, in the order in which they were written.
    pub fn images_by_row(&self) -> ImagesByRow<'_> {
        let mut rows = ImagesByRow::new();
        for image in &self.images {
            let images = rows.entry(image.key()).or_default();
            if image.is_deleted() {
                images.clear();
            } else {
                images.push(image);
            }
        }
        rows.retain(|_, images| !images.is_empty());
        rows
    }
}

/// A request that reached a device.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub at_ms: i64,
    pub thing: String,
    pub execution: String,
    /// The attempt that the request names.
    pub attempt: u64,
    /// The expiry that the request names: the device may not start at or after it.
    pub expires_at_ms: i64,
}

/// The start of a run on a device.
#[derive(Clone, Debug)]
pub struct Run {
    pub at_ms: i64,
    pub thing: String,
    pub execution: String,
    pub attempt: u64,
}

/// A cancel notice that reached a device.
#[derive(Clone, Debug)]
pub struct CancelNotice {
    pub at_ms: i64,
    pub thing: String,
    pub execution: String,
}

/// The queue of a lane after a write.
#[derive(Clone, Debug)]
pub struct LaneImage {
    /// Number of row images that were written before this one.
    pub after_images: usize,
    pub thing: String,
    /// The lane's name.
    pub lane: String,
    /// Execution ids, the head first.
    pub ids: Vec<String>,
}

/// An execution as the API showed it.
#[derive(Clone, Debug)]
pub struct ShownExecution {
    pub thing: String,
    pub execution: String,
    pub status: String,
}

/// The counts of a command as the API showed them, by their names: `total`, `waiting`, `notAsked`, and each status.
#[derive(Clone, Debug)]
pub struct ShownCounts {
    pub command: String,
    pub counts: BTreeMap<String, u64>,
}

/// An entry of an execution in a shadow.
#[derive(Clone, Debug)]
pub struct ShadowEntry {
    pub thing: String,
    pub execution: String,
    /// `desired` or `reported`.
    pub section: &'static str,
}

/// A status that a device can report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportedStatus {
    InProgress,
    Succeeded,
    Failed,
    Rejected,
    TimedOut,
}

impl ReportedStatus {
    /// The value of the row's attribute `status` after this report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Rejected => "REJECTED",
            Self::TimedOut => "TIMED_OUT",
        }
    }
}

/// A report of a device that AWS acknowledged.
#[derive(Clone, Debug)]
pub struct Report {
    pub at_ms: i64,
    pub thing: String,
    /// The execution that the device meant.
    pub execution: String,
    /// The attempt that the device meant.
    pub attempt: u64,
    pub status: ReportedStatus,
    /// Whether the report names its execution and attempt; otherwise the cloud may be unable to apply it.
    pub is_named: bool,
    /// Whether its event ended on the failure queue, from which an operator can process it.
    pub on_failure_queue: bool,
}
