//! Tests of lost messages.

use super::*;

#[test]
fn lost_request_is_not_received_and_lost_report_is_not_sent() {
    let mut pump = TestThing::new(Behaviour::Twice);
    pump.thing.settings.loss = MessageLoss::new(1.0, 1, "pump-7");
    pump.request("e1", 1);
    pump.broadcast("c1", 0);
    pump.cancel("e1");
    assert_eq!(pump.runs(), []);
    pump.thing.settings.loss = MessageLoss::new(0.0, 1, "pump-7");
    pump.request("e1", 1);
    pump.thing.settings.loss = MessageLoss::new(1.0, 1, "pump-7");
    pump.advance_to(WORK_MS * 10);
    assert_eq!(pump.take_reported(), ["IN_PROGRESS"]);
    assert_eq!(pump.runs(), [(1, Some((WORK_MS * 10, RunOutcome::Succeeded)))]);
    let stats = pump.stats();
    assert_eq!((stats.requests, stats.broadcasts, stats.cancels, stats.reports), (1, 0, 0, 1));
    assert_eq!((stats.lost_requests, stats.lost_reports), (3, 2));
}

#[tokio::test]
async fn thing_loses_power_even_if_every_report_is_lost() {
    let mut pump = TestThing::new(Behaviour::Crashes);
    pump.thing.settings.loss = MessageLoss::new(1.0, 1, "pump-7");
    pump.thing.start("e1".to_owned(), 1, EXPIRES_MS, 0);
    pump.thing.report("cmd/pump-7/resp".to_owned(), Vec::new(), 0);
    pump.advance_to(0);
    assert_eq!(pump.runs(), [(1, Some((0, RunOutcome::Lost)))]);
}
