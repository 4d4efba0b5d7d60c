//! A history entry: one event of an execution as its row stores it, with actor, attempt and time.

use crate::actor::Actor;
use crate::execution::attempt_steps::AttemptSteps;
use crate::execution::progress::Attempt;
use crate::timestamp::Timestamp;

/// One event of an execution that its other attributes do not show.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HistoryEntry {
    /// When it happened; of a deadline, the instant at which it passed.
    pub at: Timestamp,
    /// The attempt that it belongs to.
    pub attempt: Attempt,
    /// A delivery status; the reason of a verdict; or the failure of an attempt that was retried, followed by a blank
    /// and the device's own reason code where it gave one.
    pub event: String,
    /// Who made the change.
    pub actor: Actor,
    /// The channel of the request, where the event is a delivery status, or the failure of an attempt whose sending has
    /// no entry of its own.
    pub channel: Option<String>,
    /// Of the failure of an attempt that was retried, what had become of that attempt: the attributes of the row that
    /// say so are those of the next attempt now.
    pub steps: AttemptSteps,
    /// Of a cancel, why: the text of the command's audit trail.
    pub why: Option<String>,
}

impl HistoryEntry {
    /// An entry with these parts, and no others.
    pub(crate) fn new(at: Timestamp, attempt: Attempt, event: String, actor: Actor) -> Self {
        Self { at, attempt, event, actor, channel: None, steps: AttemptSteps::default(), why: None }
    }

    /// The entry as it is stored: its fields with `|` between them, since each change rewrites the whole row.
    pub fn to_stored(&self) -> String {
        let Self { at, attempt, event, actor, channel, steps, why } = self;
        let channel = channel.as_deref().unwrap_or_default();
        let rest = match (steps.is_empty(), why) {
            (true, None) => String::new(),
            (false, None) => format!("|{}", steps.to_stored(*at)),
            (_, Some(why)) => format!("|{}|{why}", steps.to_stored(*at)),
        };
        format!("{}|{attempt}|{event}|{actor}|{channel}{rest}", at.as_millis())
    }

    /// The entry as it was stored; none for any other text.
    pub fn from_stored(text: &str) -> Option<Self> {
        let mut parts = text.splitn(7, '|');
        let mut next = || parts.next();
        let at = Timestamp::from_millis(next()?.parse().ok()?);
        Some(Self {
            at,
            attempt: next()?.parse().ok()?,
            event: next()?.to_owned(),
            actor: Actor::from_stored(next()?),
            channel: Some(next()?).filter(|channel| !channel.is_empty()).map(str::to_owned),
            steps: AttemptSteps::from_stored(next().unwrap_or_default(), at)?,
            why: next().map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_entry_is_read_back() {
        let at = Timestamp::from_millis(7_000);
        let after = |millis: i64| Some(Timestamp::from_millis(7_000 - millis));
        let steps =
            AttemptSteps { sent_by_creator: true, sent_at: after(900), delivered_at: after(0), started_at: None };
        let actor = Actor::caller("arn:aws:sts::1:assumed-role/x|y\n");
        assert!(!actor.as_str().contains(['|', '\n']));
        for channel in [None, Some("direct".to_owned())] {
            for steps in [AttemptSteps::default(), steps] {
                for why in [None, Some("a | b".to_owned())] {
                    let (actor, event, channel) = (actor.clone(), "QUEUED".to_owned(), channel.clone());
                    let entry = HistoryEntry { at, attempt: 2, event, actor, channel, steps, why };
                    assert_eq!(HistoryEntry::from_stored(&entry.to_stored()), Some(entry));
                }
            }
        }
        for text in ["", "x|1|SENT|device|", "7|x|SENT|device|", "7|1|SENT", "7|1|SENT|device", "7|1|SENT|device||x"] {
            assert_eq!(HistoryEntry::from_stored(text), None, "{text}");
        }
    }
}
