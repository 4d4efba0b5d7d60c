//! Whether what is asked for is begun, refused, or answered with what is known.

use super::cache::{Again, Entry, State};
use super::id::Id;
use super::request::{Malformed, Request};
use super::{Action, Agent, Config, Outcome, respond, topic};

/// What is asked for, whether it can be understood or not.
struct Asked {
    id: Id,
    attempt: u32,
    topic: String,
    expires_at_ms: i64,
    what: Result<Request, Outcome>,
}

impl Agent {
    /// `answer_again`: what is known already is answered again, as whoever asks may not have heard.
    pub(super) fn consider(
        &mut self,
        request: Result<Request, Malformed>,
        answer_again: bool,
        now_ms: i64,
    ) -> Vec<Action> {
        let asked = match request {
            Ok(request) => Asked {
                id: request.id.clone(),
                attempt: request.attempt,
                topic: self.answer_topic(request.response_topic.clone()),
                expires_at_ms: request.expires_at_ms(),
                what: Ok(request),
            },
            Err(Malformed::Envelope { id, attempt, response_topic, why }) => {
                *self.ignored.entry("malformed").or_default() += 1;
                Asked {
                    id,
                    attempt: attempt.max(1),
                    topic: self.answer_topic(response_topic),
                    expires_at_ms: now_ms,
                    what: Err(Outcome::rejected("MALFORMED_REQUEST", why)),
                }
            }
            Err(Malformed::TooLarge { .. }) => return self.ignore("too large"),
            Err(Malformed::Unreadable) => return self.ignore("unreadable"),
        };
        self.decide(asked, answer_again, now_ms)
    }

    fn decide(&mut self, asked: Asked, answer_again: bool, now_ms: i64) -> Vec<Action> {
        let Asked { id, attempt, topic, expires_at_ms, what } = asked;
        if let Some(known) = self.cache.touch(id.as_str()) {
            let repeated = attempt <= known.newest;
            if !known.admits(attempt, expires_at_ms) {
                let bytes = known.answer().filter(|_| answer_again || !repeated);
                return bytes.map(|bytes| Action::Respond { topic, bytes }).into_iter().collect();
            }
        }
        let (state, start) = match what.and_then(|request| self.refuse(request, now_ms)) {
            Err(outcome) => (State::Ended(outcome), None),
            Ok(request) => {
                let heartbeat_ms = request.heartbeat_ms();
                let next_beat_ms = now_ms.saturating_add(heartbeat_ms.unwrap_or(i64::MAX));
                let Request { command, payload, .. } = request;
                let repeatable = self.config.repeatable.contains(&command);
                let again =
                    repeatable.then(|| Again { command: command.clone(), payload: payload.clone(), expires_at_ms });
                let execution_id = id.as_str().to_owned();
                let start = Action::Start { execution_id, attempt, command, payload, expires_at_ms };
                (State::Running { seq: 0, heartbeat_ms, next_beat_ms, again }, Some(start))
            }
        };
        let entry = Entry { id, attempt, newest: attempt, topic, expires_at_ms, state };
        let mut actions = self.remember(entry, now_ms);
        actions.extend(start);
        actions
    }

    /// The request, or why it must not run although it is new to this device.
    fn refuse(&self, request: Request, now_ms: i64) -> Result<Request, Outcome> {
        let Config { commands, remember, tolerance_ms, .. } = &self.config;
        if now_ms >= request.expires_at_ms().saturating_add(*tolerance_ms) {
            Err(Outcome::expired())
        } else if commands.as_ref().is_some_and(|known| !known.contains(&request.command)) {
            Err(Outcome::rejected("UNKNOWN_COMMAND", format!("{:?} is not a command of this device", request.command)))
        } else if self.cache.running() >= (*remember).max(1) {
            Err(Outcome::rejected("BUSY", format!("{remember} commands are running")))
        } else {
            Ok(request)
        }
    }

    pub(super) fn remember(&mut self, entry: Entry, now_ms: i64) -> Vec<Action> {
        let actions = respond(&entry).into_iter().collect();
        self.cache.put(entry, self.config.remember, now_ms.saturating_sub(self.config.tolerance_ms));
        actions
    }

    fn answer_topic(&self, asked: Option<String>) -> String {
        let Config { thing, answer_topics, .. } = &self.config;
        // An answer that comes back as a request would be answered for ever.
        let agreed = |topic: &String| answer_topics.contains(topic) && !self.config.takes_broadcasts_on(topic);
        asked
            .filter(|topic| topic::may_answer_on(thing, topic) || agreed(topic))
            .unwrap_or_else(|| topic::response(thing))
    }
}
