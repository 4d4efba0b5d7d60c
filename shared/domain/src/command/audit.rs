//! The audit trail of a command: who paused, resumed, canceled or changed it, when, and why.

use crate::actor::Actor;
use crate::timestamp::Timestamp;

/// One change of a command, by an operator or by its own rules. The creation is not among them: the command itself
/// says when and by whom it was created.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub action: AuditAction,
    /// Who did it: the caller, or the function that applied a rule of the command.
    pub by: Actor,
    /// Why, as text for the operator: the caller's own words, or the rule that was met.
    pub why: Option<String>,
}

/// What was done to a command.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AuditAction {
    /// It was paused.
    Paused,
    /// It was resumed.
    Resumed,
    /// It was canceled.
    Canceled {
        /// Whether the executions in progress were canceled too.
        force: bool,
    },
    /// Its definition was changed: what, as text for the operator, such as `rollout.maximumPerMinute: 300 to 600`.
    Changed(String),
}

/// Why an operator's text that says why a command is changed is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("why must be a text of 1 to {max} bytes without control characters", max = AuditEntry::MAX_WHY_BYTES)]
pub struct WhyError;

impl AuditEntry {
    /// The most bytes of [`Self::why`]. Each execution that a cancel ends stores the text too, and DynamoDB charges
    /// every write for the whole row.
    pub const MAX_WHY_BYTES: usize = 256;

    /// Checks an operator's own words.
    ///
    /// # Errors
    /// [`WhyError`] if they are empty, too long, or not printable.
    pub fn parse_why(text: &str) -> Result<String, WhyError> {
        let fits = (1..=Self::MAX_WHY_BYTES).contains(&text.len()) && !text.trim().is_empty();
        if fits && !text.contains(char::is_control) { Ok(text.to_owned()) } else { Err(WhyError) }
    }

    /// The entry as it is stored: its fields with `|` between them.
    pub fn to_stored(&self) -> String {
        let Self { at, action, by, why } = self;
        let changed = if let AuditAction::Changed(what) = action { what.replace('|', "/") } else { String::new() };
        format!("{}|{}|{by}|{changed}|{}", at.as_millis(), action.stored_word(), why.as_deref().unwrap_or_default())
    }

    /// The entry as it was stored; none for any other text.
    pub fn from_stored(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, '|');
        let mut next = || parts.next();
        let at = Timestamp::from_millis(next()?.parse().ok()?);
        let word = next()?;
        let by = Actor::from_stored(next()?);
        let changed = next()?;
        let why = next().filter(|why| !why.is_empty()).map(str::to_owned);
        let action = match word {
            "PAUSED" => AuditAction::Paused,
            "RESUMED" => AuditAction::Resumed,
            "CANCELED" => AuditAction::Canceled { force: false },
            "FORCED" => AuditAction::Canceled { force: true },
            "CHANGED" => AuditAction::Changed(changed.to_owned()),
            _ => return None,
        };
        Some(Self { at, action, by, why })
    }
}

impl AuditAction {
    /// The word that the API shows.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Paused => "PAUSED",
            Self::Resumed => "RESUMED",
            Self::Canceled { .. } => "CANCELED",
            Self::Changed(_) => "CHANGED",
        }
    }

    const fn stored_word(&self) -> &'static str {
        if let Self::Canceled { force: true } = self { "FORCED" } else { self.as_str() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_entry_is_read_back() {
        let changed = AuditAction::Changed("rollout.maximumPerMinute: 300 to 600".to_owned());
        let canceled = [false, true].map(|force| AuditAction::Canceled { force });
        for action in [AuditAction::Paused, AuditAction::Resumed, changed].into_iter().chain(canceled) {
            for why in [None, Some("a valve | sticks".to_owned())] {
                let by = Actor::caller("arn:aws:iam::1:user/ada");
                let entry = AuditEntry { at: Timestamp::from_millis(7), action: action.clone(), by, why };
                assert_eq!(AuditEntry::from_stored(&entry.to_stored()), Some(entry));
            }
        }
        for text in ["", "x|PAUSED|ada||", "7|STOPPED|ada||", "7|PAUSED|ada"] {
            assert_eq!(AuditEntry::from_stored(text), None, "{text}");
        }
    }

    #[test]
    fn why_is_a_short_printable_text() {
        let longest = "x".repeat(AuditEntry::MAX_WHY_BYTES);
        assert_eq!(AuditEntry::parse_why(&longest).as_deref(), Ok(longest.as_str()));
        assert_eq!(AuditEntry::parse_why("valve | hall 3, dès que").as_deref(), Ok("valve | hall 3, dès que"));
        for text in ["", "   ", "a\nb", "a\u{7f}b", &"x".repeat(AuditEntry::MAX_WHY_BYTES + 1), &"é".repeat(129)] {
            assert_eq!(AuditEntry::parse_why(text), Err(WhyError), "{text:?}");
        }
    }
}
