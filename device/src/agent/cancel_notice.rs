//! Reads cancel notices: messages that forbid an execution to run.

use serde_json::Value;

use super::id::Id;

/// A valid cancel notice.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CancelNotice {
    /// At least one. An execution of a broadcast is named twice, since the device may know it by either id.
    pub ids: Vec<Id>,
    /// The newest attempt when the notice was sent.
    pub attempt: u32,
}

impl CancelNotice {
    /// `None` when the message names no execution, or an impossible attempt.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let envelope: Value = serde_json::from_slice(bytes).ok()?;
        let attempt = match envelope.get("attempt") {
            Some(attempt) => u32::try_from(attempt.as_u64()?).ok()?,
            None => 1,
        };
        let ids: Vec<Id> = Id::all_in_envelope(&envelope).into_iter().flatten().collect();
        (!ids.is_empty()).then_some(Self { ids, attempt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notice_needs_an_id_and_nothing_else() {
        let read = |text: &str| CancelNotice::read(text.as_bytes()).map(|notice| (notice.ids, notice.attempt));
        let (execution, command) = (Id::ExecutionId("e1".to_owned()), Id::CommandId("c1".to_owned()));
        let both = vec![execution.clone(), command.clone()];
        assert_eq!(read(r#"{"executionId":"e1","attempt":2,"more":[]}"#), Some((vec![execution], 2)));
        assert_eq!(read(r#"{"commandId":"c1"}"#), Some((vec![command], 1)));
        assert_eq!(read(r#"{"commandId":"c1","executionId":"e1"}"#), Some((both, 1)));
        for text in ["", "e1", "{}", r#"{"executionId":"a b"}"#, r#"{"executionId":"e1","attempt":-1}"#] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
