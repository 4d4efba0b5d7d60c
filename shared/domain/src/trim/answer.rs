//! Trims the answer to a device that has asked for its shadow (`get/accepted`): what it reads when it comes back.

use serde_json::value::RawValue;

use crate::timestamp::Timestamp;
use crate::trim::members;
use crate::trim::message::{Parts, write_section, write_sections};
use crate::trim::options::{ShadowMessageKind, TrimOptions};
use crate::trim::outcome::{TrimError, TrimOutcome};

/// Trims the answer to a request for a shadow, as the rule selects it: `{"state": {"desired", "reported", "delta"},
/// "metadata", "version", "timestamp", "clientToken"}` and the members that the rule adds.
///
/// Where deltas are trimmed, `state` holds what differs, as in a delta: a device handles both messages alike. Otherwise it
/// has its sections. The device waits for an answer, so the outcome is always [`TrimOutcome::Trimmed`]: `state` is `{}`
/// where nothing is left to do of what the allow-list keeps.
///
/// # Errors
///
/// [`TrimError`] if the message has no object `state` or no whole number `version`, or a part of it is malformed.
pub fn trim_answer(message: &RawValue, options: &TrimOptions, now_seconds: i64) -> Result<TrimOutcome, TrimError> {
    let message = message.get();
    let parts = Parts::of(message);
    let (state, version) = parts.required()?;
    let mut body = String::with_capacity(state.len() + 128);
    body.push_str("{\"state\":");
    match options.kind {
        ShadowMessageKind::Delta => {
            let delta = members::get(state, "delta").filter(|delta| delta.starts_with('{')).unwrap_or("{}");
            // A delta has no metadata of its own here. Its members are those of `desired`.
            let metadata = parts.metadata.and_then(|metadata| members::get(metadata, "desired"));
            write_section(delta, metadata, true, options, now_seconds, &mut body)?;
        }
        ShadowMessageKind::Accepted | ShadowMessageKind::Documents => {
            write_sections(state, parts.metadata, options, now_seconds, &mut body)?;
        }
    }
    parts.write_end(&mut body);
    Ok(TrimOutcome::Trimmed { body, version, original_bytes: message.len().saturating_sub(parts.added) })
}

/// How long after its request a device still gets the answer, in seconds.
const MAX_ANSWER_DELAY_SECONDS: u32 = 30;

/// Whether the answer to a request of `asked_at` is left out at `now`. Devices wait five to ten seconds, and ask again: a
/// later answer could hold a command that was canceled or withdrawn meanwhile, which a device can't tell.
pub fn is_answer_late(asked_at: Timestamp, now: Timestamp) -> bool {
    now > asked_at.plus_seconds(MAX_ANSWER_DELAY_SECONDS)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::trim::AllowList;

    const NOW: i64 = 1_700_000_100;

    fn options(kind: ShadowMessageKind, paths: &str) -> TrimOptions {
        TrimOptions { kind, allow_list: AllowList::parse(paths).expect("a valid allow-list") }
    }

    fn answer(state: Value, desired_metadata: Value) -> String {
        let metadata = json!({"desired": desired_metadata, "reported": {"speed": {"timestamp": 1}}});
        let answer =
            json!({"state": state, "metadata": metadata, "version": 7, "timestamp": NOW, "clientToken": "t-1"});
        answer.to_string()
    }

    fn body(message: &str, options: &TrimOptions) -> Value {
        let message: &RawValue = serde_json::from_str(message).expect("JSON");
        match trim_answer(message, options, NOW).expect("an answer") {
            TrimOutcome::Trimmed { body, .. } => serde_json::from_str(&body).expect("JSON"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answer_looks_like_a_delta_where_deltas_are_trimmed() {
        let state =
            json!({"desired": {"speed": 3, "on": true}, "reported": {"speed": 2, "on": true}, "delta": {"speed": 3}});
        let answer = answer(state.clone(), json!({}));
        let of = |kind| body(&answer, &options(kind, ""));
        let expected = |state: &Value| json!({"state": state, "version": 7, "clientToken": "t-1"});
        assert_eq!(of(ShadowMessageKind::Delta), expected(&json!({"speed": 3})));
        for whole in [ShadowMessageKind::Accepted, ShadowMessageKind::Documents] {
            assert_eq!(of(whole), expected(&state), "{whole:?}");
        }
    }

    #[test]
    fn device_that_has_nothing_to_do_is_told_so() {
        for state in [json!({"reported": {"speed": 2}}), json!({}), json!({"desired": {"a": 1}, "delta": {"a": 1}})] {
            let answer = body(&answer(state, json!({})), &options(ShadowMessageKind::Delta, "speed"));
            assert_eq!(answer, json!({"state": {}, "version": 7, "clientToken": "t-1"}));
        }
        let small = body(r#"{"state":{"desired":{"a":1}},"version":1}"#, &options(ShadowMessageKind::Accepted, ""));
        assert_eq!(small, json!({"state": {"desired": {"a": 1}}, "version": 1}), "though it is no smaller");
    }

    #[test]
    fn expired_commands_are_removed_from_what_the_device_is_to_do() {
        let written =
            json!({"command": [{"reboot": {"ttl": {"timestamp": NOW - 61}}}, {"open": {"ttl": {"timestamp": NOW}}}]});
        let commands =
            json!({"command": [{"reboot": {"ttl": 60}}, {"open": {"ttl": 60}}], "c": {"id": {"expiresAt": NOW - 1}}});
        let answer = answer(json!({"desired": commands, "delta": commands, "reported": commands}), written);
        let live = json!({"command": [{"open": {"ttl": 60}}]});
        assert_eq!(body(&answer, &options(ShadowMessageKind::Delta, ""))["state"], live);
        let whole = body(&answer, &options(ShadowMessageKind::Documents, ""));
        assert_eq!(whole["state"], json!({"desired": live, "delta": live, "reported": commands}));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for bad in [r#"{"version":7}"#, r#"{"state":{},"version":"7"}"#, r#"{"state":[],"version":7}"#] {
            let message: &RawValue = serde_json::from_str(bad).expect("JSON");
            assert!(trim_answer(message, &TrimOptions::default(), NOW).is_err(), "{bad}");
        }
    }
}
