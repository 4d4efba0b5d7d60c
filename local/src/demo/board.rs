//! Where the command stands, as its events say it, and what the broker has carried for each thing: for whoever shows it or waits for it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::api::Standing;

/// What the broker has carried for one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// When it was first asked.
    pub asked: Option<Instant>,
    /// When it first said how it ended.
    pub answered: Option<Instant>,
}

pub(super) struct Board(Mutex<Seen>);

struct Seen {
    things: BTreeMap<String, Heard>,
    standing: Standing,
    /// When something was last news.
    news: Instant,
}

impl Board {
    /// One line for every thing.
    pub fn new(things: &[String]) -> Self {
        let things = things.iter().map(|thing| (thing.clone(), Heard::default())).collect();
        Self(Mutex::new(Seen { things, standing: Standing::default(), news: Instant::now() }))
    }

    /// A request went to a thing.
    pub fn asked(&self, thing: &str) {
        self.note(thing, |heard, now| {
            heard.asked.get_or_insert(now);
        });
    }

    /// A thing has said how it ended.
    pub fn answered(&self, thing: &str) {
        self.note(thing, |heard, now| {
            heard.answered.get_or_insert(now);
        });
    }

    fn note(&self, thing: &str, note: impl FnOnce(&mut Heard, Instant)) {
        let (mut seen, now) = (self.locked(), Instant::now());
        if let Some(heard) = seen.things.get_mut(thing) {
            note(heard, now);
            seen.news = now;
        }
    }

    /// An event has said how the command stands. Events overtake each other, and no execution that has ended begins again.
    pub fn told(&self, standing: Standing) {
        let mut seen = self.locked();
        if standing.counts.ended() >= seen.standing.counts.ended() && standing != seen.standing {
            (seen.standing, seen.news) = (standing, Instant::now());
        }
    }

    /// How the command stands.
    pub fn standing(&self) -> Standing {
        self.locked().standing.clone()
    }

    /// What is known of a thing.
    pub fn heard(&self, thing: &str) -> Heard {
        self.locked().things.get(thing).copied().unwrap_or_default()
    }

    /// How long there has been no news.
    pub fn quiet_for(&self) -> Duration {
        self.locked().news.elapsed()
    }

    fn locked(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(ended: u64) -> Standing {
        serde_json::from_value(serde_json::json!({
            "state": "IN_PROGRESS",
            "counts": {"total": 9, "waiting": 0, "SUCCEEDED": ended, "byReason": {}},
        }))
        .expect("a standing")
    }

    #[test]
    fn an_event_that_was_overtaken_takes_nothing_back() {
        let board = Board::new(&["a".to_owned()]);
        board.told(standing(5));
        board.told(standing(3));
        assert_eq!(board.standing(), standing(5));
        board.told(standing(6));
        assert_eq!(board.standing().counts.summary(), "SUCCEEDED 6");
    }

    #[test]
    fn the_first_request_and_the_first_answer_count() {
        let board = Board::new(&["a".to_owned()]);
        board.asked("a");
        let first = board.heard("a");
        board.asked("a");
        board.answered("a");
        board.answered("stranger");
        assert_eq!(board.heard("a").asked, first.asked);
        assert!(board.heard("a").answered >= first.asked);
        assert_eq!(board.heard("stranger"), Heard::default());
    }
}
