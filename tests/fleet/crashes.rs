//! One call of a function fails during a fleet command: every thing still gets its request, and runs it once.
//!
//! By default each kind of call gets one fault, in a fleet of two batches; with `CRASHES=all` each gets every fault, in a
//! fleet of three. The fault comes at an early, a middle or a late call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use device::fleet::{BehaviourShares, Fleet};
use local::faults::{Call, Fault, Transit};
use serde_json::{Value, json};

use super::operator::{advance_until_state, create_with_topic, show};
use super::recount::{miscounts, rows_of, thing_of};
use super::simulated_things::{runs, start_ungrouped_things};
use crate::world::World;

/// Each fault, and whether every attempt of the SDK gets it.
const FAULTS: [(Fault, bool); 5] = [
    (Fault::KillBefore, false),
    (Fault::KillAfter, false),
    (Fault::AppliedThenTimeout, false),
    (Fault::Throttle, true),
    (Fault::Unavailable, true),
];

/// Index of the thing that the target excludes. It is in both groups of the target.
const EXCLUDED: usize = 70;

/// At most this many errors are printed.
const MAX_PRINTED: usize = 40;

/// The fault of the n-th call of a kind.
#[derive(Clone, Debug)]
struct PlannedFault {
    kind: String,
    nth: usize,
    fault: Fault,
    /// Whether every attempt of the SDK gets it.
    is_persistent: bool,
}

/// What a trial observed of the function's calls.
#[derive(Default)]
struct Calls {
    /// Number of calls of each kind.
    counts: BTreeMap<String, usize>,
    /// Invocation and number of the call that got the fault.
    faulty: Option<(String, u32)>,
    /// Numbers of the batches that each invocation claimed.
    claims: BTreeMap<String, BTreeSet<String>>,
}

/// Whether each kind of call gets every fault.
fn all_faults() -> bool {
    std::env::var("CRASHES").is_ok_and(|value| value == "all")
}

