//! At most a hundred things of a fleet command. What is owed to a plain execution of a fleet is owed to its batch, which is due for
//! all of its things at once: that they go out, that those that stay silent are given up, that they are called off.

use crate::{Command, CommandId, Control, ControlState, Timestamp};

/// Which batch of its command, counted from 0.
pub type BatchNumber = u32;

/// A batch. Its things are stored apart, once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Batch {
    /// Of which command.
    pub command: CommandId,
    /// Which of its batches.
    pub number: BatchNumber,
    /// How often it was written: whoever writes it has seen it as it was.
    pub revision: u64,
    /// So many things are in it.
    pub things: u16,
    /// So many of them may go out, in their order.
    pub allowed: u16,
    /// So many of them were gone through.
    pub done: u16,
    /// Those among them that could not be stored, by their places: they are tried again.
    pub left: Vec<u16>,
    /// Somebody is to see to it now.
    pub ready: bool,
    /// Somebody does.
    pub claim: Option<BatchClaim>,
    /// When its executions have to be looked at.
    pub watch_at: Option<Timestamp>,
    /// For which change of the command's control it was called off; 0 if it was not.
    pub called_off: u32,
    /// When somebody sees to it, in whole seconds; none if nothing is owed to it.
    pub due_at: Option<i64>,
    /// When it may be forgotten.
    pub purge_at: Timestamp,
}

/// Who sees to a batch, and how long at most.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BatchClaim {
    /// A word that nobody else has.
    pub token: String,
    /// Nothing that he does goes on after this.
    pub until: Timestamp,
}

/// What whoever claimed a batch has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Worked {
    /// It was gone through up to here; none if nothing was to go out.
    pub upto: Option<u16>,
    /// Those that could not be stored.
    pub left: Vec<u16>,
    /// When its executions have to be looked at next, if they were looked at; what has gone out since counts.
    pub watch_at: Option<Option<Timestamp>>,
    /// It was called off, for this change of control.
    pub called_off: Option<u32>,
    /// Nothing goes out, since the command is paused.
    pub held: bool,
}

/// What is to be done for a batch, by whoever has claimed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Duties {
    /// Its executions are called off.
    pub call_off: bool,
    /// Its executions are looked at.
    pub watch: bool,
    /// Those of its things that may go out do.
    pub go_out: bool,
    /// They would, but the command is paused.
    pub hold: bool,
}

impl Batch {
    /// So many things at most.
    pub const LARGEST: usize = 100;
    /// Whoever claims it is done after so many seconds, one way or another.
    pub const CLAIM: u32 = 60;
    /// Somebody is told again after so many seconds.
    const WATCHDOG: u32 = 120;
    /// What could not be stored is tried again after so many.
    const PAUSE: u32 = 5;
    /// One that is held is looked at again after so many, in case nobody tells it that it may go on.
    const HELD: u32 = 3600;

    /// A new one, which may go out at once or waits for its release.
    pub fn new(command: &Command, number: BatchNumber, things: u16, at_once: bool, now: Timestamp) -> Self {
        Self {
            command: command.id.clone(),
            number,
            revision: 0,
            things,
            allowed: if at_once { things } else { 0 },
            done: 0,
            left: Vec::new(),
            ready: at_once,
            claim: None,
            watch_at: None,
            called_off: 0,
            due_at: at_once.then(|| later(now, Self::WATCHDOG)),
            purge_at: command.purge_at(),
        }
    }

    /// With so many released, if that is more than before.
    pub fn released(&self, allowed: u16, now: Timestamp) -> Option<Self> {
        let allowed = allowed.min(self.things);
        let due_at = Some(self.due_at.map_or(later(now, Self::WATCHDOG), |due| due.min(later(now, Self::WATCHDOG))));
        (allowed > self.allowed).then(|| Self { allowed, ready: true, due_at, ..self.written() })
    }

    /// Handed to whoever sees to it, and soon to another if that one dies.
    #[must_use]
    pub fn kicked(&self, now: Timestamp) -> Self {
        let sooner = self.due_at.filter(|due| *due > now.as_seconds());
        let due_at = Some(sooner.map_or(later(now, Self::WATCHDOG), |due| due.min(later(now, Self::WATCHDOG))));
        Self { ready: true, due_at, ..self.written() }
    }

    /// Claimed, if there is something to do and nobody else is at it.
    pub fn claimed(&self, now: Timestamp, token: &str) -> Option<Self> {
        let taken = self.claim.as_ref().is_some_and(|claim| claim.until > now);
        let watch = self.watch_at.is_some_and(|at| at <= now);
        if taken || !(self.ready || watch || self.claim.is_some() || self.is_to_go_out()) {
            return None;
        }
        let until = now.plus_seconds(Self::CLAIM);
        let claim = Some(BatchClaim { token: token.to_owned(), until });
        // Its entry is moved only where it would come up while it is being seen to, since moving it costs two writes.
        let due_at = match self.due_at {
            Some(due) if due >= until.as_seconds_rounded_up() => Some(due),
            _ => Some(until.as_seconds_rounded_up()),
        };
        Some(Self { ready: false, claim, due_at, ..self.written() })
    }

    /// Whether it is claimed by whoever has this word.
    pub fn is_claimed_by(&self, token: &str) -> bool {
        self.claim.as_ref().is_some_and(|claim| claim.token == token)
    }

    /// Whether some of its things may go out that have not.
    pub fn is_to_go_out(&self) -> bool {
        self.called_off == 0 && (self.done < self.allowed || !self.left.is_empty())
    }

    /// The places of those that may go out now.
    pub fn to_go_out(&self) -> Vec<u16> {
        self.left.iter().copied().chain(self.done..self.allowed).collect()
    }

    /// What is to be done for it now, if its command's control is this. It has to be read after the batch is claimed: whoever changes
    /// it later finds the batch claimed, and is followed by another look at it.
    pub fn duties(&self, control: &Control, now: Timestamp) -> Duties {
        let call_off = self.is_to_be_called_off(control);
        let goes_out = !control.is_canceled() && self.is_to_go_out();
        let paused = control.state == ControlState::Paused;
        Duties {
            call_off,
            watch: !call_off && self.watch_at.is_some_and(|at| at <= now),
            go_out: goes_out && !paused,
            hold: goes_out && paused,
        }
    }

    /// Whether its executions are still to be called off after this change of control.
    pub fn is_to_be_called_off(&self, control: &Control) -> bool {
        matches!(control.state, ControlState::Canceled { .. }) && self.called_off < control.generation
    }

    /// After whoever claimed it is done with it. What was asked for meanwhile is left for the next.
    #[must_use]
    pub fn worked(&self, work: &Worked, now: Timestamp) -> Self {
        let mut next = Self { claim: None, ..self.written() };
        if let Some(upto) = work.upto {
            next.done = next.done.max(upto);
            next.left = work.left.clone();
        }
        if let Some(watch_at) = work.watch_at {
            next.watch_at = watch_at;
        }
        if let Some(generation) = work.called_off {
            next.called_off = generation;
        }
        let goes_out = match (next.is_to_go_out(), work.held) {
            (false, _) => None,
            (true, true) => Some(later(now, Self::HELD)),
            (true, false) => Some(later(now, Self::PAUSE)),
        };
        let watched = next.watch_at.map(Timestamp::as_seconds_rounded_up);
        next.due_at = goes_out.into_iter().chain(watched).min();
        next
    }

    fn written(&self) -> Self {
        Self { revision: self.revision + 1, ..self.clone() }
    }
}

fn later(now: Timestamp, seconds: u32) -> i64 {
    now.plus_seconds(seconds).as_seconds_rounded_up()
}
