//! The reason code that explains the status of an execution.

use crate::execution::row::Execution;
use crate::messages::report::reason_code::ReasonCode;

impl Execution {
    /// The code that explains the status. The outcome that the device reported replaces the verdict of the cloud,
    /// also where the device gave no code.
    pub fn reason_code(&self) -> Option<&str> {
        match &self.outcome {
            Some(outcome) => outcome.code.as_ref().map(ReasonCode::as_str),
            None => self.verdict.map(|verdict| verdict.reason.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::execution::fixtures::{CREATED_AT, after_report, execution};

    #[test]
    fn reported_outcome_replaces_the_reason_of_the_verdict() {
        let expired = execution(None).observe(CREATED_AT.plus_seconds(60));
        assert_eq!(expired.reason_code(), Some("NO_RESPONSE"));
        let late =
            after_report(&expired, 61, r#"{"status":"FAILED","statusReason":{"reasonCode":"NO_POWER"}}"#).unwrap();
        assert_eq!(late.reason_code(), Some("NO_POWER"));
        let late = after_report(&expired, 61, "SUCCEEDED").unwrap();
        assert_eq!(late.reason_code(), None, "the verdict no longer explains the status");
        assert_eq!(execution(None).reason_code(), None);
    }
}
