//! The functions: each does one outside call after the other, and may die between any two of them.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use domain::{By, Change, Owed, Queue, Reason, Report, ShadowRoute, Status, Timestamp, Via};

use super::{
    rules,
    scenario::{Scenario, at},
    world::{Down, Row, Said, World},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Handler {
    /// When it was started, as its event says: it has no clock.
    pub since: i64,
    /// What tells its claims from those of others who live.
    pub token: u8,
    /// Which execution it is about, and that as it has last seen it.
    pub n: usize,
    pub row: Row,
    pub call: Call,
    /// What it is about once it has sent the next one of a lane.
    pub outer: Option<(usize, Row)>,
    /// The report that it is about.
    pub said: Option<Said>,
}

/// The next outside call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Write what the report says, whatever the row is.
    Report,
    /// Write what it says about this row.
    Finish {
        withdrawn: bool,
    },
    /// Write that it is called off.
    Cancel {
        force: bool,
    },
    /// Tell the device so.
    TellCanceled,
    /// Write that it goes the other way.
    Reroute,
    /// Write that it is about to be sent.
    Claim,
    /// Send it.
    Send,
    /// Write how that went.
    Sent(How),
    /// Write what is owed.
    Drive,
    /// Read the shadow, to withdraw from it; again, since it had changed.
    ReadShadow {
        again: bool,
    },
    /// Withdraw.
    Withdraw(Option<Arc<[u8]>>),
    /// Join the queue of the lane: read, write.
    ReadToJoin,
    Join(Queue),
    /// Leave it: read, stop those behind, write.
    ReadToLeave,
    Leave(Queue),
    /// Read who is at its head.
    Head,
    /// Write that all is done.
    Clear,
}

/// How a sending went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// The device has it, or the shadow.
    Taken,
    /// The device is not connected.
    Offline,
    /// Too many requests.
    Refused,
    /// No answer: it is out, or not.
    Unknown { out: bool },
}

/// Any name: the models do not look at it.
pub fn by() -> By {
    By::function("model")
}

impl Handler {
    pub fn new(n: usize, row: Row, since: i64, call: Call) -> Self {
        Self { since, token: 0, n, row, call, outer: None, said: None }
    }

    /// Whoever has stored a row sends it, or puts it into its lane.
    pub fn creating(n: usize, row: Row, since: i64) -> Self {
        let call = if row.in_lane { Call::ReadToJoin } else { Call::Send };
        Self::new(n, row, since, call)
    }

    /// A report has arrived: now or, if whoever had it has died, before.
    pub fn tracking(said: Said, row: Row, since: i64) -> Self {
        let said = Said { at: said.at.or(Some(since)), ..said };
        Self { said: Some(said), ..Self::new(said.n, row, since, Call::Report) }
    }

    /// Looks at a row; none if nothing is owed to it.
    pub fn driving(n: usize, row: Row, since: i64) -> Option<Self> {
        Self::new(n, row, since, Call::Drive).drive()
    }

    pub fn order(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    pub fn to(self, call: Call) -> Option<Self> {
        Some(Self { call, ..self })
    }

    /// Goes on with what is owed; none if it is nothing.
    pub fn drive(self) -> Option<Self> {
        match self.row.owed(at(self.since)) {
            Owed::Nothing => None,
            Owed::Change(_) => self.to(Call::Drive),
            Owed::Send => self.to(Call::Claim),
            Owed::Conclude { withdraw: true, .. } => self.to(Call::ReadShadow { again: false }),
            Owed::Conclude { leave: true, .. } => self.to(Call::ReadToLeave),
            Owed::Conclude { .. } => self.to(Call::Clear),
        }
    }

    /// Writes on condition, and has the row in hand then: as it makes it, if that is what was written, else as it is found.
    pub fn write(&mut self, world: &mut World, change: &Change) -> bool {
        let (row, written) = world.write(self.n, change);
        let made = if written { self.row.apply(change) } else { None };
        self.row = made.map_or(row, Row::new);
        written
    }

    /// Does its next call; none if it is done then.
    pub fn step(mut self, world: &mut World, scenario: &Scenario, how: How) -> Option<Self> {
        let now = at(self.since);
        match self.call.clone() {
            Call::Report => {
                let (report, arrived) = self.report(scenario)?;
                let change = report.change(self.row.key.clone(), arrived);
                let asked = self.said?.attempt <= world.row(self.n).attempt;
                let written = self.write(world, &change);
                world.break_rule((written && !asked).then_some(rules::ILLEGAL));
                if written { self.drive() } else { self.finish(scenario) }
            }
            Call::Finish { withdrawn } => {
                let (report, arrived) = self.report(scenario)?;
                let finish = self.row.finish(&report, arrived, withdrawn);
                let change = finish.or_else(|| self.row.beat(&report.change(self.row.key.clone(), arrived)))?;
                let asked = self.said?.attempt <= world.row(self.n).attempt;
                let written = self.write(world, &change);
                world.break_rule((written && !asked).then_some(rules::ILLEGAL));
                if written { self.drive() } else { self.finish(scenario) }
            }
            Call::Cancel { force } => {
                let change = self.row.cancel(Reason::CanceledByOperator, now, force, by()).ok()?;
                let soft = !force && self.row.status == Status::InProgress;
                world.break_rule(soft.then_some(rules::ILLEGAL));
                if self.write(world, &change) { self.to(Call::TellCanceled) } else { Some(self) }
            }
            Call::TellCanceled => {
                // Who takes commands from the shadow only does not hear of it.
                let hears = scenario.via != Via::Shadow(ShadowRoute::Atlas);
                let notice = Down::Cancel { n: self.n, attempt: self.row.attempt };
                world.down.extend(hears.then_some(notice));
                self.drive()
            }
            Call::Drive => {
                let Owed::Change(change) = self.row.owed(now) else { return None };
                self.write(world, &change);
                self.drive()
            }
            Call::Reroute | Call::Claim | Call::Send | Call::Sent(_) => self.deliver(world, scenario, how),
            _ => self.conclude(world, scenario),
        }
    }

    fn report(&self, scenario: &Scenario) -> Option<(Report, Timestamp)> {
        let said = self.said?;
        Some((said.report(scenario), at(said.at?)))
    }

    /// What a report means to a row that has not just taken it.
    fn finish(self, scenario: &Scenario) -> Option<Self> {
        let (report, arrived) = self.report(scenario)?;
        if self.row.is_bound() && self.row.finish(&report, arrived, false).is_some() {
            let first = self.row.withdraw && !self.row.in_lane && self.row.would_end(&report, arrived);
            return self.to(if first { Call::ReadShadow { again: false } } else { Call::Finish { withdrawn: false } });
        }
        let beats = self.row.beat(&report.change(self.row.key.clone(), arrived)).is_some();
        if beats { self.to(Call::Finish { withdrawn: false }) } else { self.drive() }
    }
}
