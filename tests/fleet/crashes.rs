//! One call of a function goes wrong while a fleet is commanded: every thing is asked nevertheless, and runs it once.
//!
//! By default each kind of call meets one fault; `FLEET_CRASHES=all` lets each meet all of them, early, midway and late.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use device::fleet::{Fleet, Knobs};
use local::faults::{Call, Fault};
use serde_json::json;

use super::recount::{command, miscounts, rows_of, runs, stands, thing_of, things, until};
use crate::world::World;

/// Each, and whether every attempt of the SDK meets it.
const FAULTS: [(Fault, bool); 5] = [
    (Fault::KillBefore, false),
    (Fault::KillAfter, false),
    (Fault::AppliedThenTimeout, false),
    (Fault::Throttle, true),
    (Fault::Unavailable, true),
];

/// 226 simulated things: two groups that overlap, one that is listed, one that is left out.
const THINGS: usize = 226;
const LISTED: usize = 225;
const EXCLUDED: usize = 120;

/// What goes wrong: the n-th call of this kind.
#[derive(Clone, Debug)]
struct Wrong {
    kind: String,
    nth: usize,
    fault: Fault,
    lasting: bool,
}

/// The kind of a call: its operation, and which items it is about.
fn kind_of(call: &Call) -> String {
    let body = String::from_utf8_lossy(&call.body);
    let after = |mark: &str| body.split_once(mark).map(|(_, rest)| rest);
    let sort = after(r#""sk":{"S":""#).and_then(|rest| rest.split(['#', '"']).next()).unwrap_or_default();
    format!("{} {sort}", call.operation).trim_end().to_owned()
}

struct Field {
    world: World,
    fleet: Fleet,
    function: &'static str,
    wrongs: Vec<String>,
    /// In so many trials there was a call for the fault.
    met: usize,
}

impl Field {
    async fn new(function: &'static str) -> Self {
        let world = World::start().await;
        let fleet = things(&world, THINGS, "pump", Knobs::default()).await;
        let names = fleet.things();
        for (group, part) in [("north", &names[..140]), ("south", &names[100..LISTED])] {
            world.stack.registry.add_things(group, part).expect("a group");
        }
        world.stack.settle().await;
        Self { world, fleet, function, wrongs: Vec::new(), met: 0 }
    }

    /// Commands the fleet; how often each kind of call was made.
    async fn trial(&mut self, wrong: Option<Wrong>) -> BTreeMap<String, usize> {
        let (world, names) = (&self.world, self.fleet.things());
        let calls: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
        let requests: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
        let met = Arc::new(Mutex::new(None));
        // Which batches each invocation has claimed.
        let claims: Arc<Mutex<BTreeMap<String, BTreeSet<String>>>> = Arc::default();
        let (function, planned, seen, counted) =
            (format!("flaghoist-{}", self.function), wrong.clone(), met.clone(), calls.clone());
        let claimed = claims.clone();
        world.stack.faults.plan(move |call| {
            if call.function != function {
                return None;
            }
            let me = Some((call.invoke.clone(), call.nth));
            let mut seen = seen.lock().expect("nobody panicked");
            if let Some(batch) = claimed_by(call) {
                claimed.lock().expect("nobody panicked").entry(call.invoke.clone()).or_default().insert(batch);
            }
            if call.attempt == 1 {
                let (kind, mut counted) = (kind_of(call), counted.lock().expect("nobody panicked"));
                let nth = counted.entry(kind.clone()).or_default();
                *nth += 1;
                if planned.as_ref().is_some_and(|wrong| wrong.kind == kind && wrong.nth == *nth) {
                    *seen = me.clone();
                }
            }
            let wrong = planned.as_ref().filter(|wrong| wrong.lasting || call.attempt == 1)?;
            (*seen == me).then_some(wrong.fault)
        });
        let sent = requests.clone();
        world.stack.faults.messages(move |message| {
            if message.topic.ends_with("/req") {
                *sent.lock().expect("nobody panicked").entry(message.client.to_owned()).or_default() += 1;
            }
            local::faults::Transit::Delivered
        });
        let before = self.fleet.runs().len();
        let (listed, excluded) = (&names[LISTED], &names[EXCLUDED]);
        let target = json!({"things": [listed], "groups": ["north", "south"], "exclude": [excluded]});
        // No silence of an earlier trial is in the way of a later one.
        let id = command(world, json!({"target": target, "ttl": 43200, "timeout": 43200})).await;
        let mut steps = vec![1; 6];
        steps.extend([20; 16]);
        until(world, &id, "COMPLETED", &steps).await;
        world.advance(3).await;
        let shown = stands(world, &id).await;
        let rows = rows_of(world, &id).await;
        world.stack.faults.plan(|_| None);

        let mut wrongs: Vec<String> = Vec::new();
        let mut check = |right: bool, what: String| wrongs.extend((!right).then_some(what));
        check(shown["state"] == "COMPLETED", format!("it is not completed: {shown}"));
        check(shown["counts"]["SUCCEEDED"] == THINGS - 1, format!("not all succeeded: {}", shown["counts"]));
        check(shown["counts"]["total"] == THINGS - 1, format!("total: {}", shown["counts"]["total"]));
        let counts = miscounts(&shown, &rows);
        check(counts.is_empty(), counts.join(", "));
        let batches: BTreeMap<String, &str> =
            rows.iter().map(|row| (thing_of(row), row["batch"]["N"].as_str().expect("a batch"))).collect();
        for thing in names {
            check(
                batches.contains_key(thing) != (thing == excluded),
                format!("{thing} is missed, or is there unasked"),
            );
        }
        let mut ran: BTreeMap<&str, usize> = names.iter().map(|name| (name.as_str(), 0)).collect();
        let all = self.fleet.runs();
        for run in &all[before..] {
            *ran.entry(&run.thing).or_default() += 1;
        }
        for (thing, times) in ran {
            check(times == usize::from(thing != excluded), format!("{thing} ran it {times} times"));
        }
        let requests = requests.lock().expect("nobody panicked").clone();
        let twice: Vec<&String> = requests.iter().filter(|(_, times)| **times > 1).map(|(thing, _)| thing).collect();
        let met = met.lock().expect("nobody panicked").clone();
        let claims = claims.lock().expect("nobody panicked");
        let of_the_dead = met.as_ref().and_then(|(invoke, _)| claims.get(invoke));
        let excused = match allowed_twice(self.function, wrong.as_ref()) {
            Twice::WhatTheDeadHadClaimed => {
                twice.iter().all(|thing| of_the_dead.is_some_and(|dead| dead.contains(batches[*thing])))
            }
            Twice::One => twice.len() <= 1,
            Twice::None => twice.is_empty(),
        };
        check(excused, format!("{} requests went out twice: {twice:?}", twice.len()));
        check(requests.values().all(|times| *times <= 2), "a request went out three times".to_owned());
        let failures = world.stack.sqs.peek("flaghoist-failures").len();
        check(failures == 0, format!("{failures} events were given up"));
        self.met += usize::from(met.is_some());
        self.wrongs.extend(wrongs.into_iter().map(|what| format!("{} {wrong:?}: {what}", self.function)));
        calls.lock().expect("nobody panicked").clone()
    }

    async fn end(self) {
        let runs = runs(&self.fleet);
        self.fleet.stop().await;
        self.world.end_with(runs).await;
        let (number, most) = (self.wrongs.len(), self.wrongs.iter().take(40).cloned().collect::<Vec<_>>());
        assert!(self.wrongs.is_empty(), "{number} things are not as they should be:\n{}", most.join("\n"));
    }
}

/// Which batch a call claims, by its number.
fn claimed_by(call: &Call) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&call.body).ok()?;
    let item = &body["Item"];
    let key = item["pk"]["S"].as_str().filter(|_| item["sk"]["S"] == "BATCH" && item["claim"].is_object())?;
    key.rsplit('#').next().map(str::to_owned)
}

