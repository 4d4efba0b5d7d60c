//! What a simulated thing does at a time of the injected clock: it begins what waited, it ends its work, it goes away, it
//! comes back.

use super::live::Live;
use super::runs::Finish;
use super::script::Behaviour;
use crate::agent::{Agent, Outcome};

/// How long a thing that went away because of its work stays away, in milliseconds.
const AWAY_MS: i64 = 500;

pub(crate) enum Task {
    Finish { execution_id: String, attempt: u32 },
    Send { topic: String, bytes: Vec<u8> },
    GoAway,
    ComeBack,
    Crash,
}

impl Live {
    pub fn do_what_is_due(&mut self) {
        let now_ms = self.now_ms();
        // In order even when the clock has jumped over all of it.
        let next =
            |due: &[(i64, Task)]| due.iter().enumerate().min_by_key(|(_, (at, _))| *at).map(|(n, (at, _))| (n, *at));
        while let Some((n, at)) = next(&self.due)
            && at <= now_ms
        {
            match self.due.remove(n).1 {
                Task::GoAway => self.go(),
                Task::ComeBack => self.come(),
                Task::Crash => self.crash(),
                Task::Send { topic, bytes } => self.send(topic, bytes),
                Task::Finish { execution_id, attempt } => {
                    let outcome = match self.thing.script.behaviour {
                        Behaviour::Fails => jammed(),
                        Behaviour::FailsOnce if attempt == 1 => jammed(),
                        _ => Outcome::succeeded(None),
                    };
                    let finish = if outcome.reason_code().is_none() { Finish::Succeeded } else { Finish::Failed };
                    let actions = self.agent.on_finished(&execution_id, attempt, outcome);
                    self.ended(execution_id, attempt, now_ms, finish);
                    self.act(actions);
                }
            }
        }
    }

    pub fn tick(&mut self) {
        let now_ms = self.now_ms();
        let actions = match self.link {
            Some(_) => self.agent.on_tick(now_ms),
            None => self.agent.on_held(now_ms),
        };
        self.act(actions);
    }

    /// When it wants to be woken, by the injected clock.
    pub fn next_ms(&self) -> Option<i64> {
        let next = self.due.iter().map(|(due, _)| *due).min();
        let beat = self.link.as_ref().and_then(|_| self.agent.next_beat_ms());
        next.into_iter().chain(beat).chain(self.agent.next_held_ms()).min()
    }

    /// Connects, for as long as its script says.
    pub fn come(&mut self) {
        if self.link.is_some() {
            return;
        }
        self.link = Some(self.thing.connect(&self.agent));
        if self.thing.script.behaviour == Behaviour::ComesAndGoes {
            let here_ms = self.thing.random.between(&self.thing.here).max(1);
            self.due.push((self.now_ms().saturating_add(here_ms), Task::GoAway));
        }
    }

    /// Loses its connection, and nothing else.
    fn go(&mut self) {
        let Some(link) = self.link.take() else { return };
        drop(link);
        // What the broker may not have is said again, before what is said meanwhile.
        let lost = std::mem::take(&mut self.unacknowledged);
        self.waiting.splice(0..0, lost);
        let gone_ms = match self.thing.script.behaviour {
            Behaviour::ComesAndGoes => self.thing.random.between(&self.thing.gone).max(1),
            // Not before the work is done.
            _ => self.thing.script.work_ms.saturating_add(AWAY_MS),
        };
        self.due.push((self.now_ms().saturating_add(gone_ms), Task::ComeBack));
    }

    /// Power lost: neither the connection nor what ran is left, and the memory only if it is kept in a file.
    pub fn crash(&mut self) {
        self.crash_on_ack = false;
        self.link = None;
        self.due.clear();
        self.waiting.clear();
        self.unacknowledged.clear();
        let now_ms = self.now_ms();
        for (_, number) in self.running.drain() {
            self.thing.runs.end(number, now_ms, Finish::Lost);
        }
        let config = self.thing.config();
        let kept = match self.thing.script.behaviour {
            Behaviour::Reboots => Agent::restore(config.clone(), self.agent.snapshot(), now_ms).ok(),
            _ => None,
        };
        let (agent, actions) = kept.unwrap_or_else(|| (Agent::new(config), Vec::new()));
        self.agent = agent;
        self.act(actions);
        self.due.push((now_ms.saturating_add(AWAY_MS), Task::ComeBack));
    }
}

fn jammed() -> Outcome {
    Outcome::failed("PUMP_JAMMED", "the pump does not turn")
}
