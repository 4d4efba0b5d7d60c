//! What simulated things do and what is noted of it, with a clock that the test turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::fleet::loss::Loss;
use crate::fleet::runs::Runs;
use crate::fleet::script::Script;
use crate::fleet::thing::Hears;
use crate::link::Endpoint;
use crate::random::Random;

const WORK_MS: i64 = 1_000;
const EXPIRES_MS: i64 = 300_000;

pub(super) struct Watched {
    pub live: Live,
    clock: Arc<AtomicI64>,
    pub runs: Arc<Runs>,
}

impl Watched {
    pub fn new(behaviour: Behaviour) -> Self {
        let (clock, runs) = (Arc::<AtomicI64>::default(), Arc::<Runs>::default());
        let now = clock.clone();
        let thing = Thing {
            name: "pump-7".to_owned(),
            script: Script { behaviour, work_ms: WORK_MS },
            endpoint: Endpoint::plain("127.0.0.1", 1),
            now: Arc::new(move || now.load(Ordering::SeqCst)),
            late_after_ms: 120_000,
            with_shadow: false,
            shadow_commands: true,
            hears: Arc::new(Hears { groups: vec!["pumps".to_owned()], ..Hears::default() }),
            loss: Loss::new(0.0, 1, "pump-7"),
            here: Duration::from_secs(60)..=Duration::from_secs(60),
            gone: Duration::from_secs(30)..=Duration::from_secs(30),
            random: Random::new(1, "pump-7"),
            runs: runs.clone(),
            counters: Arc::default(),
            ready: None,
        };
        Self { live: Live::new(thing), clock, runs }
    }

    pub fn request(&mut self, id: &str, attempt: u32) {
        let request = json!({"executionId": id, "attempt": attempt, "command": "a", "expiresAt": EXPIRES_MS / 1000});
        self.live.on_message("cmd/pump-7/req", request.to_string().as_bytes());
    }

    pub fn broadcast(&mut self, id: &str, spread: u32) {
        let request = json!({"commandId": id, "attempt": 1, "command": "a", "expiresAt": EXPIRES_MS / 1000,
                             "spread": spread});
        self.live.on_message("cmd/group/pumps/req", request.to_string().as_bytes());
    }

    pub fn request_in_shadow(&mut self, id: &str, attempt: u32) {
        let entry = json!({"attempt": attempt, "command": "a", "expiresAt": EXPIRES_MS / 1000});
        let delta = json!({"state": {"c": {id: entry}}, "version": 1}).to_string();
        self.live.on_message("$aws/things/pump-7/shadow/name/cmd/update/delta", delta.as_bytes());
    }

    pub fn cancel(&mut self, id: &str) {
        let cancel = json!({"executionId": id, "attempt": 1}).to_string();
        self.live.on_message("cmd/pump-7/cancel", cancel.as_bytes());
    }

    pub fn turn(&mut self, to_ms: i64) {
        self.clock.store(to_ms, Ordering::SeqCst);
        self.live.do_what_is_due();
    }

    /// What it has said since it was asked last.
    fn said(&mut self) -> Vec<String> {
        let said = std::mem::take(&mut self.live.waiting);
        let status = |bytes: &[u8]| Some(serde_json::from_slice::<Value>(bytes).ok()?["status"].as_str()?.to_owned());
        said.iter().filter_map(|(_, bytes)| status(bytes)).collect()
    }

    fn ran(&self) -> Vec<(u32, Option<(i64, Finish)>)> {
        self.runs.all().into_iter().map(|run| (run.attempt, run.ended)).collect()
    }
}

#[test]
fn each_run_is_noted_with_its_times() {
    let mut thing = Watched::new(Behaviour::Succeeds);
    thing.turn(5);
    thing.request("e1", 1);
    thing.request("e1", 1);
    let mut run = Run {
        thing: "pump-7".to_owned(),
        execution_id: "e1".to_owned(),
        attempt: 1,
        expires_at_ms: EXPIRES_MS,
        started_ms: 5,
        ended: None,
    };
    assert_eq!(thing.runs.all(), [run.clone()]);
    thing.turn(5 + WORK_MS);
    run.ended = Some((5 + WORK_MS, Finish::Succeeded));
    assert_eq!(thing.runs.all(), [run]);
    assert_eq!(thing.said(), ["IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED"]);
}

