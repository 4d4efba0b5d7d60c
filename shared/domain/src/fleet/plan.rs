//! How far the target of a fleet command has been read, and what of it may go out.

use super::{BatchNumber, Counts, Ends, Pace};
use crate::{Command, CommandId, Control, ControlState, Timestamp};

/// The plan of a fleet command: one small item, which only grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Of which command.
    pub command: CommandId,
    /// How often it was written: whoever writes it has seen it as it was.
    pub revision: u64,
    /// What is read next.
    pub cursor: Cursor,
    /// Whether all has been read.
    pub complete: bool,
    /// So many batches there are.
    pub batches: BatchNumber,
    /// So many things are in them.
    pub things: u64,
    /// What of the target could not be read, or was never asked, for people.
    pub notes: Vec<String>,
    /// Whoever goes through the batches after a change of the command's control.
    pub walk: Walk,
    /// How many things may be out, where not all may at once.
    pub pace: Pace,
    /// In which batch the last one of these is, or the first that may not be out yet.
    pub release: Release,
    /// Whether no more are let go: the schedule has ended.
    pub closed: bool,
    /// How many were out when an operator resumed it, and how they had ended: what had stopped it does not stop it again.
    pub resumed: Resumed,
    /// When its one message went out, or somebody was about to send it.
    pub broadcast_at: Option<Timestamp>,
    /// Whether it did go out.
    pub broadcast: bool,
    /// When somebody sees to it if nobody has, in whole seconds.
    pub due_at: Option<i64>,
    /// When it may be forgotten.
    pub purge_at: Timestamp,
}

/// What is read next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Which part of the target.
    pub source: u32,
    /// Which page of it; the first, if there is none.
    pub token: Option<String>,
    /// How often this part was begun again.
    pub again: u32,
}

/// How far the batches have been gone through after a change of control.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// After which change.
    pub generation: u32,
    /// Which is next.
    pub next: BatchNumber,
}

/// Up to where things have been let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// The first batch that is not out as a whole.
    pub batch: BatchNumber,
    /// So many things are in those before it.
    pub before: u64,
}

/// How far it was when it was resumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resumed {
    /// So many things were out.
    pub released: u64,
    /// So many had ended, and how.
    pub ends: Ends,
}

impl Plan {
    /// Somebody looks at it after so many seconds, if nobody else does before.
    const WATCHDOG: u32 = 60;
    /// Whoever is about to send the one message of a broadcast has done so, or is dead, after so many.
    const SENDING: u32 = 30;
    /// So often a part of the target is begun again.
    pub const AGAIN: u32 = 3;
    /// So many notes are kept.
    const NOTES: usize = 20;

    /// The plan of a command of which nothing has been read.
    pub fn new(command: &Command, now: Timestamp) -> Self {
        Self {
            command: command.id.clone(),
            revision: 0,
            cursor: Cursor::default(),
            complete: false,
            batches: 0,
            things: 0,
            notes: Vec::new(),
            walk: Walk::default(),
            pace: Pace::default(),
            release: Release::default(),
            closed: false,
            resumed: Resumed::default(),
            broadcast_at: None,
            broadcast: false,
            due_at: Some(watched(now)),
            purge_at: command.purge_at(),
        }
    }

    /// The plan with more of the target read: so many things more, up to this batch, and where it goes on.
    #[must_use]
    pub fn read(&self, things: u64, batches: BatchNumber, next: Option<String>, now: Timestamp) -> Self {
        let cursor = match next {
            Some(token) => Cursor { token: Some(token), ..self.cursor.clone() },
            None => Cursor { source: self.cursor.source.saturating_add(1), ..Cursor::default() },
        };
        let things = self.things.saturating_add(things);
        self.next(|plan| Self { cursor, batches, things, ..plan }).watched_until(now)
    }

    /// The plan with a part of the target given up, and why.
    #[must_use]
    pub fn passed_over(&self, why: String, now: Timestamp) -> Self {
        self.read(0, self.batches, None, now).noted(why)
    }

    /// The plan with this part begun again from its first page: the paging token is not known any more. What was read of it before comes
    /// again, in batches behind, and each of its things is known when it is to be asked. None if that has happened too often: each time
    /// may add as many batches as the whole part has.
    pub fn begun_again(&self, now: Timestamp) -> Option<Self> {
        let Cursor { source, again, token: _ } = self.cursor;
        let cursor = Cursor { source, token: None, again: again.saturating_add(1) };
        (again < Self::AGAIN).then(|| self.next(|plan| Self { cursor, ..plan }).watched_until(now))
    }

    /// The plan with one more batch, which nobody had counted.
    #[must_use]
    pub fn found(&self, things: u64, now: Timestamp) -> Self {
        let (things, batches) = (self.things.saturating_add(things), self.batches.saturating_add(1));
        self.next(|plan| Self { things, batches, ..plan }).watched_until(now)
    }

