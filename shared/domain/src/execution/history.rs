//! A history entry: one event of an execution as its row stores it, with actor, attempt and time.

use crate::actor::Actor;
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
    /// The channel of the request, where the event is a delivery status.
    pub channel: Option<String>,
    /// Of a cancel, why: the text of the command's audit trail.
    pub why: Option<String>,
}

impl HistoryEntry {
    /// The entry as it is stored: its fields with `|` between them, since each change rewrites the whole row.
    pub fn to_stored(&self) -> String {
        let Self { at, attempt, event, actor, channel, why } = self;
        let channel = channel.as_deref().unwrap_or_default();
        let why = why.as_ref().map(|why| format!("|{why}")).unwrap_or_default();
        format!("{}|{attempt}|{event}|{actor}|{channel}{why}", at.as_millis())
    }

    /// The entry as it was stored; none for any other text.
    pub fn from_stored(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, '|');
        let mut next = || parts.next();
        Some(Self {
            at: Timestamp::from_millis(next()?.parse().ok()?),
            attempt: next()?.parse().ok()?,
            event: next()?.to_owned(),
            actor: Actor::from_stored(next()?),
            channel: Some(next()?).filter(|channel| !channel.is_empty()).map(str::to_owned),
            why: next().map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_entry_is_read_back() {
        let of = |channel: Option<&str>, why: Option<&str>| (channel.map(str::to_owned), why.map(str::to_owned));
        for (channel, why) in [of(None, None), of(Some("direct"), None), of(None, Some("a | b"))] {
            let actor = Actor::caller("arn:aws:sts::1:assumed-role/x|y\n");
            assert!(!actor.as_str().contains(['|', '\n']));
            let (at, event) = (Timestamp::from_millis(7), "QUEUED".to_owned());
            let entry = HistoryEntry { at, attempt: 2, event, actor, channel, why };
            assert_eq!(HistoryEntry::from_stored(&entry.to_stored()), Some(entry));
        }
        for text in ["", "x|1|SENT|device|", "7|1|SENT|device", "7|x|SENT|device|", "7|1|SENT"] {
            assert_eq!(HistoryEntry::from_stored(text), None, "{text}");
        }
    }
}
