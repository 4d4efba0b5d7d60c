//! Reports in shadows, in both dialects that devices report in.

use crate::messages::report::channel::ReportChannel;
use crate::messages::shadow::event::ShadowEvent;
use crate::messages::shadow::fixtures::*;
use crate::messages::shadow::reports::{ShadowReport, ShadowReportError, ShadowReports};

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

fn atlas_command(topic: &str) -> Value {
    json!({"reboot": {"message": {"n": 1}, "topic": topic, "ttl": 5}})
}

fn ids(reports: &ShadowReports) -> Vec<&str> {
    reports.reports.iter().filter_map(|r| r.report.execution.as_ref()).map(|id| id.as_str()).collect()
}

#[test]
fn the_echo_of_a_command_reports_success() {
    let topic = format!("cmd/pump-7/resp/{ID}");
    let reports = event(None, json!({"command": [atlas_command(&topic)]})).reports();
    let [ShadowReport { route, report }] = &reports.reports[..] else { panic!("{reports:?}") };
    assert_eq!((route, ids(&reports)), (&ShadowRoute::Atlas, vec![ID]));
    assert_eq!((report.thing.as_str(), report.attempt, report.reported), ("pump-7", 1, ReportedStatus::Succeeded));
    // The device also relays the message: both reports are equal, so that their order does not matter.
    let relayed = Report::decode(&topic, br#"{"msg":{"n":1},"deviceId":"pump-7"}"#).unwrap();
    assert_eq!(report, &Report { channel: ReportChannel::Shadow, ..relayed });
}

#[test]
fn bad_entries_of_an_array_do_not_hide_good_ones() {
    let entries = json!([
        atlas_command(&format!("cmd/pump-8/resp/{OTHER}")), 7, {"x": 7}, atlas_command("elsewhere"),
        atlas_command("cmd/pump-7/resp"), {"y": {"topic": 7}}, atlas_command(&format!("cmd/pump-7/resp/{ID}")),
    ]);
    let reports = event(None, json!({"command": entries})).reports();
    assert_eq!(ids(&reports), [ID]);
    let [error] = &reports.refused[..] else { panic!("{reports:?}") };
    assert_eq!(error.to_string(), "reported.command of pump-7 answers for pump-8");
}

#[test]
fn case_g_a_device_reports_no_command_that_it_does_not_know() {
    assert!(event(None, json!({"command": []})).reports().reports.is_empty());
    assert!(event(None, json!({"motorStatus": "on"})).reports().reports.is_empty());
}

#[test]
fn case_h_a_repeated_event_has_the_same_reports() {
    let event = event(None, json!({"command": [atlas_command(&format!("cmd/pump-7/resp/{ID}"))]}));
    assert_eq!(event.reports().reports, event.reports().reports);
}

#[test]
fn a_member_of_the_map_is_a_report_in_json() {
    let entries = json!({
        ID: {"status": "FAILED", "attempt": 2, "statusReason": {"reasonCode": "COLD"}, "result": [1]},
        OTHER: {"status": "IN_PROGRESS", "seq": 3},
    });
    let reports = event(Some("cmd"), json!({"c": entries, "dialect": "map"})).reports();
    assert!(reports.refused.is_empty() && reports.reports.iter().all(|r| r.route == ShadowRoute::default()));
    let [first, second] = &reports.reports[..] else { panic!("{reports:?}") };
    assert_eq!(ids(&reports), [ID, OTHER]);
    assert_eq!((first.report.attempt, first.report.reported), (2, ReportedStatus::Failed));
    assert_eq!(first.report.result.as_ref().unwrap().text, "[1]");
    assert_eq!(second.report.reported, ReportedStatus::InProgress { seq: 3 });
}

#[test]
fn bad_members_of_the_map_do_not_hide_good_ones() {
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
fn each_dialect_is_read_in_its_own_shadow() {
    let both = json!({
        "command": [atlas_command(&format!("cmd/pump-7/resp/{ID}"))], "c": {OTHER: {"status": "SUCCEEDED"}},
    });
    assert_eq!(ids(&event(None, both.clone()).reports()), [ID]);
    assert_eq!(ids(&event(Some("cmd"), both).reports()), [OTHER]);
}

proptest! {
    #[test]
    fn the_echo_of_a_delivered_command_reports_its_execution(n: u32) {
        let sent = sent(n, Some("\"x\""));
        let mut shadow = Shadow::new(json!({}), json!({}));
        shadow.write(&delivery(&ShadowRoute::Atlas, &sent));
        echo_delta(&mut shadow);
        let reports = event(None, shadow.reported).reports();
        prop_assert_eq!(ids(&reports), [sent.1.key.id.as_str()]);
    }
}