#[test]
fn what_is_canceled_is_stopped_and_not_told() {
    let mut thing = Watched::new(Behaviour::Twice);
    thing.request("e1", 1);
    thing.cancel("e1");
    thing.turn(WORK_MS * 3);
    thing.request("e1", 2);
    assert_eq!(thing.ran(), [(1, Some((0, Finish::Stopped)))]);
    assert_eq!(thing.said(), ["IN_PROGRESS", "IN_PROGRESS"], "what was said twice was said before");
    assert_eq!(thing.live.thing.counters.read().cancels, 1);
}

#[test]
fn what_fails_once_succeeds_at_the_next_attempt() {
    let mut thing = Watched::new(Behaviour::FailsOnce);
    thing.request("e1", 1);
    thing.turn(WORK_MS);
    thing.request("e1", 2);
    thing.turn(2 * WORK_MS);
    assert_eq!(thing.said(), ["IN_PROGRESS", "FAILED", "IN_PROGRESS", "SUCCEEDED"]);
    let ended = |at, finish| Some((at, finish));
    assert_eq!(thing.ran(), [(1, ended(WORK_MS, Finish::Failed)), (2, ended(2 * WORK_MS, Finish::Succeeded))]);
}

#[test]
fn the_verdict_may_come_first_even_when_the_clock_jumps() {
    let mut thing = Watched::new(Behaviour::OutOfOrder);
    thing.request("e1", 1);
    thing.turn(100 * WORK_MS);
    assert_eq!(thing.said(), ["SUCCEEDED", "IN_PROGRESS"]);
}

#[test]
fn what_is_due_first_is_done_first_however_far_the_clock_jumps() {
    let mut thing = Watched::new(Behaviour::Succeeds);
    thing.request("slow", 1);
    thing.live.thing.script.work_ms = 1;
    thing.request("quick", 1);
    thing.said();
    thing.turn(100 * WORK_MS);
    let (_, first) = thing.live.waiting.first().unwrap();
    assert!(String::from_utf8_lossy(first).contains("quick"));
}

#[tokio::test]
async fn a_restart_with_memory_tells_and_one_without_forgets() {
    for (behaviour, said) in [(Behaviour::Reboots, &["FAILED"][..]), (Behaviour::Crashes, &[])] {
        let mut thing = Watched::new(behaviour);
        thing.request("e1", 1);
        thing.said();
        thing.live.unacknowledged.push_back(Default::default());
        thing.live.on_event(Event::Acknowledged);
        assert_eq!(thing.said(), said);
        assert_eq!(thing.ran(), [(1, Some((0, Finish::Lost)))]);
        thing.turn(WORK_MS);
        assert!(thing.live.link.is_some(), "it comes back");
    }
}

#[tokio::test]
async fn a_thing_that_comes_and_goes_loses_nothing_that_it_said() {
    let mut thing = Watched::new(Behaviour::ComesAndGoes);
    thing.live.come();
    thing.request("e1", 1);
    thing.turn(60_000);
    assert!(thing.live.link.is_none(), "gone after a minute");
    assert_eq!(thing.said(), ["IN_PROGRESS", "SUCCEEDED"], "to be said again, as nobody has acknowledged it");
    thing.turn(90_000);
    assert!(thing.live.link.is_some(), "back after half a minute");
    thing.turn(1_000_000);
    assert!(thing.live.link.is_none(), "one jump of the clock is one going");
}

#[tokio::test]
async fn what_is_in_its_shadow_is_run_as_well() {
    let mut thing = Watched::new(Behaviour::Succeeds);
    thing.request_in_shadow("e1", 1);
    thing.request_in_shadow("e1", 1);
    thing.turn(WORK_MS);
    assert_eq!((thing.said().len(), thing.ran().len()), (2, 1));
}