/// Which requests may go out again.
enum Twice {
    None,
    /// One whose sending nobody heard of.
    One,
    /// Those of the batches that were claimed by who died: what tells that they have gone out is written only with their batch.
    WhatTheDeadHadClaimed,
}

fn allowed_twice(function: &str, wrong: Option<&Wrong>) -> Twice {
    match wrong {
        Some(Wrong { fault: Fault::KillBefore | Fault::KillAfter, .. }) if function == "dispatch-commands" => {
            Twice::WhatTheDeadHadClaimed
        }
        // The row was stored and nobody heard of it; or its request was sent, and nobody did.
        Some(Wrong { kind, fault: Fault::AppliedThenTimeout, .. })
            if function == "dispatch-commands" && kind == "IotData.Publish" =>
        {
            Twice::One
        }
        _ => Twice::None,
    }
}

async fn every_kind_of_call(function: &'static str) {
    let mut field = Field::new(function).await;
    let calls = field.trial(None).await;
    assert!(field.wrongs.is_empty(), "{:#?}", field.wrongs);
    println!("{function}: {calls:?}");
    let all = std::env::var("FLEET_CRASHES").is_ok_and(|how| how == "all");
    let mut trials = 0;
    for (number, (kind, times)) in calls.into_iter().enumerate() {
        for (at, (fault, lasting)) in FAULTS.into_iter().enumerate() {
            if !all && at != number % FAULTS.len() {
                continue;
            }
            // How often streams call varies a little.
            let places = [1, times.div_ceil(3), (times * 2).div_ceil(3)];
            let places = if all { places.to_vec() } else { vec![places[(number + at) % 3]] };
            let places: std::collections::BTreeSet<_> = places.into_iter().collect();
            for nth in places {
                trials += 1;
                field.trial(Some(Wrong { kind: kind.clone(), nth, fault, lasting })).await;
            }
        }
    }
    println!("{function}: {trials} trials, {} of them met their fault", field.met);
    assert!(field.met * 4 >= trials * 3, "{} of {trials} trials met their fault", field.met);
    field.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn planning() {
    every_kind_of_call("fan-out-command").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dispatching() {
    every_kind_of_call("dispatch-commands").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tallying() {
    every_kind_of_call("tally-command").await;
}
