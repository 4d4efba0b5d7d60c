//! What devices say in their shadows.

use crate::shadow::fixtures::*;

const ID: &str = "abcdefghijklmnopqrstuvwxyz";
const OTHER: &str = "zyxwvutsrqponmlkjihgfedcba";

fn event(shadow: Option<&str>, reported: Value) -> ShadowEvent {
    let state = json!({"desired": {"n": 1}, "reported": reported});
    let mut event = json!({"thing": "pump-7", "version": 4, "receivedAt": 1_700_000_000_123_i64, "state": state});
    if let Some(shadow) = shadow {
        event["shadow"] = json!(shadow);
    }
    ShadowEvent::decode(&event.to_string()).unwrap()
}

fn echo_on(topic: &str) -> Value {
    json!({"reboot": {"message": {"n": 1}, "topic": topic, "ttl": 5}})
}

fn ids(reports: &ShadowReports) -> Vec<&str> {
    reports.reports.iter().filter_map(|r| r.report.execution.as_ref()).map(|id| id.as_str()).collect()
}

#[test]
fn an_event_is_what_the_rules_select() {
    let named = event(Some("cmd"), json!({"a": 1}));
    assert_eq!((named.thing.as_str(), named.shadow), ("pump-7", Some(ShadowName::commands())));
    assert_eq!((named.version, named.received_at), (4, BORN));
    let classic = event(None, json!({"a": 1}));
    assert_eq!(classic.shadow, None);
    assert_eq!(classic.reported().unwrap().get(), r#"{"a":1}"#);
    for state in ["", r#","state":null"#, r#","state":{}"#, r#","state":{"reported":null}"#] {
        let text = format!(r#"{{"thing":"pump-7","version":4,"receivedAt":1{state}}}"#);
        let cleared = ShadowEvent::decode(&text).unwrap();
        assert!(cleared.reported().is_none() && cleared.reports().reports.is_empty(), "{state}");
    }
}

#[test]
fn what_is_no_event_says_why() {
    let decode = |text: &str| ShadowEvent::decode(text).unwrap_err();
    assert!(matches!(decode("{}"), ShadowEventError::Event(_)));
    assert!(matches!(decode(r#"{"thing":"a b","version":1,"receivedAt":1}"#), ShadowEventError::Name(_)));
    assert!(matches!(decode(r#"{"thing":"a","shadow":"$x","version":1,"receivedAt":1}"#), ShadowEventError::Name(_)));
    assert!(matches!(decode(r#"{"thing":"a","version":1,"receivedAt":1,"state":7}"#), ShadowEventError::State(_)));
}

#[test]
fn an_echo_of_a_command_says_that_it_was_done() {
    let topic = format!("cmd/pump-7/resp/{ID}");
    let reports = event(None, json!({"command": [echo_on(&topic)]})).reports();
    let [ShadowReport { route, report }] = &reports.reports[..] else { panic!("{reports:?}") };
    assert_eq!((route, ids(&reports)), (&ShadowRoute::Atlas, vec![ID]));
    assert_eq!((report.thing.as_str(), report.attempt, report.reported), ("pump-7", 1, Reported::Succeeded));
    // Whichever of the two comes first, the execution ends the same.
    let relayed = Report::decode(&topic, br#"{"msg":{"n":1},"deviceId":"pump-7"}"#).unwrap();
    assert_eq!(report, &Report { path: crate::ReportPath::Shadow, ..relayed });
}

#[test]
fn what_is_bad_in_an_array_does_not_stop_what_is_good() {
    let entries = json!([
        echo_on(&format!("cmd/pump-8/resp/{OTHER}")), 7, {"x": 7}, echo_on("elsewhere"), echo_on("cmd/pump-7/resp"),
        {"y": {"topic": 7}}, echo_on(&format!("cmd/pump-7/resp/{ID}")),
    ]);
    let reports = event(None, json!({"command": entries})).reports();
    assert_eq!(ids(&reports), [ID]);
    let [error] = &reports.refused[..] else { panic!("{reports:?}") };
    assert_eq!(error.to_string(), "reported.command of pump-7 answers for pump-8");
}

#[test]
fn case_g_a_command_that_nobody_knows_is_not_reported() {
    assert!(event(None, json!({"command": []})).reports().reports.is_empty());
    assert!(event(None, json!({"motorStatus": "on"})).reports().reports.is_empty());
}

#[test]
fn case_h_an_event_that_comes_twice_says_the_same() {
    let event = event(None, json!({"command": [echo_on(&format!("cmd/pump-7/resp/{ID}"))]}));
    assert_eq!(event.reports().reports, event.reports().reports);
}

#[test]
fn an_entry_is_a_report_in_json() {
    let entries = json!({
        ID: {"status": "FAILED", "attempt": 2, "statusReason": {"reasonCode": "COLD"}, "result": [1]},
        OTHER: {"status": "IN_PROGRESS", "seq": 3},
    });
    let reports = event(Some("cmd"), json!({"c": entries, "dialect": "map"})).reports();
    assert!(reports.refused.is_empty() && reports.reports.iter().all(|r| r.route == ShadowRoute::default()));
    let [first, second] = &reports.reports[..] else { panic!("{reports:?}") };
    assert_eq!(ids(&reports), [ID, OTHER]);
    assert_eq!((first.report.attempt, first.report.reported), (2, Reported::Failed));
    assert_eq!(first.report.result.as_ref().unwrap().text, "[1]");
    assert_eq!(second.report.reported, Reported::InProgress { seq: 3 });
}

#[test]
fn a_bad_entry_does_not_stop_the_others() {
    let good = json!({"status": "SUCCEEDED", "executionId": ID});
    let third = "a".repeat(26);
    let bad = json!({
        "not-an-id": {"status": "FAILED"}, ID: good, OTHER: {"status": "FAILED", "executionId": ID},
        third.as_str(): {"msg": "x", "deviceId": "d"},
    });
    let reports = event(Some("cmd"), json!({"c": bad})).reports();
    assert_eq!(ids(&reports), [ID]);
    let why: Vec<&ReportError> = reports
        .refused
        .iter()
        .filter_map(|error| match error {
            ShadowReportError::Report { source, .. } => Some(source),
            ShadowReportError::Foreign { .. } => None,
        })
        .collect();
    assert!(
        matches!(why[..], [ReportError::NoStatus, ReportError::Id(_), ReportError::Contradiction { .. }]),
        "{reports:?}"
    );
    assert!(event(Some("cmd"), json!({"c": 21})).reports().refused.is_empty());
}

#[test]
fn each_dialect_is_heard_in_its_own_shadow() {
    let both = json!({"command": [echo_on(&format!("cmd/pump-7/resp/{ID}"))], "c": {OTHER: {"status": "SUCCEEDED"}}});
    assert_eq!(ids(&event(None, both.clone()).reports()), [ID]);
    assert_eq!(ids(&event(Some("cmd"), both).reports()), [OTHER]);
}

proptest! {
    #[test]
    fn any_text_is_an_event_or_refused(noise in "\\PC{0,80}", json in "[\\[\\]{}:,\"a-c0-9]{0,60}") {
        let _ = ShadowEvent::decode(&noise);
        for (shadow, member) in [("", "command"), (r#","shadow":"cmd""#, "c")] {
            let state = format!(r#"{{"reported":{{"{member}":{json}}}}}"#);
            let text = format!(r#"{{"thing":"a"{shadow},"version":1,"receivedAt":1,"state":{state}}}"#);
            if let Ok(event) = ShadowEvent::decode(&text) {
                event.reports();
            }
        }
    }

    #[test]
    fn what_was_delivered_and_echoed_is_a_report_of_that_execution(n: u32) {
        let sent = sent(n, Some("\"x\""));
        let mut shadow = Shadow::new(json!({}), json!({}));
        shadow.write(&deliver(&ShadowRoute::Atlas, &sent));
        echo(&mut shadow);
        let reports = event(None, shadow.reported).reports();
        prop_assert_eq!(ids(&reports), [sent.1.key.id.as_str()]);
    }
}
