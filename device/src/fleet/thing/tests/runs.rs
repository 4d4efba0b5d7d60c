//! Tests of what a thing runs and reports, by its behaviour.

use super::*;

#[test]
fn run_is_logged_with_its_times() {
    let mut pump = TestThing::new(Behaviour::Succeeds);
    pump.advance_to(5);
    pump.request("e1", 1);
    pump.request("e1", 1);
    let mut run = Run {
        thing: "pump-7".to_owned(),
        execution_id: "e1".to_owned(),
        attempt: 1,
        expires_at_ms: EXPIRES_MS,
        started_ms: 5,
        ended: None,
    };
    assert_eq!(pump.run_log.all(), [run.clone()]);
    pump.advance_to(5 + WORK_MS);
    run.ended = Some((5 + WORK_MS, RunOutcome::Succeeded));
    assert_eq!(pump.run_log.all(), [run]);
    assert_eq!(pump.take_reported(), ["IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED"]);
}

#[test]
fn canceled_run_is_stopped_which_is_confirmed() {
    let mut pump = TestThing::new(Behaviour::Twice);
    pump.request("e1", 1);
    pump.cancel("e1");
    pump.advance_to(WORK_MS * 3);
    pump.request("e1", 2);
    assert_eq!(pump.runs(), [(1, Some((0, RunOutcome::Stopped)))]);
    assert_eq!(pump.take_reported(), ["IN_PROGRESS", "CANCELED", "IN_PROGRESS", "CANCELED"]);
    assert_eq!(pump.stats().cancels, 1);
}

#[test]
fn thing_that_fails_once_succeeds_at_the_next_attempt() {
    let mut pump = TestThing::new(Behaviour::FailsOnce);
    pump.request("e1", 1);
    pump.advance_to(WORK_MS);
    pump.request("e1", 2);
    pump.advance_to(2 * WORK_MS);
    assert_eq!(pump.take_reported(), ["IN_PROGRESS", "FAILED", "IN_PROGRESS", "SUCCEEDED"]);
    let failed = (1, Some((WORK_MS, RunOutcome::Failed)));
    assert_eq!(pump.runs(), [failed, (2, Some((2 * WORK_MS, RunOutcome::Succeeded)))]);
}

#[test]
fn thing_out_of_order_reports_the_final_status_first_even_when_the_clock_jumps() {
    let mut pump = TestThing::new(Behaviour::OutOfOrder);
    pump.request("e1", 1);
    pump.advance_to(100 * WORK_MS);
    assert_eq!(pump.take_reported(), ["SUCCEEDED", "IN_PROGRESS"]);
}

#[test]
fn tasks_run_in_the_order_of_their_times_when_the_clock_jumps() {
    let mut pump = TestThing::new(Behaviour::Succeeds);
    pump.request("slow", 1);
    pump.thing.settings.script.work_ms = 1;
    pump.request("quick", 1);
    pump.take_reported();
    pump.advance_to(100 * WORK_MS);
    let (_, first) = pump.thing.unsent.first().unwrap();
    assert!(String::from_utf8_lossy(first).contains("quick"));
}

#[tokio::test]
async fn request_in_the_shadow_runs_once() {
    let mut pump = TestThing::new(Behaviour::Succeeds);
    pump.request_in_shadow("e1", 1);
    pump.request_in_shadow("e1", 1);
    pump.advance_to(WORK_MS);
    assert_eq!((pump.take_reported().len(), pump.runs().len()), (2, 1));
}

#[test]
fn broadcast_runs_once_by_the_script_and_is_logged_with_the_commands_id() {
    for (behaviour, reported) in [
        (Behaviour::Succeeds, &["IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED"][..]),
        (Behaviour::Fails, &["IN_PROGRESS", "IN_PROGRESS", "FAILED"]),
        (Behaviour::Mute, &[]),
    ] {
        let mut pump = TestThing::new(behaviour);
        pump.broadcast("c1", 0);
        pump.broadcast("c1", 0);
        pump.advance_to(WORK_MS);
        assert_eq!(pump.take_reported(), reported);
        let runs: Vec<_> = pump.run_log.all().into_iter().map(|run| (run.execution_id, run.attempt)).collect();
        assert_eq!(runs, [("c1".to_owned(), 1)]);
        let stats = pump.stats();
        assert_eq!((stats.broadcasts, stats.requests, stats.started), (2, 0, 1));
    }
}

#[tokio::test]
async fn delayed_broadcast_runs_when_it_is_due_with_or_without_a_connection() {
    for is_connected in [false, true] {
        let mut pump = TestThing::new(Behaviour::Succeeds);
        if is_connected {
            pump.thing.connect();
        }
        pump.broadcast("c1", 60);
        let due_ms = pump.thing.next_wake_ms().unwrap();
        assert!((1..60_000).contains(&due_ms), "{due_ms}");
        pump.advance_to(due_ms - 1);
        pump.thing.tick();
        assert_eq!(pump.runs(), []);
        pump.advance_to(due_ms);
        pump.thing.tick();
        assert_eq!(pump.runs(), [(1, None)]);
        assert_eq!(pump.thing.next_wake_ms(), Some(due_ms + WORK_MS), "only the end of the work is to come");
    }
}
