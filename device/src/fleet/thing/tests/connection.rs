//! Tests of things that disconnect or lose power.

use super::*;
use crate::link::event::Event;

#[tokio::test]
async fn thing_that_reboots_reports_the_failure_and_one_that_crashes_forgets_it() {
    for (behaviour, reported) in [(Behaviour::Reboots, &["FAILED"][..]), (Behaviour::Crashes, &[])] {
        let mut pump = TestThing::new(behaviour);
        pump.request("e1", 1);
        pump.take_reported();
        pump.thing.unacknowledged.push_back(Default::default());
        pump.thing.on_event(Event::PublishAcknowledged);
        assert_eq!(pump.take_reported(), reported);
        assert_eq!(pump.runs(), [(1, Some((0, RunOutcome::Lost)))]);
        pump.advance_to(WORK_MS);
        assert!(pump.thing.link.is_some(), "it reconnects");
    }
}

#[tokio::test]
async fn thing_that_comes_and_goes_sends_unacknowledged_reports_again() {
    let mut pump = TestThing::new(Behaviour::ComesAndGoes);
    pump.thing.connect();
    pump.request("e1", 1);
    pump.advance_to(60_000);
    assert!(pump.thing.link.is_none(), "offline after a minute");
    assert_eq!(pump.take_reported(), ["IN_PROGRESS", "SUCCEEDED"], "not acknowledged, so to be sent again");
    pump.advance_to(90_000);
    assert!(pump.thing.link.is_some(), "online after half a minute");
    pump.advance_to(1_000_000);
    assert!(pump.thing.link.is_none(), "a jump of the clock is one disconnect");
}

#[tokio::test]
async fn extreme_times_do_not_overflow() {
    for behaviour in [Behaviour::Late, Behaviour::Twice, Behaviour::GoesOffline, Behaviour::ComesAndGoes] {
        for now_ms in [0, i64::MAX] {
            let mut pump = TestThing::new(behaviour);
            let settings = &mut pump.thing.settings;
            settings.script.work_ms = i64::MAX;
            settings.late_after_ms = i64::MAX;
            (settings.online_for, settings.offline_for) =
                (Duration::MAX..=Duration::MAX, Duration::MAX..=Duration::MAX);
            pump.clock.store(now_ms, Ordering::SeqCst);
            pump.thing.connect();
            pump.thing.start("e1".to_owned(), 1, i64::MAX, now_ms);
            pump.thing.report("cmd/pump-7/resp".to_owned(), Vec::new(), now_ms);
            pump.thing.lose_power();
            assert!(pump.thing.next_wake_ms().is_some());
        }
    }
}
