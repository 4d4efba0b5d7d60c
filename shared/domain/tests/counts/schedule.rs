//! The order of steps, and the faults: Lambda's event source mapping of each shard, and its invocations.

use fastrand::Rng;

use crate::{
    histories::Histories,
    invocation::{Answer, Invocation},
    stream::Streams,
    table::Table,
};
use domain::{Counts, DeliveryStatus, Status};

/// How counts are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// Together with the last folded record, on condition that it is unchanged since it was read.
    Watermark,
    /// With a plain ADD.
    Add,
}

/// The reader of a shard: one invocation at a time, each from the end of the last one.
struct Reader {
    /// The records before this one were returned to the stream as counted.
    checkpoint: usize,
    /// The furthest checkpoint ever.
    furthest: usize,
    /// Records in one invocation: fewer after a failure.
    max_records: usize,
    invocation: Option<Invocation>,
}

pub struct Schedule<'a> {
    rng: Rng,
    mode: WriteMode,
    streams: Streams<'a>,
    readers: Vec<Reader>,
    /// Invocations for whose end the stream does not wait any more, and that continue.
    zombies: Vec<Invocation>,
    table: Table,
    /// Faults that may still happen.
    faults: u32,
}

impl<'a> Schedule<'a> {
    /// The schedule of this seed.
    pub fn new(seed: u64, histories: &'a Histories, mode: WriteMode) -> Self {
        let mut rng = Rng::with_seed(seed);
        let streams = Streams::new(&mut rng, histories);
        let reader = |_: &_| Reader { checkpoint: 0, furthest: 0, max_records: usize::MAX, invocation: None };
        let readers = streams.shards.iter().map(reader).collect();
        let table = Table::new(seed.is_multiple_of(16));
        let faults = rng.u32(0..=10);
        Self { rng, mode, streams, readers, zombies: Vec::new(), table, faults }
    }

    /// Runs until all records are counted and all invocations have ended. The error shows the difference to the
    /// recount.
    pub fn run(mut self) -> Result<(), String> {
        loop {
            match self.rng.choice(self.unfinished()) {
                Some(shard) if self.is_fault(8) => self.fail(shard),
                Some(shard) => self.step(shard),
                None if self.is_fault(2) => self.restart_from_earlier_record(),
                None => break,
            }
            if self.rng.u8(0..4) == 0 {
                self.step_zombie();
            }
        }
        while !self.zombies.is_empty() {
            self.step_zombie();
        }
        for (reader, shard) in self.readers.iter().zip(&self.streams.shards) {
            assert_eq!((reader.checkpoint, reader.furthest), (shard.records.len(), shard.records.len()));
        }
        let wrong = (0..self.streams.commands).find_map(|command| {
            let (counted, truth) = (figures(&self.table.sum(command)), figures(&self.streams.recount(command)));
            (counted != truth).then(|| format!("counted {counted}, there are {truth}"))
        });
        wrong.map_or(Ok(()), Err)
    }

    fn is_fault(&mut self, one_in: u32) -> bool {
        let happens = self.faults > 0 && self.rng.u32(0..one_in) == 0;
        self.faults -= u32::from(happens);
        happens
    }

    /// Shards with records that are not counted, and whose parent was read to its end.
    fn unfinished(&self) -> Vec<usize> {
        let len = |shard: usize| self.streams.shards[shard].records.len();
        let is_started = |shard: usize| {
            let parent = self.streams.shards[shard].parent;
            parent.is_none_or(|parent| self.is_finished(parent))
        };
        let open = |shard: &usize| self.readers[*shard].checkpoint < len(*shard) && is_started(*shard);
        (0..self.readers.len()).filter(open).collect()
    }

    /// Whether it was ever read to its end, and so were its ancestors.
    fn is_finished(&self, shard: usize) -> bool {
        let read = self.readers[shard].furthest == self.streams.shards[shard].records.len();
        read && self.streams.shards[shard].parent.is_none_or(|parent| self.is_finished(parent))
    }

    /// A shard's reader starts an invocation, or the invocation makes a step, or its result is received.
    fn step(&mut self, shard: usize) {
        let answer = match self.is_fault(12) {
            true if self.rng.bool() => Answer::Lost,
            true => Answer::Failed,
            false => Answer::Received,
        };
        let reader = &mut self.readers[shard];
        let records = &self.streams.shards[shard].records;
        match reader.invocation.take() {
            None => {
                let left = records.len() - reader.checkpoint;
                let count = self.rng.usize(1..=left).min(reader.max_records.max(1));
                let batch = reader.checkpoint..reader.checkpoint + count;
                reader.invocation = Some(Invocation::new(shard, batch, records, self.mode));
            }
            Some(mut invocation) if !invocation.has_ended() => {
                invocation.step(&mut self.table, &self.streams.shards[shard], answer, &mut self.rng);
                reader.invocation = Some(invocation);
            }
            // The function returns what it has not counted, or fails as a whole, and the next invocation gets half.
            Some(invocation) if invocation.counted_to() < invocation.batch.end && self.rng.bool() => {
                reader.max_records = invocation.batch.len() / 2;
            }
            Some(invocation) => {
                reader.checkpoint = invocation.counted_to();
                reader.furthest = reader.furthest.max(reader.checkpoint);
                reader.max_records = usize::MAX;
            }
        }
    }

    fn fail(&mut self, shard: usize) {
        match self.rng.u8(0..4) {
            // The invocation crashes, or its result is lost.
            0 | 1 => self.readers[shard].invocation = None,
            // The invocation takes too long, and continues while the stream starts the next one.
            2 => self.zombies.extend(self.readers[shard].invocation.take()),
            _ => self.restart_from_earlier_record(),
        }
    }

    /// A shard is read again from an earlier record, even one that was read to its end.
    fn restart_from_earlier_record(&mut self) {
        let shard = self.rng.usize(0..self.readers.len());
        let reader = &mut self.readers[shard];
        reader.checkpoint -= self.rng.usize(0..=reader.checkpoint);
        self.zombies.extend(reader.invocation.take());
    }

    /// An invocation for which the stream does not wait any more makes a step, or crashes.
    fn step_zombie(&mut self) {
        if self.zombies.is_empty() {
            return;
        }
        let place = self.rng.usize(0..self.zombies.len());
        let zombie = &mut self.zombies[place];
        if zombie.has_ended() || self.rng.u8(0..8) == 0 {
            self.zombies.swap_remove(place);
            return;
        }
        zombie.step(&mut self.table, &self.streams.shards[zombie.shard], Answer::Received, &mut self.rng);
    }
}

/// All that the counts show.
fn figures(counts: &Counts) -> String {
    let statuses: Vec<_> = Status::ALL.iter().map(|status| counts.status(*status)).collect();
    let deliveries: Vec<_> = DeliveryStatus::ALL.iter().map(|delivery| counts.delivery(*delivery)).collect();
    let reasons: Vec<_> = counts.reasons().collect();
    let (all, open, outcomes, duplicates) =
        (counts.executions(), counts.open(), counts.outcomes(), counts.duplicates());
    format!("{all} {open} {statuses:?} {deliveries:?} {reasons:?} {outcomes:?} {duplicates}")
}
