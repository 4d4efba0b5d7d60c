//! One invocation of the function that counts: it folds records of one shard, one command after the other.

use std::ops::Range;

use domain::{SequenceNumber, ShardCounts};
use fastrand::Rng;

use crate::{
    schedule::WriteMode,
    stream::{Record, Shard},
    table::Table,
};

/// The answer of the table to a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Received,
    /// The call is done, but its answer is lost.
    Lost,
    /// The call is not done.
    Failed,
}

/// The next call for a command.
enum NextCall {
    Read,
    Write { read: Option<SequenceNumber>, item: Box<ShardCounts> },
}

pub struct Invocation {
    pub shard: usize,
    pub batch: Range<usize>,
    mode: WriteMode,
    /// The commands that are left, the next one last.
    commands: Vec<usize>,
    next: NextCall,
    /// The first record that was not counted.
    failed: Option<usize>,
}

impl Invocation {
    pub fn new(shard: usize, batch: Range<usize>, records: &[Record], mode: WriteMode) -> Self {
        let mut commands = Vec::new();
        for record in &records[batch.clone()] {
            if !commands.contains(&record.command) {
                commands.push(record.command);
            }
        }
        commands.reverse();
        Self { shard, batch, mode, commands, next: NextCall::Read, failed: None }
    }

    pub fn has_ended(&self) -> bool {
        self.commands.is_empty()
    }

    /// The end of the counted records: it is returned to the stream.
    pub fn counted_to(&self) -> usize {
        self.failed.unwrap_or(self.batch.end)
    }

    /// Makes the next call to the table.
    pub fn step(&mut self, table: &mut Table, shard: &Shard, answer: Answer, rng: &mut Rng) {
        let Some(&command) = self.commands.last() else { return };
        let key = (command, self.shard);
        let records = &shard.records[self.batch.clone()];
        match std::mem::replace(&mut self.next, NextCall::Read) {
            NextCall::Read if answer != Answer::Received => self.leave_to_stream(records),
            NextCall::Read => {
                let before = match self.mode {
                    WriteMode::Watermark => table.read(key),
                    WriteMode::Add => ShardCounts::default(),
                };
                let own = records.iter().filter(|record| record.command == command).map(Record::count_change);
                match before.fold(own) {
                    Some(item) => self.next = NextCall::Write { read: before.folded, item: Box::new(item) },
                    None => drop(self.commands.pop()),
                }
            }
            NextCall::Write { read, item } => {
                let written = answer == Answer::Failed
                    || match self.mode {
                        WriteMode::Watermark => table.put(key, read.as_ref(), *item),
                        WriteMode::Add => {
                            table.add(key, &item.counts);
                            true
                        }
                    };
                match (answer, written) {
                    (Answer::Received, true) => drop(self.commands.pop()),
                    // After a conflict it reads again, or leaves the records to the stream.
                    (Answer::Received, false) if rng.bool() => {}
                    _ => self.leave_to_stream(records),
                }
            }
        }
    }

    /// Leaves the records of this command to the stream, and continues with the next command.
    fn leave_to_stream(&mut self, records: &[Record]) {
        let command = self.commands.pop();
        let first = records.iter().position(|record| Some(record.command) == command).map(|n| n + self.batch.start);
        self.failed = self.failed.into_iter().chain(first).min();
    }
}
