//! Random orders of requests, cancels, clock jumps and power losses: the log of runs shows the agent's guarantees.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Input {
    Request { id: u8, attempt: u32, in_shadow: bool },
    Broadcast { id: u8, spread_seconds: u32 },
    Cancel(u8),
    AdvanceMs(i64),
    LosePower,
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let request = (0..3u8, 1..4u32, any::<bool>());
    let input = prop_oneof![
        6 => request.prop_map(|(id, attempt, in_shadow)| Input::Request { id, attempt, in_shadow }),
        3 => (0..3u8, 0..400u32).prop_map(|(id, spread_seconds)| Input::Broadcast { id, spread_seconds }),
        1 => (0..3u8).prop_map(Input::Cancel),
        4 => prop_oneof![0..3_000i64, 0..200_000i64].prop_map(Input::AdvanceMs),
        1 => Just(Input::LosePower),
    ];
    prop::collection::vec(input, 0..40)
}

/// `canceled` holds the time of the first cancel of each execution.
fn check(runs: &[Run], canceled: &HashMap<String, i64>) {
    let (mut started, mut succeeded) = (HashSet::new(), HashSet::new());
    let mut last: HashMap<&str, &Run> = HashMap::new();
    for run in runs {
        let id = run.execution_id.as_str();
        assert!(started.insert((id, run.attempt)), "ran twice: {run:?}");
        assert!(run.started_ms < run.expires_at_ms, "started after its expiry: {run:?}");
        assert!(canceled.get(id).is_none_or(|at_ms| run.started_ms <= *at_ms), "started after its cancel: {run:?}");
        assert!(!succeeded.contains(id), "started after a success: {run:?}");
        if let Some(before) = last.insert(id, run) {
            assert!(before.attempt < run.attempt, "an older attempt was started: {run:?}");
            let is_before_ended = before.ended.is_some_and(|(at_ms, _)| at_ms <= run.started_ms);
            assert!(is_before_ended, "two attempts run at once: {run:?}");
        }
        if run.ended.is_some_and(|(_, outcome)| outcome == RunOutcome::Succeeded) {
            succeeded.insert(id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn log_of_runs_shows_the_guarantees_of_the_agent(
        behaviour in prop::sample::select(vec![
            Behaviour::Succeeds, Behaviour::Fails, Behaviour::FailsOnce, Behaviour::Twice, Behaviour::Late,
            Behaviour::Mute, Behaviour::Reboots, Behaviour::OutOfOrder, Behaviour::ComesAndGoes,
            Behaviour::GoesOffline,
        ]),
        inputs in inputs(),
    ) {
        // Links need a runtime, although no broker listens.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _entered = runtime.enter();
        let (mut pump, mut now_ms, mut canceled) = (TestThing::new(behaviour), 0, HashMap::new());
        pump.thing.connect();
        for input in inputs {
            match input {
                Input::Request { id, attempt, in_shadow: false } => pump.request(&format!("e{id}"), attempt),
                Input::Request { id, attempt, in_shadow: true } => pump.request_in_shadow(&format!("e{id}"), attempt),
                Input::Broadcast { id, spread_seconds } => pump.broadcast(&format!("c{id}"), spread_seconds),
                Input::Cancel(id) => {
                    let id = format!("e{id}");
                    pump.cancel(&id);
                    canceled.entry(id).or_insert(now_ms);
                }
                Input::AdvanceMs(by_ms) => {
                    now_ms += by_ms;
                    pump.advance_to(now_ms);
                    pump.thing.tick();
                }
                Input::LosePower if behaviour == Behaviour::Reboots => pump.thing.lose_power(),
                Input::LosePower => {}
            }
        }
        check(&pump.run_log.all(), &canceled);
    }
}