    /// The plan with nothing more to read.
    #[must_use]
    pub fn completed(&self) -> Self {
        self.next(|plan| Self { complete: true, ..plan })
    }

    /// From which batch on all have to be gone through, since the command's control has changed; none if they have been.
    pub fn to_walk(&self, control: &Control) -> Option<BatchNumber> {
        match self.walk.generation.cmp(&control.generation) {
            std::cmp::Ordering::Less => Some(0),
            // It was never changed.
            _ if control.generation == 0 => None,
            _ => Some(self.walk.next).filter(|next| *next < self.batches),
        }
    }

    /// The plan with the batches gone through up to this one.
    #[must_use]
    pub fn walked(&self, generation: u32, next: BatchNumber, now: Timestamp) -> Self {
        self.next(|plan| Self { walk: Walk { generation, next }, ..plan }).watched_until(now)
    }

    /// Whether it was resumed, and this is not noted yet.
    pub fn is_resumed(&self, control: &Control) -> bool {
        control.state == ControlState::Running && control.generation > self.walk.generation
    }

    /// The plan of a command that was resumed when so much was counted: before its batches are gone through. Where all that were out
    /// have ended, whoever resumed it has seen how, and they are not judged again; otherwise their canary or wave still is.
    #[must_use]
    pub fn resumed_at(&self, control: &Control, counts: &Counts, now: Timestamp) -> Self {
        let ends = counts.ends();
        let judged = ends.executed.saturating_add(counts.duplicates()) >= self.pace.released;
        let released = if judged { self.pace.released } else { self.resumed.released };
        let resumed = Resumed { released, ends };
        let walk = Walk { generation: control.generation, next: 0 };
        self.next(|plan| Self { resumed, walk, ..plan }).watched_until(now)
    }

    /// The plan with more let go.
    #[must_use]
    pub fn let_go(&self, pace: Pace, release: Release, now: Timestamp) -> Self {
        self.next(|plan| Self { pace, release, ..plan }).watched_until(now)
    }

    /// The plan with no more let go, since its time is over; and what that means, for people.
    #[must_use]
    pub fn closed(&self, why: String) -> Self {
        self.next(|plan| Self { closed: true, ..plan }).noted(why)
    }

    /// The plan with its one message about to go out. If nothing more is written of that, somebody else sends it.
    #[must_use]
    pub fn broadcasting(&self, now: Timestamp) -> Self {
        let due_at = Some(now.plus_seconds(Self::SENDING).as_seconds_rounded_up());
        self.next(|plan| Self { broadcast_at: Some(now), due_at, ..plan })
    }

    /// Whether its one message may be about to go out just now.
    pub fn is_broadcasting(&self, now: Timestamp) -> bool {
        !self.broadcast && self.broadcast_at.is_some_and(|at| now < at.plus_seconds(Self::SENDING))
    }

    /// The plan with its one message known not to have gone out, as far as whoever was about to send it is concerned.
    #[must_use]
    pub fn not_broadcast(&self, before: Option<Timestamp>, now: Timestamp) -> Self {
        self.next(|plan| Self { broadcast_at: before, due_at: Some(watched(now)), ..plan })
    }

    /// The plan with its one message gone out.
    #[must_use]
    pub fn broadcast(&self) -> Self {
        self.next(|plan| Self { broadcast: true, ..plan })
    }

    /// The plan looked at again at this time.
    #[must_use]
    pub fn looked_at(&self, at: Timestamp) -> Self {
        self.next(|plan| Self { due_at: Some(at.as_seconds_rounded_up()), ..plan })
    }

    /// The plan with nothing left to see to.
    #[must_use]
    pub fn at_rest(&self) -> Self {
        self.next(|plan| Self { due_at: None, ..plan })
    }

    /// The plan, handed to whoever sees to it. What is due sooner stays so: it may be told something again and again.
    #[must_use]
    pub fn kicked(&self, now: Timestamp) -> Self {
        let sooner = self.due_at.filter(|due| *due > now.as_seconds());
        let due_at = Some(sooner.map_or(watched(now), |due| due.min(watched(now))));
        self.next(|plan| Self { due_at, ..plan })
    }

    fn next(&self, change: impl FnOnce(Self) -> Self) -> Self {
        let next = Self { revision: self.revision + 1, ..self.clone() };
        change(next)
    }

    fn noted(mut self, note: String) -> Self {
        if self.notes.len() < Self::NOTES {
            self.notes.push(note);
        }
        self
    }

    /// Its entry is moved only when it has come up, since moving it costs two writes.
    fn watched_until(mut self, now: Timestamp) -> Self {
        if self.due_at.is_none_or(|due| due <= now.as_seconds()) {
            self.due_at = Some(watched(now));
        }
        self
    }
}

fn watched(now: Timestamp) -> i64 {
    now.plus_seconds(Plan::WATCHDOG).as_seconds_rounded_up()
}
