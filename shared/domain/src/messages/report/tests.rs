//! Reports by example in each format, then arbitrary input.

use proptest::prelude::*;

use crate::ids::ExecutionId;
use crate::messages::report::device_report::Report;
use crate::messages::report::error::ReportError;
use crate::messages::report::reported_status::ReportedStatus;
use crate::messages::report::result::ReportResult;

const ID: &str = "abcdefghijklmnopqrstuvwxyz";
const OTHER: &str = "zyxwvutsrqponmlkjihgfedcba";

fn decode(payload: &str) -> Result<Report, ReportError> {
    Report::decode("cmd/pump-7/resp", payload.as_bytes())
}

fn id(report: &Report) -> Option<&str> {
    report.execution.as_ref().map(ExecutionId::as_str)
}

#[test]
fn json_carries_every_field() {
    let report = decode(&format!(
        r#"{{"executionId":"{ID}","attempt":2,"status":"FAILED","statusReason":{{"reasonCode":"LOW_BATTERY",
            "reasonDescription":"3 %"}},"result":{{"volts": 3.1}},"more":[1]}}"#
    ))
    .unwrap();
    assert_eq!(id(&report), Some(ID));
    assert_eq!((report.thing.as_str(), report.attempt, report.reported), ("pump-7", 2, ReportedStatus::Failed));
    assert_eq!(report.code.unwrap().as_str(), "LOW_BATTERY");
    assert_eq!(report.description.as_deref(), Some("3 %"));
    assert_eq!(report.result.unwrap(), ReportResult { text: r#"{"volts": 3.1}"#.into(), truncated: false });
}

#[test]
fn every_status_word_is_understood_in_json_and_text() {
    for (word, expected) in [
        ("SUCCEEDED", ReportedStatus::Succeeded),
        ("SUCCESS", ReportedStatus::Succeeded),
        ("FAILED", ReportedStatus::Failed),
        ("FAILURE", ReportedStatus::Failed),
        ("RUNNING", ReportedStatus::InProgress { seq: 0 }),
        ("IN_PROGRESS", ReportedStatus::InProgress { seq: 0 }),
        ("REJECTED", ReportedStatus::Rejected),
        ("TIMED_OUT", ReportedStatus::TimedOut),
        ("CANCELED", ReportedStatus::Canceled),
    ] {
        let json = decode(&format!(r#"{{"executionId":"{ID}","status":"{word}"}}"#)).unwrap();
        let text = decode(&format!("{word} {ID}")).unwrap();
        assert_eq!((json.reported, text.reported), (expected, expected), "{word}");
        assert_eq!((id(&json), id(&text)), (Some(ID), Some(ID)), "{word}");
    }
    for word in ["CREATED", "CANCEL", "REQUEST", "", "SUCCESSFUL"] {
        let json = decode(&format!(r#"{{"executionId":"{ID}","status":"{word}"}}"#));
        assert!(matches!(json, Err(ReportError::UnknownStatus(_))), "{word}");
    }
}

#[test]
fn a_heartbeat_has_a_sequence_number() {
    let beat = decode(&format!(r#"{{"executionId":"{ID}","status":"IN_PROGRESS","seq":3}}"#)).unwrap();
    assert_eq!(beat.reported, ReportedStatus::InProgress { seq: 3 });
}

#[test]
fn an_echoed_request_identifies_the_execution() {
    let request = format!(r#"{{"executionId":"{ID}","attempt":3,"command":"say","payload":"it's {OTHER}"}}"#);
    let escaped = request.replace('\'', "\\'");
    for reply in [
        format!("SUCCESS: command ran successfully from payload: b'{escaped}'"),
        format!("SUCCESS: command ran successfully from payload: b\"{}\"", request.replace('"', "\\\"")),
        format!("SUCCESS: {request} (done)"),
    ] {
        let report = decode(&reply).unwrap();
        assert_eq!((id(&report), report.attempt, report.reported), (Some(ID), 3, ReportedStatus::Succeeded), "{reply}");
    }
    let failed = decode(&format!("FAILURE: command did not run successfully from payload: b'{escaped}'")).unwrap();
    assert_eq!(failed.reported, ReportedStatus::Failed);
    assert_eq!(failed.description.as_deref(), Some("command did not run successfully from"));
}

#[test]
fn text_without_an_id_is_a_report() {
    for text in ["SUCCESS", "success: done", "FAILURE: jammed {\"motor\": 2}", "FAILURE: the pump said b'\\x07'"] {
        let report = decode(text).unwrap();
        assert_eq!((id(&report), report.attempt), (None, 1), "{text}");
    }
}

#[test]
fn a_request_is_kept_as_its_text_echoes_it() {
    let with_id = decode(&format!("SUCCESS: command ran successfully from payload: b'reboot {ID}'")).unwrap();
    assert_eq!((id(&with_id), with_id.echo.as_deref()), (Some(ID), Some(format!("reboot {ID}").as_bytes())));
    for (text, request) in [
        ("SUCCESS: command ran successfully from payload: b'light: on'", &b"light: on"[..]),
        ("FAILURE: command did not run successfully from payload: b\"it's on\"", b"it's on"),
        (
            r#"SUCCESS: command ran successfully from payload: b'{"light": "on", "id": 7}'"#,
            br#"{"light": "on", "id": 7}"#,
        ),
        ("SUCCESS: command ran successfully from payload: b''", b""),
        ("SUCCESS: command ran successfully from payload: b'\\xff\\x00'\n", b"\xff\x00"),
    ] {
        let report = decode(text).unwrap();
        assert_eq!((id(&report), report.echo.as_deref()), (None, Some(request)), "{text}");
        let on_topic = Report::decode(&format!("cmd/pump-7/resp/{ID}"), text.as_bytes()).unwrap();
        assert_eq!(id(&on_topic), Some(ID), "the topic names our execution");
    }
    // What is cut off in the middle is no request that can be read.
    assert_eq!(id(&decode("SUCCESS: command ran successfully from payload: b'light: o").unwrap()), None);
}

#[test]
fn what_does_not_touch_the_meaning_is_forgiven() {
    let report = format!(r#"{{"executionId":"{ID}","status":"FAILED","result":{{"n":1}}}}"#);
    let utf16 =
        |unit: fn(u16) -> [u8; 2]| "\u{feff}".encode_utf16().chain(report.encode_utf16()).flat_map(unit).collect();
    let forgiven: [Vec<u8>; 6] = [
        format!("{report}\0").into(),
        format!("\0 \r\n{report}\0\0\n").into(),
        format!("\u{feff}{report}").into(),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        report.replace("FAILED", " failed ").into(),
    ];
    for payload in forgiven {
        let read = Report::decode("cmd/pump-7/resp", &payload).unwrap();
        assert_eq!((id(&read), read.reported), (Some(ID), ReportedStatus::Failed), "{payload:?}");
    }
    // Latin-1 in a reason, in a result and in a text.
    let mut latin: Vec<u8> =
        format!(r#"{{"executionId":"{ID}","status":"FAILED","statusReason":{{"reasonDescription":"T"#).into();
    latin.extend(b"\xfcr offen\"},\"result\":\"\xe9\"}");
    let read = Report::decode("cmd/pump-7/resp", &latin).unwrap();
    assert_eq!(read.description.as_deref(), Some("T\u{fffd}r offen"));
    assert_eq!(read.result.unwrap().text, "\"\u{fffd}\"");
    let read = Report::decode("cmd/pump-7/resp", b"FAILURE: T\xfcr offen").unwrap();
    assert_eq!(read.description.as_deref(), Some("T\u{fffd}r offen"));
}

#[test]
fn numbers_may_be_texts_and_members_of_other_types_are_missing() {
    for (members, attempt, reported) in [
        (r#""attempt":"2","status":"FAILED""#, 2, ReportedStatus::Failed),
        (r#""attempt":2.0,"status":"FAILED""#, 2, ReportedStatus::Failed),
        (r#""attempt":"2.0","status":"FAILED""#, 2, ReportedStatus::Failed),
        (r#""attempt":"second","status":"FAILED""#, 1, ReportedStatus::Failed),
        (r#""seq":"3","status":"RUNNING""#, 1, ReportedStatus::InProgress { seq: 3 }),
        (r#""seq":3.0,"status":"RUNNING""#, 1, ReportedStatus::InProgress { seq: 3 }),
        (r#""seq":"last","status":"RUNNING""#, 1, ReportedStatus::InProgress { seq: 0 }),
        (r#""seq":-1,"status":"RUNNING""#, 1, ReportedStatus::InProgress { seq: 0 }),
        (r#""seq":18446744073709551616,"status":"RUNNING""#, 1, ReportedStatus::InProgress { seq: u64::MAX }),
        (r#""tid":17,"status":"FAILED""#, 1, ReportedStatus::Failed),
        (r#""commandId":17,"status":"FAILED""#, 1, ReportedStatus::Failed),
        (r#""tid":null,"commandId":{},"attempt":null,"seq":[],"status":"FAILED""#, 1, ReportedStatus::Failed),
    ] {
        let report = decode(&format!(r#"{{"executionId":"{ID}",{members}}}"#)).unwrap();
        assert_eq!((id(&report), report.attempt, report.reported), (Some(ID), attempt, reported), "{members}");
    }
}

#[test]
fn a_transaction_id_names_the_execution() {
    let report = decode(&format!(r#"{{"cmd":"MOTOR_1_ON","tid":"{ID}","status":"SUCCESS"}}"#)).unwrap();
    assert_eq!((id(&report), report.reported), (Some(ID), ReportedStatus::Succeeded));
}

#[test]
fn an_id_in_the_topic_must_not_be_contradicted() {
    let topic = format!("cmd/pump-7/resp/{ID}");
    let report = Report::decode(&topic, b"SUCCESS").unwrap();
    assert_eq!(id(&report), Some(ID));
    let other = Report::decode(&topic, format!("SUCCESS {OTHER}").as_bytes());
    assert!(matches!(other, Err(ReportError::Contradiction { .. })));
}

#[test]
fn a_relayed_message_is_success() {
    let relayed = r#"{"msg": {"on": true}, "deviceId": "relay-1"}"#;
    let topic = format!("cmd/pump-7/resp/{ID}");
    let report = Report::decode(&topic, relayed.as_bytes()).unwrap();
    assert_eq!((id(&report), report.thing.as_str(), report.attempt), (Some(ID), "pump-7", 1));
    assert_eq!(report.reported, ReportedStatus::Succeeded);
    assert_eq!(report.result.unwrap().text, r#"{"on": true}"#);
    let unnamed = decode(relayed).unwrap();
    assert_eq!((id(&unnamed), unnamed.is_relayed, unnamed.reported), (None, true, ReportedStatus::Succeeded));
    assert!(matches!(Report::decode(&topic, br#"{"msg":"x"}"#), Err(ReportError::NoStatus)));
    let with_status = Report::decode(&topic, br#"{"msg":"x","deviceId":"d","status":"FAILED"}"#).unwrap();
    assert_eq!(with_status.reported, ReportedStatus::Failed, "an explicit status takes precedence");
}

#[test]
fn identity_comes_from_the_topic_only() {
    let report = decode(&format!(r#"{{"executionId":"{ID}","status":"FAILED","thing":"pump-8","deviceId":"x"}}"#));
    assert_eq!(report.unwrap().thing.as_str(), "pump-7");
}

#[test]
fn a_large_result_is_truncated_and_marked() {
    let long = "é".repeat(4000);
    let report = decode(&format!(r#"{{"executionId":"{ID}","status":"SUCCEEDED","result":"{long}"}}"#)).unwrap();
    let result = report.result.unwrap();
    assert!(result.truncated && result.text.len() <= ReportResult::MAX_BYTES);
}

#[test]
fn a_malformed_reason_does_not_lose_the_status() {
    for reason in ["7", "\"x\"", "[]", r#"{"reasonCode":7}"#, "null", "{}"] {
        let report = decode(&format!(r#"{{"executionId":"{ID}","status":"FAILED","statusReason":{reason}}}"#));
        let report = report.unwrap_or_else(|error| panic!("{reason}: {error}"));
        assert_eq!(
            (report.reported, report.code, report.description),
            (ReportedStatus::Failed, None, None),
            "{reason}"
        );
    }
}

#[test]
fn every_refused_message_says_why() {
    assert!(matches!(decode(""), Err(ReportError::Empty)));
    assert!(matches!(decode(" \n"), Err(ReportError::Empty)));
    assert!(matches!(decode("{"), Err(ReportError::Malformed(_))));
    assert!(matches!(decode(r#"{"status":7}"#), Err(ReportError::Malformed(_))));
    assert!(matches!(decode("{}"), Err(ReportError::NoStatus)));
    assert!(matches!(decode("hello"), Err(ReportError::UnknownStatus(_))));
    assert!(matches!(decode("[1]"), Err(ReportError::UnknownStatus(_))));
    assert!(matches!(decode(r#"{"executionId":"x","status":"FAILED"}"#), Err(ReportError::Id(_))));
    assert!(matches!(decode(r#"{"attempt":0,"status":"FAILED"}"#), Err(ReportError::Attempt(0))));
    assert!(matches!(decode(r#"{"attempt":65535,"status":"FAILED"}"#), Err(ReportError::Attempt(65535))));
    assert!(matches!(decode(&"x".repeat(128 * 1024 + 1)), Err(ReportError::TooLarge(131073))));
    assert!(matches!(Report::decode("cmd/pump-7/resp", &[0xff, 0, 1]), Err(ReportError::UnknownStatus(_))));
    assert!(matches!(Report::decode("cmd/pump-7/req", b"SUCCESS"), Err(ReportError::Topic(_))));
    assert!(matches!(decode(&format!("{{\"result\":{}", "[".repeat(100_000))), Err(ReportError::Malformed(_))));
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_or_refused(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Report::decode("cmd/pump-7/resp", &payload);
    }

    #[test]
    fn any_text_after_a_status_word_is_a_report(rest in ".{0,200}") {
        prop_assume!(!rest.contains("payload: b"));
        let payload = format!("SUCCESS {rest}");
        let report = Report::decode("cmd/pump-7/resp", payload.as_bytes()).unwrap();
        prop_assert_eq!(report.reported, ReportedStatus::Succeeded);
    }
}
