//! The items of some commands, written one after the other, and the records of the shards of two streams.

use domain::{Contribution, CountChange, Counts, SequenceNumber};
use fastrand::Rng;

use crate::histories::{Histories, History};

/// The record of one write.
pub struct Record<'a> {
    /// The command of the item.
    pub command: usize,
    pub sequence: SequenceNumber,
    before: Option<&'a Contribution>,
    after: Option<&'a Contribution>,
}

impl Record<'_> {
    pub fn count_change(&self) -> CountChange {
        CountChange { sequence: self.sequence.clone(), before: self.before.cloned(), after: self.after.cloned() }
    }
}

/// A shard of a stream, in order. It ends when it splits; then its children start.
pub struct Shard<'a> {
    pub parent: Option<usize>,
    pub records: Vec<Record<'a>>,
    of_batches: bool,
    open: bool,
}

/// An execution, or the duplicate of a thing in a batch.
struct Item<'a> {
    command: usize,
    of_batches: bool,
    history: &'a History,
    /// How many of its writes are done.
    written: usize,
    /// Whether it is removed in the end by its retention.
    is_removed: bool,
    shard: usize,
}

impl Item<'_> {
    fn writes(&self) -> usize {
        self.history.len() + usize::from(self.is_removed)
    }
}

/// All items, and the records of their writes.
pub struct Streams<'a> {
    pub commands: usize,
    pub shards: Vec<Shard<'a>>,
    items: Vec<Item<'a>>,
}

impl<'a> Streams<'a> {
    /// Random commands and items, written in random order, while shards split.
    pub fn new(rng: &mut Rng, histories: &'a Histories) -> Self {
        let mut streams = Self { commands: rng.usize(1..=3), shards: Vec::new(), items: Vec::new() };
        for of_batches in [false, true] {
            for _ in 0..rng.usize(1..=2) {
                streams.shards.push(Shard { parent: None, records: Vec::new(), of_batches, open: true });
            }
        }
        for (of_batches, histories, most) in [(false, &histories.executions, 6), (true, &histories.duplicates, 2)] {
            for _ in 0..rng.usize(1..=most) {
                let command = rng.usize(0..streams.commands);
                let history = rng.choice(histories).unwrap();
                let shard = streams.open_shard(rng, of_batches);
                let is_removed = rng.u8(0..4) == 0;
                streams.items.push(Item { command, of_batches, history, written: 0, is_removed, shard });
            }
        }
        streams.write(rng);
        streams
    }

    /// A random open shard of a stream: the hash of an item's key decides.
    fn open_shard(&self, rng: &mut Rng, of_batches: bool) -> usize {
        let open = self.shards.iter().enumerate().filter(|(_, shard)| shard.open && shard.of_batches == of_batches);
        rng.choice(open.map(|(number, _)| number).collect::<Vec<_>>()).unwrap()
    }

    fn write(&mut self, rng: &mut Rng) {
        // The numbers get one more digit within the schedule.
        let mut sequence = 10_u128.pow(rng.u32(3..38)) - rng.u128(1..1000);
        let mut left: Vec<usize> = (0..self.items.len()).collect();
        while !left.is_empty() {
            if rng.u8(0..16) == 0 {
                self.split(rng);
            }
            let place = rng.usize(0..left.len());
            let item = &mut self.items[left[place]];
            sequence += rng.u128(1..100);
            self.shards[item.shard].records.push(Record {
                command: item.command,
                sequence: SequenceNumber::parse(&sequence.to_string()).unwrap(),
                before: item.written.checked_sub(1).and_then(|last| item.history.get(last)),
                after: item.history.get(item.written),
            });
            item.written += 1;
            if item.written == item.writes() {
                left.swap_remove(place);
            }
        }
    }

    /// A shard ends, and one or two children continue with its items.
    fn split(&mut self, rng: &mut Rng) {
        let of_batches = rng.bool();
        let parent = self.open_shard(rng, of_batches);
        self.shards[parent].open = false;
        let first = self.shards.len();
        for _ in 0..rng.usize(1..=2) {
            self.shards.push(Shard { parent: Some(parent), records: Vec::new(), of_batches, open: true });
        }
        for item in self.items.iter_mut().filter(|item| item.shard == parent) {
            item.shard = rng.usize(first..self.shards.len());
        }
    }

    /// The true counts: a command's items counted as they are, removed ones as they were last.
    pub fn recount(&self, command: usize) -> Counts {
        let mut counts = Counts::default();
        for item in self.items.iter().filter(|item| item.command == command) {
            counts.fold(None, item.history.last());
        }
        counts
    }

    /// Whether the records of each shard are in order.
    pub fn in_order(&self) -> bool {
        let within = |shard: &Shard| shard.records.is_sorted_by(|a, b| a.sequence < b.sequence);
        self.shards.iter().all(within)
    }
}

#[test]
fn streams_are_in_order_and_some_shards_split() {
    let histories = Histories::random();
    let mut split = 0;
    for seed in 0..100 {
        let streams = Streams::new(&mut Rng::with_seed(seed), &histories);
        assert!(streams.in_order());
        assert!(streams.items.iter().all(|item| item.of_batches == streams.shards[item.shard].of_batches));
        split += usize::from(streams.shards.iter().any(|shard| shard.parent.is_some() && !shard.records.is_empty()));
    }
    assert!(split > 30, "{split}");
}
