//! Messages that are lost on their way to a thing, or from it.

use crate::random::Random;

/// Draws for each message whether it is lost: the same for the same seed and name, and the same order of messages.
pub(crate) struct Loss {
    share: f64,
    random: Random,
}

impl Loss {
    pub fn new(share: f64, seed: u64, thing: &str) -> Self {
        Self { share, random: Random::new(seed.wrapping_add(2), thing) }
    }

    /// Whether the next message is lost.
    pub fn strikes(&mut self) -> bool {
        self.share > 0.0 && self.random.share() < self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_kept_and_drawn_from_the_seed() {
        let drawn = |share, seed| {
            let mut loss = Loss::new(share, seed, "pump-7");
            (0..10_000).map(|_| loss.strikes()).collect::<Vec<_>>()
        };
        let lost = |share| drawn(share, 1).into_iter().filter(|lost| *lost).count();
        assert_eq!((lost(0.0), lost(1.0)), (0, 10_000));
        assert!((400..600).contains(&lost(0.05)), "{}", lost(0.05));
        assert_eq!(drawn(0.05, 1), drawn(0.05, 1));
        assert_ne!(drawn(0.05, 1), drawn(0.05, 2));
    }
}
