//! An update of a shadow that the shadow service has refused (`update/rejected`): the device's report is not in the
//! shadow, and often it does not look for the answer.

use std::borrow::Cow;

use serde::Deserialize;

use crate::messages::report::unusable::UnusableReport;
use crate::messages::shadow::event::ShadowEventError;
use crate::names::{ShadowName, ThingName};
use crate::timestamp::Timestamp;

/// A refused update, as the shadow rules select it. Message shape: AWS IoT Developer Guide, "Device Shadow service
/// documents", error response document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowRefusal {
    /// The thing that the shadow belongs to.
    pub thing: ThingName,
    /// The name of the shadow; `None` for the classic shadow.
    pub shadow: Option<ShadowName>,
    /// The time at which AWS IoT refused the update.
    pub received_at: Timestamp,
    /// The error code, such as 413.
    pub code: i64,
    message: String,
    token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow)]
    thing: Cow<'a, str>,
    #[serde(borrow)]
    shadow: Option<Cow<'a, str>>,
    code: i64,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow)]
    client_token: Option<Cow<'a, str>>,
    received_at: i64,
}

impl ShadowRefusal {
    /// Decodes the event of a shadow rule.
    ///
    /// # Errors
    ///
    /// [`ShadowEventError`] if a member is missing or of the wrong type, or a name is invalid.
    pub fn decode(event: &str) -> Result<Self, ShadowEventError> {
        let event: Event = serde_json::from_str(event).map_err(ShadowEventError::Event)?;
        let shadow = event.shadow.map(|name| ShadowName::parse(&name)).transpose().map_err(ShadowEventError::Name)?;
        Ok(Self {
            thing: ThingName::parse(&event.thing).map_err(ShadowEventError::Name)?,
            shadow,
            received_at: Timestamp::from_millis(event.received_at),
            code: event.code,
            message: event.message.unwrap_or_default().into_owned(),
            token: event.client_token.unwrap_or_default().into_owned(),
        })
    }

    /// The refused update as a report that could not be used: about the execution that its client token names, if any. It
    /// does not show the token, which may differ in each: a repeated refusal is kept once.
    pub fn report(&self) -> UnusableReport {
        let shadow =
            self.shadow.as_ref().map_or_else(|| "the classic shadow".into(), |name| format!("the shadow {name}"));
        let (code, message) = (self.code, self.message.trim_end_matches('.'));
        let separator = if message.is_empty() { "" } else { ": " };
        let reason = format!("{shadow} refused an update with {code}{separator}{message}");
        let report = UnusableReport::new(self.received_at, None, self.token.as_bytes(), &reason);
        UnusableReport { excerpt: String::new(), ..report }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::fixtures::execution;

    fn refusal(members: &str) -> Result<ShadowRefusal, ShadowEventError> {
        ShadowRefusal::decode(&format!(r#"{{"thing":"pump-7","receivedAt":1700000300000,{members}}}"#))
    }

    #[test]
    fn refusal_says_what_was_refused_and_why() {
        let classic =
            refusal(r#""code":413,"message":"The payload exceeds the maximum size allowed.""#).unwrap().report();
        let reason = "the classic shadow refused an update with 413: The payload exceeds the maximum size allowed";
        assert_eq!((classic.reason.as_str(), classic.excerpt.as_str()), (reason, ""));
        assert_eq!((classic.execution, classic.received_at), (None, Timestamp::from_millis(1_700_000_300_000)));
        let named = refusal(r#""shadow":"cmd","code":409,"clientToken":"t-1""#).unwrap().report();
        assert_eq!((named.reason.as_str(), named.excerpt.as_str()), ("the shadow cmd refused an update with 409", ""));
    }

    #[test]
    fn client_token_may_name_the_execution() {
        let id = execution(None).key.id;
        let report = refusal(&format!(r#""code":409,"clientToken":"report-{id}""#)).unwrap().report();
        assert_eq!(report.execution, Some(id));
    }

    #[test]
    fn event_without_a_code_or_with_a_bad_name_is_refused() {
        for bad in
            [r#""message":"x""#, r#""code":"413""#, r#""code":413,"shadow":"a b""#, r#""code":413,"clientToken":7"#]
        {
            assert!(refusal(bad).is_err(), "{bad}");
        }
    }
}
