//! `Plan`: the stored item of a fleet command's plan.

use crate::command::row::Command;
use crate::fleet::counts::totals::Counts;
use crate::fleet::outcome_counts::OutcomeCounts;
use crate::fleet::rollout::progress::RolloutProgress;
use crate::fleet::rollout::step_wakes::StepWakes;
use crate::fleet::target::Fleet;
use crate::ids::{BatchNumber, CommandId};
use crate::timestamp::Timestamp;

/// The plan of a fleet command. Every write is on condition that `revision` is one less in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The command.
    pub command: CommandId,
    /// How many times the item was written.
    pub revision: u64,
    /// Which page of the target is read next.
    pub cursor: Cursor,
    /// Whether the whole target has been read.
    pub complete: bool,
    /// How many batches there are.
    pub batches: BatchNumber,
    /// How many things are in the batches.
    pub things: u64,
    /// Parts of the target that were not read or not released, as text for the operator.
    pub notes: Vec<String>,
    /// How far the last change of control has reached the batches.
    pub propagation: ControlPropagation,
    /// How many things are released; unused if the fleet is immediate.
    pub progress: RolloutProgress,
    /// How many things were released before the last step of the rollout.
    pub released_before: u64,
    /// For which of the next steps wakes were sent; none if the rate is not limited.
    pub step_wakes: Option<StepWakes>,
    /// The batch with the last released thing, or the first batch that is not released.
    pub release_position: ReleasePosition,
    /// Whether no more things are released, because the schedule has ended.
    pub closed: bool,
    /// State of the command at its last resume.
    pub resume_point: ResumePoint,
    /// When the message of a broadcast was sent, or was claimed to be sent.
    pub broadcast_at: Option<Timestamp>,
    /// Whether the message of a broadcast was sent.
    pub broadcast_sent: bool,
    /// When the reconciler wakes fan-out for this plan, in whole seconds; none if nothing is left to do.
    pub due_at: Option<i64>,
    /// When DynamoDB may remove the item.
    pub purge_at: Timestamp,
}

/// Which page of the target is read next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Number of the source in the selection.
    pub source: u32,
    /// AWS's token of the page; none for the first page.
    pub token: Option<String>,
    /// How many times the source was restarted from its first page.
    pub restarts: u32,
}

/// How far a change of control has reached the batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ControlPropagation {
    /// Generation of the control.
    pub generation: u32,
    /// The next batch.
    pub next: BatchNumber,
}

/// How far things have been released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReleasePosition {
    /// The first batch that is not completely released.
    pub batch: BatchNumber,
    /// How many things are in the batches before it.
    pub before: u64,
}

/// State of a command when it was resumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResumePoint {
    /// Gates at or below this number of released things are not judged again.
    pub released: u64,
    /// The outcomes then: abort criteria count from there.
    pub outcomes: OutcomeCounts,
}

impl Plan {
    /// Notes that are kept; later ones are dropped.
    const MAX_NOTES: usize = 20;

    /// The plan of a command whose target has not been read.
    pub fn new(command: &Command, now: Timestamp) -> Self {
        Self {
            command: command.id.clone(),
            revision: 0,
            cursor: Cursor::default(),
            complete: false,
            batches: 0,
            things: 0,
            notes: Vec::new(),
            propagation: ControlPropagation::default(),
            progress: RolloutProgress::default(),
            released_before: 0,
            step_wakes: None,
            release_position: ReleasePosition::default(),
            closed: false,
            resume_point: ResumePoint::default(),
            broadcast_at: None,
            broadcast_sent: false,
            due_at: Some(Self::watchdog_at(now)),
            purge_at: command.purge_at(),
        }
    }

    /// Whether the number of things is known exactly, given these counts: the whole target was read, and no thing that
    /// two of its sources name can be counted twice, since each has been reached.
    pub fn is_total_exact(&self, fleet: &Fleet, counts: &Counts) -> bool {
        self.complete && (fleet.selection.names_each_thing_once() || counts.reached() == self.things)
    }

    /// Whether the API shows another state of the command than before this change, so that it has to be published.
    pub fn changes_state(&self, before: &Self) -> bool {
        let control = self.propagation.generation != before.propagation.generation;
        control || self.complete != before.complete || self.closed != before.closed
    }

    /// The plan with the next revision and a change.
    pub(super) fn next(&self, change: impl FnOnce(Self) -> Self) -> Self {
        let next = Self { revision: self.revision + 1, ..self.clone() };
        change(next)
    }

    pub(super) fn with_note(mut self, note: String) -> Self {
        if self.notes.len() < Self::MAX_NOTES {
            self.notes.push(note);
        }
        self
    }
}
