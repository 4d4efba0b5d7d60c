//! A function at work on the batch, one outside call after the other.

use domain::{
    Batch, By, Command, CommandId, CommandName, Control, ControlState, Deadlines, Definition, Delivery, Fingerprint,
    Target, ThingName, Timestamp, Worked,
};

use super::world::World;

/// The things are not looked at within the model's time.
const TTL: i64 = 3600;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Worker {
    pub phase: Phase,
    /// It does not live longer.
    pub until: Option<Timestamp>,
}

/// What it has done, and does next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    #[default]
    Idle,
    /// It reads the batch.
    Called,
    /// It claims what it has read.
    Read(Batch),
    /// It reads the command. `control`: as it was when it claimed.
    Claimed { batch: Batch, control: Control },
    /// It does what is to be done.
    Knows { batch: Batch, seen: Control, control: Control },
    /// It writes what it has done.
    Did { batch: Batch, work: Worked },
    /// It reads the command again, since it found it paused.
    Held,
    /// It wakes the batch, since it was resumed meanwhile.
    Resumes(Batch),
}

/// A command as anybody would ask for it.
pub fn command(at: Timestamp) -> Command {
    Command {
        id: CommandId::from_request(at, "request"),
        definition: Definition {
            name: CommandName::parse("reboot").unwrap(),
            payload: None,
            target: Target::Thing(ThingName::parse("pump-7").unwrap()),
            delivery: Delivery::Topic,
            shadow: None,
            deadlines: Deadlines::new(Some(TTL), None, None).unwrap(),
            retry: None,
            lane: None,
            supersede: false,
        },
        created_at: at,
        created_by: By::caller("operator"),
        fingerprint: Fingerprint::from_stored("fingerprint"),
        control: Control::default(),
    }
}

impl Worker {
    /// Whether it may be storing and sending.
    pub fn has_claimed(&self) -> bool {
        matches!(self.phase, Phase::Claimed { .. } | Phase::Knows { .. } | Phase::Did { .. })
    }
}

impl World {
    /// The next call of a worker. `fails`: the last thing can't be stored.
    pub fn go(&mut self, n: usize, fails: bool) {
        let token = format!("worker {n}");
        let phase = std::mem::take(&mut self.workers[n].phase);
        let next = match phase {
            Phase::Idle => Phase::Idle,
            Phase::Called => Phase::Read(self.batch.clone()),
            Phase::Read(batch) => match batch.claimed(self.now(), &token) {
                None => Phase::Idle,
                Some(claimed) if self.write(claimed.clone()) => {
                    self.workers[n].until = claimed.claim.as_ref().map(|claim| claim.until);
                    Phase::Claimed { batch: claimed, control: self.control.clone() }
                }
                Some(_) => Phase::Called,
            },
            Phase::Claimed { batch, control } => Phase::Knows { batch, seen: self.control.clone(), control },
            Phase::Knows { batch, seen, control } => {
                Phase::Did { work: self.work(&batch, &seen, &control, fails), batch }
            }
            Phase::Did { batch, work } => {
                if self.write(batch.worked(&work, self.now())) {
                    if work.held { Phase::Held } else { Phase::Idle }
                } else if self.batch.is_claimed_by(&token) {
                    Phase::Did { batch: self.batch.clone(), work }
                } else {
                    Phase::Idle
                }
            }
            Phase::Held if self.control.state == ControlState::Paused => Phase::Idle,
            Phase::Held => Phase::Resumes(self.batch.clone()),
            Phase::Resumes(batch) => {
                if batch.ready || self.write(batch.kicked(self.now())) {
                    Phase::Idle
                } else {
                    Phase::Resumes(self.batch.clone())
                }
            }
        };
        let worker = &mut self.workers[n];
        if next == Phase::Idle {
            worker.until = None;
        }
        worker.phase = next;
    }

    /// `seen`: the control that it has read; `control`: that when it claimed.
    fn work(&mut self, batch: &Batch, seen: &Control, control: &Control, fails: bool) -> Worked {
        let duties = batch.duties(seen, self.now());
        let mut work = Worked { held: duties.hold, ..Worked::default() };
        self.was_held |= duties.hold;
        if duties.call_off {
            work.called_off = Some(seen.generation);
        }
        if duties.watch {
            work.watch_at = Some(None);
        }
        if duties.go_out {
            self.sent_after_cancel |= control.is_canceled();
            self.sent_after_pause |= control.state == ControlState::Paused && seen.generation == control.generation;
            let places = batch.to_go_out();
            for place in &places {
                if fails && places.last() == Some(place) {
                    work.left.push(*place);
                } else {
                    self.begun[usize::from(*place)] += 1;
                }
            }
            work.upto = Some(batch.allowed);
            work.watch_at = Some(Some(self.now().plus_seconds(TTL as u32)));
        }
        work
    }
}
