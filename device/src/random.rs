//! Reproducible random numbers: the same for the same seed and thing name.

use std::ops::RangeInclusive;
use std::time::Duration;

/// SplitMix64, seeded from a seed and a thing's name. Implemented here, so that a new version of a crate cannot change
/// the numbers.
pub(crate) struct Random(u64);

impl Random {
    pub fn new(seed: u64, thing: &str) -> Self {
        let hash = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
        let mut random = Self(thing.bytes().fold(0xcbf2_9ce4_8422_2325, hash));
        random.0 = random.next() ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 inclusive to 1 exclusive.
    pub fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A duration from the range, in milliseconds.
    pub fn duration_ms(&mut self, range: &RangeInclusive<Duration>) -> i64 {
        let ms = |duration: &Duration| duration.as_millis() as f64;
        let (shortest, longest) = (ms(range.start()), ms(range.end()));
        (shortest + (longest - shortest).max(0.0) * self.fraction()) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_stay_within_their_range() {
        let mut random = Random::new(1, "pump-7");
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        assert!((0..100).all(|_| (1_000..=60_000).contains(&random.duration_ms(&(second..=minute)))));
        assert_eq!(random.duration_ms(&(minute..=second)), 60_000);
        assert!(random.duration_ms(&(second..=Duration::MAX)) >= 1_000);
    }
}
