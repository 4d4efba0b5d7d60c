//! A life with each fault at each call.

use local::faults::Fault;
use serde_json::json;
use tokio::task::JoinSet;

use super::{
    Life, Moment,
    trial::{Seen, Trial, Wrong},
};
use crate::world::World;

/// Every attempt of the SDK meets those that last, but the one that must find out what came of the first.
const FAULTS: [(Fault, bool); 5] = [
    (Fault::KillBefore, false),
    (Fault::KillAfter, false),
    (Fault::AppliedThenTimeout, false),
    (Fault::Throttle, true),
    (Fault::Unavailable, true),
];

/// A life without a fault; then with each fault at its first call, its second, and so on until there is no such call. What
/// is wrong then.
async fn every_call(life: Life) -> Vec<String> {
    // Ticks come when the test says so: the schedule's would only cost time.
    let world = World::with_template(&[], |template| template.replace("rate(1 minute)", "rate(1 day)")).await;
    let Seen { mut runs, mut wrongs, .. } = Trial::new(&world, &life, None, 0).run().await;
    let mut trials = 0;
    for nth in 1.. {
        // The reconciler looks into sixteen shards at once: one of these calls is like another.
        if life.moment == Moment::Tick && (2..15).contains(&nth) {
            continue;
        }
        let mut met = false;
        for (fault, lasting) in &FAULTS {
            trials += 1;
            let wrong = Wrong { nth, fault: *fault, lasting: *lasting };
            let seen = Trial::new(&world, &life, Some(wrong), trials).run().await;
            met |= seen.met;
            runs.extend(seen.runs);
            wrongs.extend(seen.wrongs);
        }
        if !met {
            assert!(nth > 1, "{}: no call was ever met", life.name);
            println!("{}: {} calls of {}, {trials} trials", life.name, nth - 1, life.function());
            break;
        }
    }
    // Whatever is open yet ends now.
    world.advance(3600).await;
    for _ in 0..3 {
        let tick = json!({"kind": "tick", "scheduledTime": world.now()}).to_string();
        world.invoke("reconcile-commands", &tick).await.expect("a tick");
    }
    world.end_with(runs).await;
    wrongs
}

pub async fn every_call_of(lives: Vec<Life>) {
    let mut trials = JoinSet::new();
    for life in lives {
        trials.spawn(every_call(life));
    }
    let mut wrongs = Vec::new();
    while let Some(trial) = trials.join_next().await {
        match trial {
            Ok(found) => wrongs.extend(found),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    assert!(wrongs.is_empty(), "{} things are not as they should be:\n{}", wrongs.len(), wrongs.join("\n"));
}
