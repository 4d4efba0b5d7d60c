//! Decides at random which messages are lost on their way to a simulated thing, or from it.

use crate::random::Random;

/// One decision for each message, reproducible from the seed, the thing's name and the order of messages.
pub(crate) struct MessageLoss {
    share: f64,
    random: Random,
}

impl MessageLoss {
    /// `share` is the part of messages that are lost, from 0 to 1.
    pub fn new(share: f64, seed: u64, thing: &str) -> Self {
        Self { share, random: Random::new(seed.wrapping_add(2), thing) }
    }

    pub fn is_next_lost(&mut self) -> bool {
        self.share > 0.0 && self.random.fraction() < self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_of_lost_messages_is_kept_and_depends_on_the_seed() {
        let draw = |share, seed| {
            let mut loss = MessageLoss::new(share, seed, "pump-7");
            (0..10_000).map(|_| loss.is_next_lost()).collect::<Vec<_>>()
        };
        let lost = |share| draw(share, 1).into_iter().filter(|is_lost| *is_lost).count();
        assert_eq!((lost(0.0), lost(1.0)), (0, 10_000));
        assert!((400..600).contains(&lost(0.05)), "{}", lost(0.05));
        assert_eq!(draw(0.05, 1), draw(0.05, 1));
        assert_ne!(draw(0.05, 1), draw(0.05, 2));
    }
}
