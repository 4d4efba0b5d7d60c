//! Whatever happens to a simulated thing that keeps its memory: what is noted of its runs is what an agent promises.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::tests::Watched;
use super::*;

#[derive(Clone, Debug)]
enum Input {
    Request { id: u8, attempt: u32, in_shadow: bool },
    Broadcast { id: u8, spread: u32 },
    Cancel(u8),
    Turn(i64),
    PowerCut,
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let request = (0..3u8, 1..4u32, any::<bool>());
    let input = prop_oneof![
        6 => request.prop_map(|(id, attempt, in_shadow)| Input::Request { id, attempt, in_shadow }),
        3 => (0..3u8, 0..400u32).prop_map(|(id, spread)| Input::Broadcast { id, spread }),
        1 => (0..3u8).prop_map(Input::Cancel),
        4 => prop_oneof![0..3_000i64, 0..200_000i64].prop_map(Input::Turn),
        1 => Just(Input::PowerCut),
    ];
    prop::collection::vec(input, 0..40)
}

fn check(runs: &[Run], canceled: &HashMap<String, i64>) {
    let (mut begun, mut succeeded) = (HashSet::new(), HashSet::new());
    let mut last: HashMap<&str, &Run> = HashMap::new();
    for run in runs {
        let id = run.execution_id.as_str();
        assert!(begun.insert((id, run.attempt)), "ran twice: {run:?}");
        assert!(run.started_ms < run.expires_at_ms, "after its expiry: {run:?}");
        assert!(canceled.get(id).is_none_or(|at| run.started_ms <= *at), "after its cancel: {run:?}");
        assert!(!succeeded.contains(id), "after its success: {run:?}");
        if let Some(before) = last.insert(id, run) {
            assert!(before.attempt < run.attempt, "an older attempt: {run:?}");
            assert!(before.ended.is_some_and(|(at, _)| at <= run.started_ms), "two at once: {run:?}");
        }
        if run.ended.is_some_and(|(_, finish)| finish == Finish::Succeeded) {
            succeeded.insert(id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_ran_is_what_an_agent_promises(
        behaviour in prop::sample::select(vec![
            Behaviour::Succeeds, Behaviour::Fails, Behaviour::FailsOnce, Behaviour::Twice, Behaviour::Late, Behaviour::Mute,
            Behaviour::Reboots, Behaviour::OutOfOrder, Behaviour::ComesAndGoes, Behaviour::GoesOffline,
        ]),
        inputs in inputs(),
    ) {
        // Links are opened, and nobody is there.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _entered = runtime.enter();
        let (mut thing, mut now_ms, mut canceled) = (Watched::new(behaviour), 0, HashMap::new());
        thing.live.come();
        for input in inputs {
            match input {
                Input::Request { id, attempt, in_shadow: false } => thing.request(&format!("e{id}"), attempt),
                Input::Request { id, attempt, in_shadow: true } => thing.request_in_shadow(&format!("e{id}"), attempt),
                Input::Broadcast { id, spread } => thing.broadcast(&format!("c{id}"), spread),
                Input::Cancel(id) => {
                    let id = format!("e{id}");
                    thing.cancel(&id);
                    canceled.entry(id).or_insert(now_ms);
                }
                Input::Turn(by_ms) => {
                    now_ms += by_ms;
                    thing.turn(now_ms);
                    thing.live.tick();
                }
                Input::PowerCut if behaviour == Behaviour::Reboots => thing.live.crash(),
                Input::PowerCut => {}
            }
        }
        check(&thing.runs.all(), &canceled);
    }
}
