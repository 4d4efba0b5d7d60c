//! Runs a scenario with a fault at each call of its function: one of the faults in turn, or, with `CRASHES=all` as in
//! CI, once with each.

use local::faults::Fault;
use serde_json::json;
use tokio::task::JoinSet;

use super::{
    Moment, Scenario,
    trial::{InjectedFault, Trial, TrialResult},
};
use crate::world::{World, without_wakes};

/// Faults, and whether every retry of the SDK gets the fault too. The retry after AppliedThenTimeout does not: it has
/// to detect that the first attempt was applied.
const FAULTS: [(Fault, bool); 5] = [
    (Fault::KillBefore, false),
    (Fault::KillAfter, false),
    (Fault::AppliedThenTimeout, false),
    (Fault::Throttle, true),
    (Fault::Unavailable, true),
];

/// The faults at the nth call of a function, in the scenario of this number.
fn faults(scenario: usize, nth: u32) -> Vec<(Fault, bool)> {
    if std::env::var("CRASHES").is_ok_and(|value| value == "all") {
        return FAULTS.to_vec();
    }
    // The first calls are much the same in all scenarios of a test, so each scenario begins with another fault.
    vec![FAULTS[(scenario + nth as usize) % FAULTS.len()]]
}

/// Runs a scenario without a fault, then with a fault at its first call, its second, and so on until there is no such
/// call. Returns the differences from the expected outcome.
async fn differences(number: usize, scenario: Scenario) -> Vec<String> {
    // The test invokes the reconciler itself: scheduled ticks would only cost time, as more than a few shards would.
    let rare_ticks = |template: String| {
        let template = template.replace("rate(1 minute)", "rate(1 day)").replace("DUE_SHARDS: 64", "DUE_SHARDS: 4");
        if scenario.moment == Moment::Tick { without_wakes(template) } else { template }
    };
    let world = World::with_template(&[], rare_ticks).await;
    let TrialResult { mut runs, mut differences, .. } = Trial::new(&world, &scenario, None, 0).run().await;
    let mut trials = 0;
    for nth in 1.. {
        // The reconciler queries all shards at once: these calls are alike.
        if scenario.moment == Moment::Tick && (2..8).contains(&nth) {
            continue;
        }
        let mut injected = false;
        for (fault, persists) in faults(number, nth) {
            trials += 1;
            let fault = InjectedFault { nth, fault, persists };
            let result = Trial::new(&world, &scenario, Some(fault), trials).run().await;
            injected |= result.injected;
            runs.extend(result.runs);
            differences.extend(result.differences);
        }
        if !injected {
            assert!(nth > 1, "{}: {} made no call", scenario.name, scenario.function());
            println!("{}: {} calls of {}, {trials} trials", scenario.name, nth - 1, scenario.function());
            break;
        }
    }
    // Every deadline has passed after an hour, so the ticks end every execution that is still open.
    world.advance(3600).await;
    for _ in 0..3 {
        let tick = json!({"kind": "tick", "scheduledTime": world.now()}).to_string();
        world.invoke("reconcile-commands", &tick).await.expect("a tick");
    }
    world.end_with(runs).await;
    differences
}

/// Runs the scenarios concurrently. Panics when an outcome differs from the expected one.
pub async fn check_every_call(scenarios: Vec<Scenario>) {
    let mut running = JoinSet::new();
    for (number, scenario) in scenarios.into_iter().enumerate() {
        running.spawn(differences(number, scenario));
    }
    let mut all = Vec::new();
    while let Some(finished) = running.join_next().await {
        match finished {
            Ok(found) => all.extend(found),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    assert!(all.is_empty(), "{} differences from the expected outcome:\n{}", all.len(), all.join("\n"));
}
