//! One simulated thing: the reference agent, with its script's trouble put between it and the wire.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::script::{Behaviour, Script};
use super::shadow::{self, Shadow};
use super::stats::Counters;
use crate::Now;
use crate::agent::{Action, Agent, Config, Outcome, topic};
use crate::link::{Endpoint, Event, Link};

/// How long a thing that went away stays away, in milliseconds.
const AWAY_MS: i64 = 500;
/// The injected clock may jump while a thing sleeps, so it looks this often.
const LOOK: Duration = Duration::from_millis(100);

/// What is due at a time of the injected clock.
enum Task {
    Finish { execution_id: String, attempt: u32 },
    Send { topic: String, bytes: Vec<u8> },
    GoAway,
    ComeBack,
}

pub(crate) struct Thing {
    pub name: String,
    pub script: Script,
    pub endpoint: Endpoint,
    pub now: Now,
    pub late_after_ms: i64,
    pub with_shadow: bool,
    pub counters: Arc<Counters>,
    /// Told once, when the first subscriptions are made.
    pub ready: Option<mpsc::Sender<()>>,
}

impl Thing {
    pub async fn run(self) {
        let link = self.connect();
        let mut live = Live::new(self, Some(link));
        loop {
            live.do_what_is_due();
            let sleep = live.next_sleep();
            tokio::select! {
                event = live.next_event() => match event {
                    Some(event) => live.on_event(event),
                    None => return,
                },
                () = sleep_for(sleep) => live.tick(),
            }
        }
    }

    fn connect(&self) -> Link {
        let mut filters = vec![topic::request(&self.name)];
        if self.with_shadow {
            filters.extend([shadow::delta_topic(&self.name), shadow::trimmed_topic(&self.name)]);
        }
        Link::open(&self.endpoint, &self.name, filters)
    }

    fn new_agent(&self) -> Agent {
        let mut config = Config::new(&self.name);
        if self.script.behaviour == Behaviour::Rejects {
            config.commands = Some(Default::default());
        }
        Agent::new(config)
    }
}