/// The kind of a call: its operation, and the kind of the item in its key.
fn kind_of(call: &Call) -> String {
    let body = String::from_utf8_lossy(&call.body);
    let sort_key = body.split_once(r#""sk":{"S":""#).map(|(_, rest)| rest);
    let item = sort_key.and_then(|rest| rest.split(['#', '"']).next()).unwrap_or_default();
    format!("{} {item}", call.operation).trim_end().to_owned()
}

/// The number of the batch that a call claims.
fn claimed_batch(call: &Call) -> Option<String> {
    let body: Value = serde_json::from_slice(&call.body).ok()?;
    let item = &body["Item"];
    let key = item["pk"]["S"].as_str().filter(|_| item["sk"]["S"] == "BATCH" && item["claim"].is_object())?;
    key.rsplit('#').next().map(str::to_owned)
}

/// Which requests may be sent a second time.
enum AllowedRepeats {
    None,
    /// One request whose outcome was not known.
    One,
    /// The requests of the batches that the crashed invocation had claimed: what it sent is stored only with the batch.
    BatchesOfCrashed,
}

fn allowed_repeats(function: &str, planned: Option<&PlannedFault>) -> AllowedRepeats {
    match planned {
        Some(PlannedFault { fault: Fault::KillBefore | Fault::KillAfter, .. }) if function == "dispatch-commands" => {
            AllowedRepeats::BatchesOfCrashed
        }
        Some(PlannedFault { kind, fault: Fault::AppliedThenTimeout, .. })
            if function == "dispatch-commands" && kind == "IotData.Publish" =>
        {
            AllowedRepeats::One
        }
        _ => AllowedRepeats::None,
    }
}

/// A world in which one trial follows another.
struct Trials {
    world: World,
    fleet: Fleet,
    /// The function whose calls fail.
    function: &'static str,
    errors: Vec<String>,
    /// Number of trials in which a call got the fault.
    with_fault: usize,
}

impl Trials {
    async fn new(function: &'static str) -> Self {
        let world = World::start().await;
        let things = if all_faults() { 226 } else { 126 };
        let fleet = start_ungrouped_things(&world, "pump", things, BehaviourShares::default()).await;
        let names = fleet.things();
        for (group, members) in [("north", &names[..90]), ("south", &names[60..things - 1])] {
            world.stack.registry.add_things(group, members).expect("the group is valid");
        }
        world.settle().await;
        Self { world, fleet, function, errors: Vec::new(), with_fault: 0 }
    }

    /// Injects the planned fault, and observes the function's calls.
    fn observe_calls(&self, planned: Option<PlannedFault>) -> Arc<Mutex<Calls>> {
        let observed = Arc::<Mutex<Calls>>::default();
        let (function, calls) = (format!("flaghoist-{}", self.function), observed.clone());
        self.world.stack.faults.plan(move |call| {
            if call.function != function {
                return None;
            }
            let this_call = Some((call.invoke.clone(), call.nth));
            let mut calls = calls.lock().expect("no closure panics");
            if let Some(batch) = claimed_batch(call) {
                calls.claims.entry(call.invoke.clone()).or_default().insert(batch);
            }
            if call.attempt == 1 {
                let kind = kind_of(call);
                let nth = calls.counts.entry(kind.clone()).or_default();
                *nth += 1;
                let nth = *nth;
                if planned.as_ref().is_some_and(|planned| planned.kind == kind && planned.nth == nth) {
                    calls.faulty = this_call.clone();
                }
            }
            let planned = planned.as_ref().filter(|planned| planned.is_persistent || call.attempt == 1)?;
            (calls.faulty == this_call).then_some(planned.fault)
        });
        observed
    }

    /// Counts the requests to each thing.
    fn count_requests(&self) -> Arc<Mutex<BTreeMap<String, usize>>> {
        let requests = Arc::<Mutex<BTreeMap<String, usize>>>::default();
        let counts = requests.clone();
        self.world.stack.faults.messages(move |message| {
            if message.topic.ends_with("/req") {
                *counts.lock().expect("no closure panics").entry(message.client.to_owned()).or_default() += 1;
            }
            Transit::Delivered
        });
        requests
    }

    /// Runs a fleet command with a fault; the number of calls of each kind.
    async fn run_trial(&mut self, planned: Option<PlannedFault>) -> BTreeMap<String, usize> {
        let (world, names) = (&self.world, self.fleet.things());
        let (observed, requests) = (self.observe_calls(planned.clone()), self.count_requests());
        let runs_before = self.fleet.runs().len();
        let (listed, excluded) = (&names[names.len() - 1], &names[EXCLUDED]);
        let target = json!({"things": [listed], "groups": ["north", "south"], "exclude": [excluded]});
        // Deadlines so far away that no earlier trial's deadline passes during a later trial.
        let id = create_with_topic(world, json!({"target": target, "ttl": 43200, "timeout": 43200})).await;
        let mut steps = vec![1; 6];
        steps.extend([20; 16]);
        advance_until_state(world, &id, "COMPLETED", &steps).await;
        world.advance(3).await;
        let shown = show(world, &id).await;
        let rows = rows_of(world, &id).await;
        world.stack.faults.plan(|_| None);

        let mut errors: Vec<String> = Vec::new();
        let mut check = |is_right: bool, error: String| errors.extend((!is_right).then_some(error));
        check(shown["state"] == "COMPLETED", format!("the command is not completed: {shown}"));
        check(shown["counts"]["SUCCEEDED"] == names.len() - 1, format!("not all succeeded: {}", shown["counts"]));
        check(shown["counts"]["total"] == names.len() - 1, format!("total: {}", shown["counts"]["total"]));
        let miscounts = miscounts(&shown, &rows);
        check(miscounts.is_empty(), miscounts.join(", "));
        let batches: BTreeMap<String, &str> =
            rows.iter().map(|row| (thing_of(row), row["batch"]["N"].as_str().expect("a row has a batch"))).collect();
        for thing in names {
            let has_row = batches.contains_key(thing);
            check(has_row != (thing == excluded), format!("{thing} has an execution: {has_row}"));
        }
        let mut run_counts: BTreeMap<&str, usize> = names.iter().map(|name| (name.as_str(), 0)).collect();
        let runs = self.fleet.runs();
        for run in &runs[runs_before..] {
            *run_counts.entry(&run.thing).or_default() += 1;
        }
        for (thing, count) in run_counts {
            check(count == usize::from(thing != excluded), format!("{thing} ran the command {count} times"));
        }
        let requests = requests.lock().expect("no closure panics").clone();
        let repeated: Vec<&String> = requests.iter().filter(|(_, count)| **count > 1).map(|(thing, _)| thing).collect();
        let calls = observed.lock().expect("no closure panics");
        let claimed = calls.faulty.as_ref().and_then(|(invoke, _)| calls.claims.get(invoke));
        let is_allowed = match allowed_repeats(self.function, planned.as_ref()) {
            AllowedRepeats::BatchesOfCrashed => {
                repeated.iter().all(|thing| claimed.is_some_and(|claimed| claimed.contains(batches[*thing])))
            }
            AllowedRepeats::One => repeated.len() <= 1,
            AllowedRepeats::None => repeated.is_empty(),
        };
        check(is_allowed, format!("{} requests were sent twice: {repeated:?}", repeated.len()));
        check(requests.values().all(|count| *count <= 2), "a request was sent three times".to_owned());
        let failures = world.stack.sqs.peek("flaghoist-failures").len();
        check(failures == 0, format!("{failures} events are on the failure queue"));
        self.with_fault += usize::from(calls.faulty.is_some());
        let function = self.function;
        self.errors.extend(errors.into_iter().map(|error| format!("{function} with {planned:?}: {error}")));
        calls.counts.clone()
    }

    async fn run_trials(mut self, planned: &[PlannedFault]) -> Self {
        for planned in planned {
            self.run_trial(Some(planned.clone())).await;
        }
        self
    }

    async fn end(self) {
        let runs = runs(&self.fleet);
        self.fleet.stop().await;
        self.world.end_with(runs).await;
        let first: Vec<_> = self.errors.iter().take(MAX_PRINTED).cloned().collect();
        assert!(self.errors.is_empty(), "{} errors, the first are:\n{}", self.errors.len(), first.join("\n"));
    }
}

/// The faults of the trials of a function, given the number of calls of each kind in a trial without a fault.
fn planned_faults(calls: BTreeMap<String, usize>) -> Vec<PlannedFault> {
    let all = all_faults();
    let mut planned = Vec::new();
    for (number, (kind, calls)) in calls.into_iter().enumerate() {
        for (position, (fault, is_persistent)) in FAULTS.into_iter().enumerate() {
            if !all && position != number % FAULTS.len() {
                continue;
            }
            // The number of calls differs a little from run to run, so not the last call.
            let nth = [1, calls.div_ceil(3), (calls * 2).div_ceil(3)][(number + position) % 3];
            planned.push(PlannedFault { kind: kind.clone(), nth, fault, is_persistent });
        }
    }
    planned
}

/// Runs trials with a fault at each kind of call of a function: half of them in the world of the trial without a fault,
/// and the others in a second world at the same time.
async fn fail_every_kind_of_call(function: &'static str) {
    let mut first = Trials::new(function).await;
    let calls = first.run_trial(None).await;
    assert!(first.errors.is_empty(), "errors without a fault: {:#?}", first.errors);
    println!("{function}: {calls:?}");
    let planned = planned_faults(calls);
    let count = planned.len();
    let (half, others) = planned.split_at(count / 2);
    let (first, second) =
        tokio::join!(first.run_trials(half), async { Trials::new(function).await.run_trials(others).await });
    let with_fault = first.with_fault + second.with_fault;
    println!("{function}: {count} trials, in {with_fault} a call got the fault");
    assert!(with_fault * 4 >= count * 3, "only in {with_fault} of {count} trials a call got the fault");
    first.end().await;
    second.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn every_thing_runs_once_when_a_call_of_fan_out_command_fails() {
    fail_every_kind_of_call("fan-out-command").await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn every_thing_runs_once_when_a_call_of_dispatch_commands_fails() {
    fail_every_kind_of_call("dispatch-commands").await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn every_thing_runs_once_when_a_call_of_tally_command_fails() {
    fail_every_kind_of_call("tally-command").await;
}
