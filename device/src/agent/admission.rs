//! Decides what a request leads to: a start, a refusal, or the report of what is known already.

use super::action::Action;
use super::config::Config;
use super::execution::{Execution, ExecutionState, Rerun};
use super::execution_cache::ExecutionCache;
use super::id::Id;
use super::ignored_inputs::IgnoredInputs;
use super::outcome::Outcome;
use super::request::{Request, RequestError};

/// The parts of an agent that a decision about one request reads and changes.
pub(super) struct Admission<'a> {
    pub config: &'a Config,
    pub executions: &'a mut ExecutionCache,
    pub ignored: &'a mut IgnoredInputs,
    pub now_ms: i64,
}

/// A request that names its execution.
struct Candidate {
    id: Id,
    attempt: u32,
    response_topic: String,
    expires_at_ms: i64,
    /// `Err` holds the rejection of a malformed request.
    request: Result<Request, Outcome>,
}

impl Admission<'_> {
    /// With `repeat_report`, a request for a known attempt is answered with the current report, since its sender may
    /// have missed the earlier one.
    pub fn handle(&mut self, request: Result<Request, RequestError>, repeat_report: bool) -> Vec<Action> {
        let candidate = match request {
            Ok(request) => Candidate {
                id: request.id.clone(),
                attempt: request.attempt,
                response_topic: self.config.response_topic(request.response_topic.clone()),
                expires_at_ms: request.expires_at_ms(),
                request: Ok(request),
            },
            Err(RequestError::Malformed { id, attempt, response_topic, detail }) => {
                self.ignored.count("malformed request");
                Candidate {
                    id,
                    attempt: attempt.max(1),
                    response_topic: self.config.response_topic(response_topic),
                    expires_at_ms: self.now_ms,
                    request: Err(Outcome::rejected("MALFORMED_REQUEST", detail)),
                }
            }
            Err(RequestError::TooLarge { .. }) => {
                self.ignored.count("request too large");
                return Vec::new();
            }
            Err(RequestError::Unreadable) => {
                self.ignored.count("unreadable request");
                return Vec::new();
            }
        };
        self.decide(candidate, repeat_report)
    }

    fn decide(&mut self, candidate: Candidate, repeat_report: bool) -> Vec<Action> {
        let Candidate { id, attempt, response_topic, expires_at_ms, request } = candidate;
        if let Some(known) = self.executions.touch(id.as_str()) {
            let is_repeated = attempt <= known.newest_attempt;
            if !known.admit_attempt(attempt, expires_at_ms) {
                let bytes = known.report_bytes().filter(|_| repeat_report || !is_repeated);
                return bytes.map(|bytes| Action::Report { topic: response_topic, bytes }).into_iter().collect();
            }
        }
        let (state, start) = match request.and_then(|request| self.check(request)) {
            Err(outcome) => (ExecutionState::Ended(outcome), None),
            Ok(request) => {
                let (state, start) = self.start(request);
                (state, Some(start))
            }
        };
        let execution = Execution { id, attempt, newest_attempt: attempt, response_topic, expires_at_ms, state };
        // The report comes before the start: the cloud must receive IN_PROGRESS before the final status.
        let actions = execution.report().into_iter().chain(start).collect();
        let startable_ms = self.now_ms.saturating_sub(self.config.expiry_tolerance_ms);
        self.executions.insert(execution, self.config.max_executions, startable_ms);
        actions
    }

    fn start(&self, request: Request) -> (ExecutionState, Action) {
        let (heartbeat_ms, expires_at_ms) = (request.heartbeat_ms(), request.expires_at_ms());
        let next_heartbeat_ms = self.now_ms.saturating_add(heartbeat_ms.unwrap_or(i64::MAX));
        let Request { id, attempt, command, payload, .. } = request;
        let is_repeatable = self.config.repeatable.contains(&command);
        let rerun = is_repeatable.then(|| Rerun { command: command.clone(), payload: payload.clone(), expires_at_ms });
        let state = ExecutionState::Running { seq: 0, heartbeat_ms, next_heartbeat_ms, rerun };
        let execution_id = id.as_str().to_owned();
        (state, Action::Start { execution_id, attempt, command, payload, expires_at_ms })
    }

    /// The request if it may start, or the outcome with which it is refused.
    fn check(&self, request: Request) -> Result<Request, Outcome> {
        let Config { commands, max_executions, expiry_tolerance_ms, .. } = self.config;
        if self.now_ms >= request.expires_at_ms().saturating_add(*expiry_tolerance_ms) {
            Err(Outcome::expired())
        } else if commands.as_ref().is_some_and(|known| !known.contains(&request.command)) {
            Err(Outcome::rejected("UNKNOWN_COMMAND", format!("this device has no command {:?}", request.command)))
        } else if self.executions.running_count() >= (*max_executions).max(1) {
            Err(Outcome::rejected("BUSY", format!("{max_executions} commands are running: try again later")))
        } else {
            Ok(request)
        }
    }
}
