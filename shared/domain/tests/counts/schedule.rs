//! Who acts next, and what goes wrong: Lambda's event source mapping of each shard, and what it has called.

use fastrand::Rng;

use crate::{
    invocation::{Answer, Invocation},
    lives::Lives,
    stream::Streams,
    table::Table,
};
use domain::{Counts, DeliveryStatus, Status};

/// How counts are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// With the last record that is in them, on condition that it is still as it was read.
    Watermark,
    /// Added, whatever is there.
    Add,
}

/// How a shard is read: one call at a time, from where the last one has come to.
struct Reader {
    /// All before this has been counted, as far as the stream knows.
    checkpoint: usize,
    /// How far it ever came.
    handed: usize,
    /// At most so many records at once: fewer after a failure.
    most: usize,
    call: Option<Invocation>,
}

pub struct Schedule<'a> {
    rng: Rng,
    way: Way,
    streams: Streams<'a>,
    readers: Vec<Reader>,
    /// Calls that the stream has given up, and that live on.
    zombies: Vec<Invocation>,
    table: Table,
    /// How much may still go wrong.
    mishaps: u32,
}

impl<'a> Schedule<'a> {
    /// Whether all is well follows from the seed.
    pub fn new(seed: u64, lives: &'a Lives, way: Way) -> Self {
        let mut rng = Rng::with_seed(seed);
        let streams = Streams::new(&mut rng, lives);
        let reader = |_: &_| Reader { checkpoint: 0, handed: 0, most: usize::MAX, call: None };
        let readers = streams.shards.iter().map(reader).collect();
        let table = Table::new(seed.is_multiple_of(16));
        let mishaps = rng.u32(0..=10);
        Self { rng, way, streams, readers, zombies: Vec::new(), table, mishaps }
    }

    /// Until all records are counted and nobody acts any more. The error says what is wrong with the counts.
    pub fn run(mut self) -> Result<(), String> {
        loop {
            match self.rng.choice(self.unfinished()) {
                Some(shard) if self.mishap(8) => self.goes_wrong(shard),
                Some(shard) => self.goes_on(shard),
                None if self.mishap(2) => self.begins_earlier(),
                None => break,
            }
            if self.rng.u8(0..4) == 0 {
                self.wakes_up();
            }
        }
        while !self.zombies.is_empty() {
            self.wakes_up();
        }
        for (reader, shard) in self.readers.iter().zip(&self.streams.shards) {
            assert_eq!((reader.checkpoint, reader.handed), (shard.records.len(), shard.records.len()));
        }
        let wrong = (0..self.streams.commands).find_map(|command| {
            let (counted, truth) = (figures(&self.table.sum(command)), figures(&self.streams.recount(command)));
            (counted != truth).then(|| format!("counted {counted}, there are {truth}"))
        });
        wrong.map_or(Ok(()), Err)
    }

    fn mishap(&mut self, one_in: u32) -> bool {
        let happens = self.mishaps > 0 && self.rng.u32(0..one_in) == 0;
        self.mishaps -= u32::from(happens);
        happens
    }

    /// Shards that are to be read: a child begins when its parent was read to its end.
    fn unfinished(&self) -> Vec<usize> {
        let len = |shard: usize| self.streams.shards[shard].records.len();
        let begun = |shard: usize| {
            let parent = self.streams.shards[shard].parent;
            parent.is_none_or(|parent| self.is_finished(parent))
        };
        let open = |shard: &usize| self.readers[*shard].checkpoint < len(*shard) && begun(*shard);
        (0..self.readers.len()).filter(open).collect()
    }

    /// Whether it was ever read to its end, and all that it comes from.
    fn is_finished(&self, shard: usize) -> bool {
        let read = self.readers[shard].handed == self.streams.shards[shard].records.len();
        read && self.streams.shards[shard].parent.is_none_or(|parent| self.is_finished(parent))
    }

    /// A shard's reader begins a call, or the call goes on, or its end is heard.
    fn goes_on(&mut self, shard: usize) {
        let answer = match self.mishap(12) {
            true if self.rng.bool() => Answer::IsLost,
            true => Answer::Fails,
            false => Answer::Comes,
        };
        let reader = &mut self.readers[shard];
        let records = &self.streams.shards[shard].records;
        match reader.call.take() {
            None => {
                let left = records.len() - reader.checkpoint;
                let most = self.rng.usize(1..=left).min(reader.most.max(1));
                let batch = reader.checkpoint..reader.checkpoint + most;
                reader.call = Some(Invocation::new(shard, batch, records, self.way));
            }
            Some(mut call) if !call.has_ended() => {
                call.step(&mut self.table, &self.streams.shards[shard], answer, &mut self.rng);
                reader.call = Some(call);
            }
            // The function says what it has not counted, or fails as a whole, and the batch is halved.
            Some(call) if call.counted_to() < call.batch.end && self.rng.bool() => reader.most = call.batch.len() / 2,
            Some(call) => {
                reader.checkpoint = call.counted_to();
                reader.handed = reader.handed.max(reader.checkpoint);
                reader.most = usize::MAX;
            }
        }
    }

    fn goes_wrong(&mut self, shard: usize) {
        match self.rng.u8(0..4) {
            // The call dies, or its answer is lost.
            0 | 1 => self.readers[shard].call = None,
            // It takes too long, and lives on unheard.
            2 => self.zombies.extend(self.readers[shard].call.take()),
            _ => self.begins_earlier(),
        }
    }

    /// Some shard is read again from an earlier place, even one that was read to its end.
    fn begins_earlier(&mut self) {
        let shard = self.rng.usize(0..self.readers.len());
        let reader = &mut self.readers[shard];
        reader.checkpoint -= self.rng.usize(0..=reader.checkpoint);
        self.zombies.extend(reader.call.take());
    }

    /// A call that nobody waits for any more does its next step, or dies.
    fn wakes_up(&mut self) {
        if self.zombies.is_empty() {
            return;
        }
        let place = self.rng.usize(0..self.zombies.len());
        let zombie = &mut self.zombies[place];
        if zombie.has_ended() || self.rng.u8(0..8) == 0 {
            self.zombies.swap_remove(place);
            return;
        }
        zombie.step(&mut self.table, &self.streams.shards[zombie.shard], Answer::Comes, &mut self.rng);
    }
}

/// All that is shown of counts.
fn figures(counts: &Counts) -> String {
    let statuses: Vec<_> = Status::ALL.iter().map(|status| counts.status(*status)).collect();
    let deliveries: Vec<_> = DeliveryStatus::ALL.iter().map(|delivery| counts.delivery(*delivery)).collect();
    let reasons: Vec<_> = counts.reasons().collect();
    let (all, open, ends, twice) = (counts.executions(), counts.open(), counts.ends(), counts.duplicates());
    format!("{all} {open} {statuses:?} {deliveries:?} {reasons:?} {ends:?} {twice}")
}
