//! A simulated thing while it runs: the reference agent, with its script's trouble put between it and the wire.

use std::collections::{HashMap, VecDeque};

use super::due::Task;
use super::runs::{Finish, Run};
use super::script::Behaviour;
use super::shadow::{self, Shadow};
use super::thing::Thing;
use crate::agent::{Action, Agent, topic};
use crate::link::{Event, Link};

#[cfg(test)]
mod sweep;
#[cfg(test)]
mod tests;

pub(crate) struct Live {
    pub thing: Thing,
    pub agent: Agent,
    /// `None` while it is away.
    pub link: Option<Link>,
    shadow: Shadow,
    reported: bool,
    /// What is due at which time of the injected clock.
    pub due: Vec<(i64, Task)>,
    /// What is to be published with the next connection.
    pub waiting: Vec<(String, Vec<u8>)>,
    /// What was published and not acknowledged yet, in order.
    pub unacknowledged: VecDeque<(String, Vec<u8>)>,
    /// It loses power as soon as the broker has all that it said.
    pub crash_on_ack: bool,
    /// Answers are held back until then.
    late_until: i64,
    /// What runs, and its number in the fleet's list.
    pub running: HashMap<(String, u32), usize>,
}

impl Live {
    pub fn new(thing: Thing) -> Self {
        Self {
            agent: Agent::new(thing.config()),
            thing,
            link: None,
            shadow: Shadow::default(),
            reported: false,
            due: Vec::new(),
            waiting: Vec::new(),
            unacknowledged: VecDeque::new(),
            crash_on_ack: false,
            late_until: i64::MIN,
            running: HashMap::new(),
        }
    }

    pub fn now_ms(&self) -> i64 {
        (self.thing.now)()
    }

    pub async fn next_event(&mut self) -> Option<Event> {
        match &mut self.link {
            Some(link) => link.next().await,
            None => std::future::pending().await,
        }
    }

    pub fn on_event(&mut self, event: Event) {
        match event {
            Event::Up { session_lost } => {
                self.thing.counters.connects.add(1);
                if session_lost {
                    let actions = self.agent.on_session_lost();
                    self.act(actions);
                }
                for (topic, bytes) in std::mem::take(&mut self.waiting) {
                    self.publish(topic, bytes);
                }
            }
            Event::Subscribed => {
                if self.thing.with_shadow && !std::mem::replace(&mut self.reported, true) {
                    self.report(self.shadow.first_report());
                }
                let actions = self.agent.on_subscribed();
                self.act(actions);
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
            Event::Acknowledged => {
                // Brokers acknowledge in order.
                self.unacknowledged.pop_front();
                if self.crash_on_ack && self.unacknowledged.is_empty() {
                    self.crash();
                }
            }
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
            let count = match () {
                () if topic == topic::request(name) => Some(&counters.requests),
                () if topic == topic::cancel(name) => Some(&counters.cancels),
                () if self.thing.hears.broadcast(topic) => Some(&counters.broadcasts),
                () => None,
            };
            if let Some(count) = count {
                if self.thing.loss.strikes() {
                    counters.lost_requests.add(1);
                    return;
                }
                count.add(1);
            }
            let ignored = |agent: &Agent| agent.ignored().values().sum::<u64>();
            let before = ignored(&self.agent);
            let actions = self.agent.on_message(topic, payload, self.now_ms());
            if ignored(&self.agent) > before {
                counters.malformed.add(1);
            }
            self.act(actions);
        }
    }

    pub fn act(&mut self, actions: Vec<Action>) {
        let now_ms = self.now_ms();
        // Starts first: they decide what becomes of the answers that come with them.
        let (starts, others): (Vec<_>, Vec<_>) = actions.into_iter().partition(|a| matches!(a, Action::Start { .. }));
        for action in starts.into_iter().chain(others) {
            match action {
                Action::Start { execution_id, attempt, expires_at_ms, .. } => {
                    self.thing.counters.started.add(1);
                    self.start(execution_id, attempt, expires_at_ms, now_ms);
                }
                Action::Stop { execution_id, attempt } => {
                    // Its end is still due; the agent does not care any more.
                    self.ended(execution_id, attempt, now_ms, Finish::Stopped);
                }
                Action::Respond { topic, bytes } => self.answer(topic, bytes, now_ms),
                Action::Publish { topic, bytes } => self.publish(topic, bytes),
            }
        }
    }

    pub fn start(&mut self, execution_id: String, attempt: u32, expires_at_ms: i64, now_ms: i64) {
        let (thing, id) = (self.thing.name.clone(), execution_id.clone());
        let run = Run { thing, execution_id: id, attempt, expires_at_ms, started_ms: now_ms, ended: None };
        self.running.insert((execution_id.clone(), attempt), self.thing.runs.begin(run));
        let work_ms = self.thing.script.work_ms;
        let mut done_at = now_ms.saturating_add(work_ms);
        match self.thing.script.behaviour {
            Behaviour::Crashes | Behaviour::Reboots => {
                self.crash_on_ack = true;
                return;
            }
            Behaviour::GoesOffline => {
                self.due.push((now_ms.saturating_add(work_ms / 2), Task::GoAway));
            }
            Behaviour::Late => {
                self.late_until = expires_at_ms.saturating_add(self.thing.late_after_ms);
                done_at = self.late_until;
            }
            _ => {}
        }
        self.due.push((done_at, Task::Finish { execution_id, attempt }));
    }

    pub fn ended(&mut self, execution_id: String, attempt: u32, now_ms: i64, finish: Finish) {
        if let Some(number) = self.running.remove(&(execution_id, attempt)) {
            self.thing.runs.end(number, now_ms, finish);
        }
    }

    pub fn answer(&mut self, topic: String, bytes: Vec<u8>, now_ms: i64) {
        let after_the_work = now_ms.saturating_add(self.thing.script.work_ms.saturating_mul(2));
        match self.thing.script.behaviour {
            Behaviour::Mute => return,
            // That it was accepted would be a sign of life.
            Behaviour::Late if now_ms < self.late_until => return,
            Behaviour::Twice => {
                let again = Task::Send { topic: topic.clone(), bytes: bytes.clone() };
                self.due.push((after_the_work, again));
            }
            Behaviour::OutOfOrder if self.agent.running() > 0 => {
                self.due.push((after_the_work, Task::Send { topic, bytes }));
                return;
            }
            _ => {}
        }
        self.send(topic, bytes);
    }

    /// An answer, unless it is lost.
    pub fn send(&mut self, topic: String, bytes: Vec<u8>) {
        if self.thing.loss.strikes() {
            self.thing.counters.lost_answers.add(1);
            // Nobody will acknowledge it.
            if self.crash_on_ack && self.unacknowledged.is_empty() {
                self.due.push((self.now_ms(), Task::Crash));
            }
            return;
        }
        self.thing.counters.answers.add(1);
        self.publish(topic, bytes);
    }

    pub fn publish(&mut self, topic: String, bytes: Vec<u8>) {
        let Some(link) = &self.link else { return self.waiting.push((topic, bytes)) };
        if link.publish(&topic, bytes.clone()) {
            self.unacknowledged.push_back((topic, bytes));
        } else {
            tracing::warn!(thing = self.thing.name, topic, "dropped: too much waits");
        }
    }

    fn report(&mut self, report: Vec<u8>) {
        self.thing.counters.reports.add(1);
        self.publish(shadow::update_topic(&self.thing.name), report);
    }
}
