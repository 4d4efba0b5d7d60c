//! Where every execution stands, for whoever shows it or waits for it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::sync::watch;

/// The statuses that an execution can have, in the order in which people expect them.
pub(super) const STATUSES: [&str; 7] =
    ["CREATED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "CANCELED"];

/// What the broker has carried for one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Answers of any kind.
    pub answers: u32,
    /// Answers that said how it ended.
    pub verdicts: u32,
}

/// One line for every thing.
pub(super) struct Board {
    heard: BTreeMap<String, watch::Sender<Heard>>,
    statuses: Mutex<BTreeMap<String, String>>,
    settled: watch::Sender<usize>,
}

impl Board {
    pub fn new(things: &[String]) -> Self {
        Self {
            heard: things.iter().map(|thing| (thing.clone(), watch::Sender::default())).collect(),
            statuses: Mutex::default(),
            settled: watch::Sender::default(),
        }
    }

    /// A thing has answered.
    pub fn hear(&self, thing: &str, verdict: bool) {
        let Some(heard) = self.heard.get(thing) else { return };
        heard.send_modify(|heard| {
            heard.answers += 1;
            heard.verdicts += u32::from(verdict);
        });
        let mut statuses = self.statuses.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(status) = statuses.get_mut(thing).filter(|status| *status == "CREATED") {
            "IN_PROGRESS".clone_into(status);
        }
    }

    /// What is heard of a thing.
    pub fn listen(&self, thing: &str) -> Option<watch::Receiver<Heard>> {
        self.heard.get(thing).map(watch::Sender::subscribe)
    }

    /// The API has said how an execution stands.
    pub fn show(&self, thing: &str, status: &str) {
        let mut statuses = self.statuses.lock().unwrap_or_else(|e| e.into_inner());
        // A GET that was under way when the thing was heard is older than what was heard.
        if status != "CREATED" || !statuses.contains_key(thing) {
            statuses.insert(thing.to_owned(), status.to_owned());
        }
    }

    /// An execution needs no more watching.
    pub fn settle(&self) {
        self.settled.send_modify(|count| *count += 1);
    }

    /// How many need none.
    pub fn settled(&self) -> watch::Receiver<usize> {
        self.settled.subscribe()
    }

    /// `SUCCEEDED 120, FAILED 14`, in the usual order.
    pub fn summary(&self) -> String {
        let statuses = self.statuses.lock().unwrap_or_else(|e| e.into_inner());
        let count = |status: &str| statuses.values().filter(|s| *s == status).count();
        let parts = STATUSES.iter().map(|status| (status, count(status))).filter(|(_, count)| *count > 0);
        parts.map(|(status, count)| format!("{status} {count}")).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_is_not_taken_back_by_an_older_look() {
        let board = Board::new(&["a".to_owned(), "b".to_owned()]);
        board.show("a", "CREATED");
        board.show("b", "CREATED");
        board.hear("a", false);
        board.show("a", "CREATED");
        assert_eq!(board.summary(), "CREATED 1, IN_PROGRESS 1");
        board.show("a", "SUCCEEDED");
        board.hear("a", true);
        board.hear("stranger", true);
        assert_eq!(board.summary(), "CREATED 1, SUCCEEDED 1");
    }
}
