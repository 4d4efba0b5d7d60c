//! One call of the function that counts: it gets some records of one shard, and goes from command to command, reading and writing.

use std::ops::Range;

use domain::{SequenceNumber, Tally};
use fastrand::Rng;

use crate::{
    schedule::Way,
    stream::{Record, Shard},
    table::Table,
};

/// What the table answers, and whether it did what it was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Comes,
    /// It does, and the answer is lost.
    IsLost,
    /// It does not.
    Fails,
}

/// What it is about to do for a command.
enum Next {
    Read,
    Write { seen: Option<SequenceNumber>, item: Box<Tally> },
}

pub struct Invocation {
    pub shard: usize,
    pub batch: Range<usize>,
    way: Way,
    /// Its commands that are left, the next one last.
    commands: Vec<usize>,
    next: Next,
    /// The first record that it could not count.
    failed: Option<usize>,
}

impl Invocation {
    pub fn new(shard: usize, batch: Range<usize>, records: &[Record], way: Way) -> Self {
        let mut commands = Vec::new();
        for record in &records[batch.clone()] {
            if !commands.contains(&record.command) {
                commands.push(record.command);
            }
        }
        commands.reverse();
        Self { shard, batch, way, commands, next: Next::Read, failed: None }
    }

    pub fn has_ended(&self) -> bool {
        self.commands.is_empty()
    }

    /// What it tells the stream: the first record that it has not counted.
    pub fn counted_to(&self) -> usize {
        self.failed.unwrap_or(self.batch.end)
    }

    /// Its next call to the table.
    pub fn step(&mut self, table: &mut Table, shard: &Shard, answer: Answer, rng: &mut Rng) {
        let Some(&command) = self.commands.last() else { return };
        let key = (command, self.shard);
        let records = &shard.records[self.batch.clone()];
        match std::mem::replace(&mut self.next, Next::Read) {
            Next::Read if answer != Answer::Comes => self.give_up(records),
            Next::Read => {
                let seen = match self.way {
                    Way::Watermark => table.read(key),
                    Way::Add => Tally::default(),
                };
                let own = records.iter().filter(|record| record.command == command).map(Record::folded);
                match seen.fold(own) {
                    Some(item) => self.next = Next::Write { seen: seen.folded, item: Box::new(item) },
                    None => drop(self.commands.pop()),
                }
            }
            Next::Write { seen, item } => {
                let written = answer == Answer::Fails
                    || match self.way {
                        Way::Watermark => table.put(key, seen.as_ref(), *item),
                        Way::Add => {
                            table.add(key, &item.counts);
                            true
                        }
                    };
                match (answer, written) {
                    (Answer::Comes, true) => drop(self.commands.pop()),
                    // Someone else was here: it reads again, or leaves it to the stream.
                    (Answer::Comes, false) if rng.bool() => {}
                    _ => self.give_up(records),
                }
            }
        }
    }

    /// It leaves this command to the stream, and goes on with the next.
    fn give_up(&mut self, records: &[Record]) {
        let command = self.commands.pop();
        let first = records.iter().position(|record| Some(record.command) == command).map(|n| n + self.batch.start);
        self.failed = self.failed.into_iter().chain(first).min();
    }
}