#[test]
fn a_broadcast_is_run_once_by_its_script_and_noted_by_the_commands_id() {
    for (behaviour, said) in [
        (Behaviour::Succeeds, &["IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED"][..]),
        (Behaviour::Fails, &["IN_PROGRESS", "IN_PROGRESS", "FAILED"]),
        (Behaviour::Mute, &[]),
    ] {
        let mut thing = Watched::new(behaviour);
        thing.broadcast("c1", 0);
        thing.broadcast("c1", 0);
        thing.turn(WORK_MS);
        assert_eq!(thing.said(), said);
        let ran: Vec<_> = thing.runs.all().into_iter().map(|run| (run.execution_id, run.attempt)).collect();
        assert_eq!(ran, [("c1".to_owned(), 1)]);
        let stats = thing.live.thing.counters.read();
        assert_eq!((stats.broadcasts, stats.requests, stats.started), (2, 0, 1));
    }
}

#[tokio::test]
async fn a_broadcast_waits_for_its_moment_with_or_without_a_connection() {
    for connected in [false, true] {
        let mut thing = Watched::new(Behaviour::Succeeds);
        if connected {
            thing.live.come();
        }
        thing.broadcast("c1", 60);
        let at_ms = thing.live.next_ms().unwrap();
        assert!((1..60_000).contains(&at_ms), "{at_ms}");
        thing.turn(at_ms - 1);
        thing.live.tick();
        assert_eq!(thing.ran(), []);
        thing.turn(at_ms);
        thing.live.tick();
        assert_eq!(thing.ran(), [(1, None)]);
        assert_eq!(thing.live.next_ms(), Some(at_ms + WORK_MS), "it waits for nothing else");
    }
}

#[test]
fn a_request_that_is_lost_is_not_seen_and_an_answer_that_is_lost_was_never_said() {
    let mut thing = Watched::new(Behaviour::Twice);
    thing.live.thing.loss = Loss::new(1.0, 1, "pump-7");
    thing.request("e1", 1);
    thing.broadcast("c1", 0);
    thing.cancel("e1");
    assert_eq!(thing.ran(), []);
    thing.live.thing.loss = Loss::new(0.0, 1, "pump-7");
    thing.request("e1", 1);
    thing.live.thing.loss = Loss::new(1.0, 1, "pump-7");
    thing.turn(WORK_MS * 10);
    assert_eq!(thing.said(), ["IN_PROGRESS"]);
    assert_eq!(thing.ran(), [(1, Some((WORK_MS * 10, Finish::Succeeded)))]);
    let stats = thing.live.thing.counters.read();
    assert_eq!((stats.requests, stats.broadcasts, stats.cancels, stats.answers), (1, 0, 0, 1));
    assert_eq!((stats.lost_requests, stats.lost_answers), (3, 2));
}

#[tokio::test]
async fn power_is_lost_even_if_all_that_was_said_is() {
    let mut thing = Watched::new(Behaviour::Crashes);
    thing.live.thing.loss = Loss::new(1.0, 1, "pump-7");
    thing.live.start("e1".to_owned(), 1, EXPIRES_MS, 0);
    thing.live.answer("cmd/pump-7/resp".to_owned(), Vec::new(), 0);
    thing.turn(0);
    assert_eq!(thing.ran(), [(1, Some((0, Finish::Lost)))]);
}

#[tokio::test]
async fn times_far_away_are_times_too() {
    for behaviour in [Behaviour::Late, Behaviour::Twice, Behaviour::GoesOffline, Behaviour::ComesAndGoes] {
        for now_ms in [0, i64::MAX] {
            let mut thing = Watched::new(behaviour);
            thing.live.thing.script.work_ms = i64::MAX;
            thing.live.thing.late_after_ms = i64::MAX;
            (thing.live.thing.here, thing.live.thing.gone) =
                (Duration::MAX..=Duration::MAX, Duration::MAX..=Duration::MAX);
            thing.clock.store(now_ms, Ordering::SeqCst);
            thing.live.come();
            thing.live.start("e1".to_owned(), 1, i64::MAX, now_ms);
            thing.live.answer("cmd/pump-7/resp".to_owned(), Vec::new(), now_ms);
            thing.live.crash();
            assert!(thing.live.next_ms().is_some());
        }
    }
}
