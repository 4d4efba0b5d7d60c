//! The random numbers of a schedule, all drawn from its seed.
//!
//! The algorithm is fixed, so a seed gives the same schedule on every machine and with every version of the crate.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

pub struct Random(ChaCha8Rng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number from 0 to `end - 1`.
    pub fn below(&mut self, end: usize) -> usize {
        // The modulo bias does not matter for so small a range.
        (self.0.next_u64() % end.max(1) as u64) as usize
    }

    /// A number from `min` to `max`, both included.
    pub fn between(&mut self, min: i64, max: i64) -> i64 {
        min + self.below((max - min + 1).max(1) as usize) as i64
    }

    /// True with a probability of `per_mille` in a thousand.
    pub fn chance(&mut self, per_mille: usize) -> bool {
        self.below(1000) < per_mille
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}
