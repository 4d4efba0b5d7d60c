//! The AWS IoT rules engine: SQL over messages, actions, error actions, Basic Ingest.
//!
//! | module | holds |
//! |---|---|
//! | [`rule`] | one rule: evaluates a message, runs actions, reports failures to the error action |
//! | [`filter`] | the topic filter after FROM |
//! | [`sql`] | AWS IoT SQL, version 2016-03-23: parser and evaluation |
//! | [`action`] | actions of a rule: Lambda, Republish, Sqs |

mod action;
mod filter;
mod rule;
mod sql;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use local_broker::Published;
use local_resources::TopicRule;
use serde_json::Value;

pub use action::ServiceCall;
use action::ServiceCaller;
use rule::{Rule, RuleOutcome};
pub use sql::{Context, EvalError, SqlError};
use sql::{Incoming, Selected, Statement};

/// A handle on the engine; clones share it.
#[derive(Clone)]
pub struct Rules(Arc<Engine>);

struct Engine {
    account: String,
    rules: Vec<Rule>,
    call_service: Box<ServiceCaller>,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    succeeded: AtomicU64,
    failed: AtomicU64,
    not_evaluated: AtomicU64,
    rule_not_found: AtomicU64,
}

/// Number of rule runs by outcome, over all rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Runs whose actions all succeeded.
    pub succeeded: u64,
    /// Runs with at least one failed action.
    pub failed: u64,
    /// Runs whose WHERE clause reads a payload that is not JSON.
    pub not_evaluated: u64,
    /// Basic Ingest messages for a rule that does not exist or is disabled.
    pub rule_not_found: u64,
}

/// A rule that cannot be parsed.
#[derive(Debug, thiserror::Error)]
#[error("rule {rule}: {reason}")]
pub struct RuleError {
    /// The rule's physical name.
    pub rule: String,
    /// The error, with its position in the SQL.
    pub reason: String,
}

/// Why [`evaluate`] fails.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The statement cannot be parsed.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The statement cannot be evaluated for the message.
    #[error(transparent)]
    Eval(#[from] EvalError),
}

impl Rules {
    /// Parses every rule. `call_service` executes the calls of the rules' actions; its error is reported by the error
    /// action.
    ///
    /// # Errors
    /// A rule has a syntax error, an unknown function, or an SQL version other than `2016-03-23`.
    pub fn new(
        account: &str,
        rules: &[TopicRule],
        call_service: impl Fn(ServiceCall) -> Result<(), String> + Send + Sync + 'static,
    ) -> Result<Self, RuleError> {
        // Disabled rules are parsed too, so that their errors show before they are enabled.
        let parsed = rules.iter().map(|rule| Ok((rule.disabled, Rule::new(rule)?))).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(Arc::new(Engine {
            account: account.to_owned(),
            rules: parsed.into_iter().filter_map(|(disabled, rule)| (!disabled).then_some(rule)).collect(),
            call_service: Box::new(call_service),
            counters: Counters::default(),
        })))
    }

    /// Runs every matching rule for a message of the broker's tap; for Basic Ingest, the named rule.
    pub fn on_published(&self, published: &Published) {
        let topic = published.message.topic.as_str();
        let engine = &*self.0;
        match topic.strip_prefix("$aws/rules/") {
            Some(rest) => {
                let (name, topic) = rest.split_once('/').unwrap_or((rest, ""));
                let rule = engine.rules.iter().find(|rule| rule.name == name);
                if rule.is_none() {
                    engine.counters.rule_not_found.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(rule = name, topic, "RuleNotFound: no enabled rule has this name");
                }
                engine.run(rule.into_iter(), topic, published);
            }
            None => {
                let levels: Vec<&str> = topic.split('/').collect();
                engine.run(engine.rules.iter().filter(|rule| rule.matches_topic(&levels)), topic, published);
            }
        }
    }

    /// Number of rule runs by outcome since the start.
    pub fn counts(&self) -> Counts {
        let counters = &self.0.counters;
        Counts {
            succeeded: counters.succeeded.load(Ordering::Relaxed),
            failed: counters.failed.load(Ordering::Relaxed),
            not_evaluated: counters.not_evaluated.load(Ordering::Relaxed),
            rule_not_found: counters.rule_not_found.load(Ordering::Relaxed),
        }
    }
}

impl Engine {
    /// Runs rules on one message. `topic` is the topic without a Basic Ingest prefix.
    fn run<'r>(&self, rules: impl Iterator<Item = &'r Rule>, topic: &str, published: &Published) {
        let mut rules = rules.peekable();
        if rules.peek().is_none() {
            return;
        }
        let trace_id = uuid::Uuid::new_v4().to_string();
        let context = Context {
            client_id: published.publisher.client_id.as_deref(),
            principal: published.publisher.principal.as_deref(),
            account: &self.account,
            at_ms: published.at_ms,
            trace_id: &trace_id,
        };
        let message = Incoming::new(topic, &published.message.payload, context);
        for rule in rules {
            let counter = match rule.run(&message, &published.message.topic, &*self.call_service) {
                RuleOutcome::Filtered => continue,
                RuleOutcome::NotEvaluated => &self.counters.not_evaluated,
                RuleOutcome::Succeeded => &self.counters.succeeded,
                RuleOutcome::Failed => &self.counters.failed,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Evaluates one statement for a message and returns the selected JSON; `None` if WHERE is not true. FROM is ignored.
///
/// # Errors
/// The statement cannot be parsed, or reads a payload that is not JSON.
pub fn evaluate(sql: &str, topic: &str, payload: &[u8], context: Context<'_>) -> Result<Option<Value>, EvaluateError> {
    let statement = Statement::parse(sql)?;
    let message = Incoming::new(topic, payload, context);
    if !statement.matches_where(&message)? {
        return Ok(None);
    }
    match statement.select(&message)? {
        Selected::Json(json) => Ok(Some(serde_json::from_str(&json).map_err(|_| EvalError::NotJson)?)),
        Selected::Bytes(_) => Err(EvalError::NotJson.into()),
    }
}
