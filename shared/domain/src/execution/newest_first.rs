//! `NewestFirst`: the place of an execution in the list of a thing's executions.

use std::cmp::Reverse;
use std::fmt;

use crate::execution::row::Execution;
use crate::ids::ExecutionId;
use crate::timestamp::Timestamp;

/// The place of an execution among those of its thing: the newest comes first, and of two that were created in the same
/// millisecond the one with the lower id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewestFirst {
    created_at: Reverse<Timestamp>,
    id: ExecutionId,
}

impl NewestFirst {
    /// The place of an execution.
    pub fn of(execution: &Execution) -> Self {
        Self { created_at: Reverse(execution.created_at), id: execution.key.id.clone() }
    }

    /// Parses the text that `Display` writes: milliseconds since 1970 and the id, as in `1700000000123.<id>`.
    pub fn parse(text: &str) -> Option<Self> {
        let (millis, id) = text.split_once('.')?;
        let created_at = Reverse(Timestamp::from_millis(millis.parse().ok()?));
        Some(Self { created_at, id: ExecutionId::parse(id).ok()? })
    }
}

impl fmt::Display for NewestFirst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.created_at.0.as_millis(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::execution::fixtures::execution;

    #[test]
    fn newest_execution_is_first_and_text_reads_back() {
        let mut at: Vec<_> = [5, 7, 6]
            .map(|seconds| NewestFirst {
                created_at: Reverse(Timestamp::from_seconds(seconds)),
                ..NewestFirst::of(&execution(None))
            })
            .into();
        at.sort();
        let seconds: Vec<_> = at.iter().map(|place| place.created_at.0.as_seconds()).collect();
        assert_eq!(seconds, [7, 6, 5]);
        for place in at {
            assert_eq!(NewestFirst::parse(&place.to_string()), Some(place));
        }
        for wrong in ["", "7", "7.", ".x", "x.aaaaaaaaaaaaaaaaaaaaaaaaaa", "3.50"] {
            assert_eq!(NewestFirst::parse(wrong), None, "{wrong}");
        }
    }
}