/// For ever when there is nothing to wait for.
async fn sleep_for(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// A thing while it runs.
struct Live {
    thing: Thing,
    agent: Agent,
    /// `None` while it is away.
    link: Option<Link>,
    shadow: Shadow,
    reported: bool,
    due: Vec<(i64, Task)>,
    /// Answers that were made while it was away.
    waiting: Vec<(String, Vec<u8>)>,
    /// The next acknowledged publish is the last thing it remembers.
    crash_on_ack: bool,
    /// Answers are held back until then.
    late_until: i64,
}

impl Live {
    fn new(thing: Thing, link: Option<Link>) -> Self {
        Self {
            agent: thing.new_agent(),
            thing,
            link,
            shadow: Shadow::default(),
            reported: false,
            due: Vec::new(),
            waiting: Vec::new(),
            crash_on_ack: false,
            late_until: i64::MIN,
        }
    }

    async fn next_event(&mut self) -> Option<Event> {
        match &mut self.link {
            Some(link) => link.next().await,
            None => std::future::pending().await,
        }
    }

    fn on_event(&mut self, event: Event) {
        let counters = self.thing.counters.clone();
        match event {
            Event::Up { session_lost } => {
                counters.connects.add(1);
                let mut actions = Vec::new();
                if session_lost {
                    actions = self.agent.on_session_lost();
                }
                self.act(actions);
                for (topic, bytes) in std::mem::take(&mut self.waiting) {
                    self.publish(&topic, bytes);
                }
            }
            Event::Subscribed => {
                if self.thing.with_shadow && !std::mem::replace(&mut self.reported, true) {
                    self.report(self.shadow.first_report());
                }
                if let Some(ready) = self.thing.ready.take() {
                    // The fleet may have given up waiting.
                    let _ = ready.try_send(());
                }
            }
            Event::Message { topic, payload, receipt } => {
                // Before anything is done, so that it does not come again after a crash that the script asks for.
                if let Some(link) = &self.link {
                    link.acknowledge(receipt);
                }
                self.on_message(&topic, &payload);
            }
            Event::Acknowledged if self.crash_on_ack => self.crash(),
            Event::Acknowledged => {}
            Event::Down { error, retry_in } => {
                let thing = &self.thing.name;
                tracing::debug!(thing, error = &error as &dyn std::error::Error, ?retry_in, "not connected");
            }
        }
    }

    fn on_message(&mut self, topic: &str, payload: &[u8]) {
        let counters = self.thing.counters.clone();
        let name = &self.thing.name;
        if topic == shadow::trimmed_topic(name) {
            counters.trimmed.add(1);
            counters.trimmed_bytes.add(payload.len());
            if let Some(report) = self.shadow.on_trimmed(payload) {
                self.report(report);
            }
        } else if topic == shadow::delta_topic(name) {
            counters.deltas.add(1);
            counters.delta_bytes.add(payload.len());
        } else {
            counters.requests.add(1);
            let actions = self.agent.on_request(payload, (self.thing.now)());
            if actions.is_empty() {
                counters.malformed.add(1);
            }
            self.act(actions);
        }
    }

    fn act(&mut self, actions: Vec<Action>) {
        let now_ms = (self.thing.now)();
        // Starts first: they decide what becomes of the answers that come with them.
        let (starts, answers): (Vec<_>, Vec<_>) = actions.into_iter().partition(|a| matches!(a, Action::Start { .. }));
        for action in starts {
            if let Action::Start { execution_id, attempt, expires_at_ms, .. } = action {
                self.thing.counters.started.add(1);
                self.start(execution_id, attempt, expires_at_ms, now_ms);
            }
        }
        for action in answers {
            if let Action::Respond { topic, bytes } = action {
                self.answer(topic, bytes, now_ms);
            }
        }
    }

    fn start(&mut self, execution_id: String, attempt: u32, expires_at_ms: i64, now_ms: i64) {
        let work_ms = self.thing.script.work_ms;
        let mut done_at = now_ms.saturating_add(work_ms);
        match self.thing.script.behaviour {
            Behaviour::Crashes => {
                self.crash_on_ack = true;
                return;
            }
            Behaviour::GoesOffline => {
                self.due.push((now_ms.saturating_add(work_ms / 2), Task::GoAway));
                self.due.push((done_at.saturating_add(AWAY_MS), Task::ComeBack));
            }
            Behaviour::Late => {
                self.late_until = expires_at_ms.saturating_add(self.thing.late_after_ms);
                done_at = self.late_until;
            }
            _ => {}
        }
        self.due.push((done_at, Task::Finish { execution_id, attempt }));
    }

    fn answer(&mut self, topic: String, bytes: Vec<u8>, now_ms: i64) {
        match self.thing.script.behaviour {
            Behaviour::Mute => return,
            // That it was accepted would be a sign of life.
            Behaviour::Late if now_ms < self.late_until => return,
            Behaviour::Twice => {
                let again = Task::Send { topic: topic.clone(), bytes: bytes.clone() };
                let at = now_ms.saturating_add(self.thing.script.work_ms.saturating_mul(2));
                self.due.push((at, again));
            }
            _ => {}
        }
        self.publish(&topic, bytes);
    }

    fn publish(&mut self, topic: &str, bytes: Vec<u8>) {
        self.thing.counters.answers.add(1);
        match &self.link {
            Some(link) => {
                if !link.publish(topic, bytes) {
                    tracing::warn!(thing = self.thing.name, topic, "answer dropped: too many wait");
                }
            }
            None => self.waiting.push((topic.to_owned(), bytes)),
        }
    }

    fn report(&mut self, report: Vec<u8>) {
        if let Some(link) = &self.link
            && link.publish(&shadow::update_topic(&self.thing.name), report)
        {
            self.thing.counters.reports.add(1);
        }
    }

    /// Power lost: neither the connection nor the memory is left.
    fn crash(&mut self) {
        self.crash_on_ack = false;
        self.link = None;
        self.agent = self.thing.new_agent();
        self.due.clear();
        self.waiting.clear();
        self.due.push(((self.thing.now)().saturating_add(AWAY_MS), Task::ComeBack));
    }

    fn do_what_is_due(&mut self) {
        let now_ms = (self.thing.now)();
        while let Some(at) = self.due.iter().position(|(due, _)| *due <= now_ms) {
            match self.due.remove(at).1 {
                Task::GoAway => self.link = None,
                Task::ComeBack => self.link = Some(self.thing.connect()),
                Task::Send { topic, bytes } => self.publish(&topic, bytes),
                Task::Finish { execution_id, attempt } => {
                    let outcome = match self.thing.script.behaviour {
                        Behaviour::Fails => Outcome::failed("PUMP_JAMMED", "the pump does not turn"),
                        _ => Outcome::succeeded(None),
                    };
                    let actions = self.agent.on_finished(&execution_id, attempt, outcome);
                    self.act(actions);
                }
            }
        }
    }

    fn tick(&mut self) {
        if self.link.is_some() {
            let actions = self.agent.on_tick((self.thing.now)());
            self.act(actions);
        }
    }

    fn next_sleep(&self) -> Option<Duration> {
        let now_ms = (self.thing.now)();
        let next = self.due.iter().map(|(due, _)| due.saturating_sub(now_ms).max(1).unsigned_abs()).min();
        let beats = (self.agent.running() > 0).then_some(LOOK);
        next.map(|ms| Duration::from_millis(ms).min(LOOK)).or(beats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_far_away_are_times_too() {
        for behaviour in [Behaviour::Late, Behaviour::Twice, Behaviour::GoesOffline, Behaviour::Succeeds] {
            for now_ms in [0, i64::MAX] {
                let thing = Thing {
                    name: "pump-7".to_owned(),
                    script: Script { behaviour, work_ms: i64::MAX },
                    endpoint: Endpoint::plain("127.0.0.1", 1),
                    now: Arc::new(move || now_ms),
                    late_after_ms: i64::MAX,
                    with_shadow: false,
                    counters: Arc::default(),
                    ready: None,
                };
                let mut live = Live::new(thing, None);
                live.start("e1".to_owned(), 1, i64::MAX, now_ms);
                live.answer("cmd/pump-7/resp".to_owned(), Vec::new(), now_ms);
                live.crash();
                assert!(live.next_sleep().is_some());
            }
        }
    }
}
