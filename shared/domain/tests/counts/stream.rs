//! The items of some commands, written one after the other, and what the shards of the two tables' streams say of it.

use domain::{Contribution, Counts, Folded, SequenceNumber};
use fastrand::Rng;

use crate::lives::{Life, Lives};

/// What a stream says of one write.
pub struct Record<'a> {
    /// Of which command the item is.
    pub command: usize,
    pub sequence: SequenceNumber,
    before: Option<&'a Contribution>,
    after: Option<&'a Contribution>,
}

impl Record<'_> {
    pub fn folded(&self) -> Folded {
        Folded { sequence: self.sequence.clone(), before: self.before.cloned(), after: self.after.cloned() }
    }
}

/// A part of a stream, in order. It ends when it splits; then its children begin.
pub struct Shard<'a> {
    pub parent: Option<usize>,
    pub records: Vec<Record<'a>>,
    of_batches: bool,
    open: bool,
}

/// A row or a batch.
struct Item<'a> {
    command: usize,
    of_batches: bool,
    life: &'a Life,
    /// How many of its writes there were.
    written: usize,
    /// It will be removed in the end, when its retention is over.
    forgotten: bool,
    shard: usize,
}

impl Item<'_> {
    fn writes(&self) -> usize {
        self.life.len() + usize::from(self.forgotten)
    }
}

/// Everything that was written, and what the streams say of it.
pub struct Streams<'a> {
    pub commands: usize,
    pub shards: Vec<Shard<'a>>,
    items: Vec<Item<'a>>,
}

impl<'a> Streams<'a> {
    /// Some commands with some items, in any order of writes, while shards split.
    pub fn new(rng: &mut Rng, lives: &'a Lives) -> Self {
        let mut streams = Self { commands: rng.usize(1..=3), shards: Vec::new(), items: Vec::new() };
        for of_batches in [false, true] {
            for _ in 0..rng.usize(1..=2) {
                streams.shards.push(Shard { parent: None, records: Vec::new(), of_batches, open: true });
            }
        }
        for (of_batches, lives, most) in [(false, &lives.executions, 6), (true, &lives.duplicates, 2)] {
            for _ in 0..rng.usize(1..=most) {
                let command = rng.usize(0..streams.commands);
                let life = rng.choice(lives).unwrap();
                let shard = streams.hashed(rng, of_batches);
                let forgotten = rng.u8(0..4) == 0;
                streams.items.push(Item { command, of_batches, life, written: 0, forgotten, shard });
            }
        }
        streams.write(rng);
        streams
    }

    /// An item's key leads to one of its stream's open shards.
    fn hashed(&self, rng: &mut Rng, of_batches: bool) -> usize {
        let open = self.shards.iter().enumerate().filter(|(_, shard)| shard.open && shard.of_batches == of_batches);
        rng.choice(open.map(|(number, _)| number).collect::<Vec<_>>()).unwrap()
    }

    fn write(&mut self, rng: &mut Rng) {
        // Soon the numbers have one digit more.
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
                before: item.written.checked_sub(1).and_then(|last| item.life.get(last)),
                after: item.life.get(item.written),
            });
            item.written += 1;
            if item.written == item.writes() {
                left.swap_remove(place);
            }
        }
    }

    /// A shard ends, and one or two others go on with its items.
    fn split(&mut self, rng: &mut Rng) {
        let of_batches = rng.bool();
        let parent = self.hashed(rng, of_batches);
        self.shards[parent].open = false;
        let first = self.shards.len();
        for _ in 0..rng.usize(1..=2) {
            self.shards.push(Shard { parent: Some(parent), records: Vec::new(), of_batches, open: true });
        }
        for item in self.items.iter_mut().filter(|item| item.shard == parent) {
            item.shard = rng.usize(first..self.shards.len());
        }
    }

    /// The truth: a command's items counted as they are, those that are forgotten as they were last.
    pub fn recount(&self, command: usize) -> Counts {
        let mut counts = Counts::default();
        for item in self.items.iter().filter(|item| item.command == command) {
            counts.fold(None, item.life.last());
        }
        counts
    }

    /// Whether its records are all in order.
    pub fn in_order(&self) -> bool {
        let within = |shard: &Shard| shard.records.is_sorted_by(|a, b| a.sequence < b.sequence);
        self.shards.iter().all(within)
    }
}

#[test]
fn streams_are_in_order_and_some_shards_split() {
    let lives = Lives::various();
    let mut split = 0;
    for seed in 0..100 {
        let streams = Streams::new(&mut Rng::with_seed(seed), &lives);
        assert!(streams.in_order());
        assert!(streams.items.iter().all(|item| item.of_batches == streams.shards[item.shard].of_batches));
        split += usize::from(streams.shards.iter().any(|shard| shard.parent.is_some() && !shard.records.is_empty()));
    }
    assert!(split > 30, "{split}");
}
