//! The functions: each does one outside call after the other, and may die between any two of them.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use domain::{By, CancelNotice, Change, Guard, Owed, Queue, Reason, Report, Reported, Status, Timestamp};

use super::{
    rules,
    scenario::{Scenario, at},
    wishes::Shown,
    world::{Down, Row, Said, Word, World},
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
    /// Those that it has called off on its way, and sees to then.
    pub freed: Vec<(usize, Row)>,
    /// The report that it is about, and the attempt that it takes it for.
    pub said: Option<Said>,
    pub taken: Option<u16>,
    /// Or what the device has shown.
    pub shown: Option<Shown>,
    /// It is a reconciler, who looks at it later where something fails.
    pub reconciles: bool,
    /// It withdraws before it writes that it has ended.
    pub ending: bool,
    /// Why it enters a lane.
    pub entry: Entry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// It has stored the row.
    Create,
    /// It sees whether its turn has come: for the first time, and once whoever should not be at the head is out of the way.
    Turn,
    SecondTurn,
    /// It is asked for again, or goes the other way.
    Other,
}

/// The next outside call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Read the row that a report is about; or write what it says blindly.
    Report,
    /// Write what it says about this row: that its device lives, or that it has ended.
    Beat,
    Finish {
        withdrawn: bool,
    },
    /// Write that it is looked at sooner, or later since it could not be seen to.
    Sooner,
    Postpone,
    /// See who has wished what the device shows.
    Wishes,
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
    /// See whether whoever is at the head should be there; take it out; write that others go first.
    Behind,
    Drop(Queue),
    Waits,
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
        Self {
            since,
            token: 0,
            n,
            row,
            call,
            outer: None,
            freed: Vec::new(),
            said: None,
            taken: None,
            shown: None,
            reconciles: false,
            ending: false,
            entry: Entry::Other,
        }
    }

    /// Whoever has stored a row sends it, or puts it into its lane.
    pub fn creating(n: usize, row: Row, since: i64) -> Self {
        let call = if row.in_lane { Call::ReadToJoin } else { Call::Send };
        Self { entry: Entry::Create, ..Self::new(n, row, since, call) }
    }

    /// A report has arrived: now or, if whoever had it has died, before.
    pub fn tracking(said: Said, row: Row, since: i64) -> Self {
        let said = Said { at: said.at.or(Some(since)), ..said };
        Self { said: Some(said), ..Self::new(said.n, row, since, Call::Report) }
    }

    /// Looks at a row; none if nothing is owed to it.
    pub fn driving(n: usize, row: Row, since: i64) -> Option<Self> {
        Self { reconciles: true, ..Self::new(n, row, since, Call::Drive) }.drive()
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
            Owed::Nothing => self.done(),
            Owed::Change(_) => self.to(Call::Drive),
            Owed::Send => self.to(Call::Claim),
            Owed::Turn => Self { entry: Entry::Turn, ..self }.to(Call::ReadToJoin),
            Owed::Conclude { withdraw: true, .. } => self.to(Call::ReadShadow { again: false }),
            Owed::Conclude { leave: true, .. } => self.to(Call::ReadToLeave),
            Owed::Conclude { .. } => self.to(Call::Clear),
        }
    }

    /// Done with this one; there may be others.
    pub fn done(mut self) -> Option<Self> {
        let (n, row) = self.freed.pop()?;
        Self { n, row, ..self }.drive()
    }

    /// Writes on condition, and has the row in hand then: as it makes it, if that is what was written, else as it is found.
    pub fn write(&mut self, world: &mut World, change: &Change) -> bool {
        let (row, written) = world.write(self.n, change, self.since);
        let made = if written { self.row.apply(change) } else { None };
        self.row = made.map_or(row, Row::new);
        written
    }

    /// Does its next call; none if it is done then.
    pub fn step(mut self, world: &mut World, scenario: &Scenario, how: How) -> Option<Self> {
        let now = at(self.since);
        match self.call.clone() {
            Call::Report => {
                let report = self.report(scenario)?;
                if !matches!(report.reported, Reported::InProgress { seq } if seq > 0) {
                    self.row = world.row(self.n);
                    return self.hear(scenario);
                }
                let change = report.change(self.row.key.clone(), self.arrived()?);
                let (row, written) = self.tell(world, &change);
                self.row = row;
                if written { self.begun() } else { self.hear(scenario) }
            }
            Call::Beat => {
                let change = self.lives(&self.report(scenario)?, self.arrived()?)?;
                if !self.tell(world, &change).1 {
                    return self.hear(scenario);
                }
                if let Guard::Runs { .. } = change.guard {
                    // That an earlier attempt lives says nothing of this one.
                    let other = self.report(scenario)?.attempt != world.row(self.n).attempt;
                    world.break_rule(other.then_some(rules::ILLEGAL));
                    world.sent[self.n].beaten = true;
                }
                self.begun()
            }
            Call::Sooner => {
                let sooner = self.row.looked_at_sooner()?;
                self.write(world, &sooner);
                None
            }
            Call::Postpone => {
                let later = self.row.postponed(now)?;
                self.write(world, &later);
                None
            }
            Call::Wishes => self.grant(world, scenario),
            Call::Finish { withdrawn } => {
                let change = self.row.finish(&self.report(scenario)?, self.arrived()?, withdrawn)?;
                if self.tell(world, &change).1 { self.drive() } else { self.finish(scenario) }
            }
            Call::Cancel { force } => {
                let change = self.row.cancel(Reason::CanceledByOperator, now, force, by()).ok()?;
                let soft = !force && self.row.status == Status::InProgress;
                world.break_rule(soft.then_some(rules::ILLEGAL));
                if self.write(world, &change) { self.to(Call::TellCanceled) } else { Some(self) }
            }
            Call::TellCanceled => {
                let notice = Down::Cancel { n: self.n, attempt: self.row.attempt };
                world.down.extend(CancelNotice::of(&self.row).map(|_| notice));
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

    fn arrived(&self) -> Option<Timestamp> {
        self.said?.at.map(at)
    }

    fn report(&self, scenario: &Scenario) -> Option<Report> {
        let report = self.said?.report(scenario);
        Some(Report { attempt: self.taken.unwrap_or(report.attempt), ..report })
    }

    /// Writes what a device has said, which nobody says of an attempt that was never asked for.
    fn tell(&mut self, world: &mut World, change: &Change) -> (Row, bool) {
        let asked = self.said.is_some_and(|said| said.attempt <= world.row(self.n).attempt);
        let written = self.write(world, change);
        // A failure that is told again is no other failure.
        let failed = self.said.filter(|said| said.word == Word::Failed && written).map_or(0, |said| 1 << said.attempt);
        let again = world.sent[self.n].failed & failed != 0;
        world.sent[self.n].failed |= failed;
        // A wish has come true once its device has shown so.
        let untrue = self.shown.is_some() && world.devices[self.n].begun == 0;
        world.break_rule((written && (!asked || again || untrue)).then_some(rules::ILLEGAL));
        (world.row(self.n), written)
    }

    /// What a report means to a row that has not just taken it.
    fn hear(mut self, scenario: &Scenario) -> Option<Self> {
        let report = self.report(scenario)?;
        self.taken = self.row.takes_up(&report).map(|taken| taken.attempt);
        let (report, arrived) = (self.report(scenario)?, self.arrived()?);
        match report.change(self.row.key.clone(), arrived).is_terminal() {
            true => self.finish(scenario),
            false => self.lives(&report, arrived).is_some().then_some(self)?.to(Call::Beat),
        }
    }

    fn lives(&self, report: &Report, arrived: Timestamp) -> Option<Change> {
        let change = report.change(self.row.key.clone(), arrived);
        if self.row.apply(&change).is_some() { Some(change) } else { self.row.beat(&change) }
    }

    /// One that could fall silent before it would be looked at is looked at sooner.
    fn begun(self) -> Option<Self> {
        self.row.looked_at_sooner().is_some().then_some(self)?.to(Call::Sooner)
    }

    /// Ends it, or its attempt.
    pub fn finish(mut self, scenario: &Scenario) -> Option<Self> {
        let (report, arrived) = (self.report(scenario)?, self.arrived()?);
        if self.row.finish(&report, arrived, false).is_none() {
            return if self.row.is_terminal() { self.drive() } else { None };
        }
        self.ending = self.row.withdraw && !self.row.in_lane && self.row.would_end(&report, arrived);
        let first = if self.ending { Call::ReadShadow { again: false } } else { Call::Finish { withdrawn: false } };
        self.to(first)
    }
}
