//! What is remembered of an execution besides where it stands: who moved it, when, and by which way.

use std::fmt;

use crate::{Attempt, Timestamp};

/// Something that happened to an execution.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// In which attempt.
    pub attempt: Attempt,
    /// What: a status, a delivery status, or a reason.
    pub what: String,
    /// Who did it.
    pub by: By,
    /// By which way, where it is about a message.
    pub via: Option<String>,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct By(String);

impl By {
    const LONGEST: usize = 160;

    /// The device.
    pub fn device() -> Self {
        Self("device".to_owned())
    }

    /// One of our functions, by what it does.
    pub fn function(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// A caller of the API, by the name that AWS gives them.
    pub fn caller(name: &str) -> Self {
        let clean: String = name.chars().map(|c| if c.is_control() || c == '|' { '_' } else { c }).collect();
        Self(clean[..clean.floor_char_boundary(Self::LONGEST)].to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Step {
    /// As it is stored: a few bytes, since a row is written with every change.
    pub fn to_stored(&self) -> String {
        let Self { at, attempt, what, by, via } = self;
        format!("{}|{attempt}|{what}|{by}|{}", at.as_millis(), via.as_deref().unwrap_or_default())
    }

    /// As it was stored.
    pub fn from_stored(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, '|');
        let mut next = || parts.next();
        Some(Self {
            at: Timestamp::from_millis(next()?.parse().ok()?),
            attempt: next()?.parse().ok()?,
            what: next()?.to_owned(),
            by: By(next()?.to_owned()),
            via: next().filter(|via| !via.is_empty()).map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_read_as_it_is_written() {
        for via in [None, Some("direct".to_owned())] {
            let by = By::caller("arn:aws:sts::1:assumed-role/x|y\n");
            assert!(!by.as_str().contains(['|', '\n']));
            let step = Step { at: Timestamp::from_millis(7), attempt: 2, what: "QUEUED".to_owned(), by, via };
            assert_eq!(Step::from_stored(&step.to_stored()), Some(step));
        }
        for text in ["", "x|1|SENT|device|", "7|x|SENT|device|", "7|1|SENT"] {
            assert_eq!(Step::from_stored(text), None, "{text}");
        }
    }
}
