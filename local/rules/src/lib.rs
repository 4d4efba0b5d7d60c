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

pub use action::Effect;
use action::Perform;
use rule::{Outcome, Rule};
pub use sql::{Context, EvalError, SqlError};
use sql::{Incoming, Selected, Statement};

/// A handle on the engine; clones share it.
#[derive(Clone)]
pub struct Rules(Arc<Engine>);

struct Engine {
    account: String,
    rules: Vec<Rule>,
    perform: Box<Perform>,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    done: AtomicU64,
    failed: AtomicU64,
    not_evaluated: AtomicU64,
    rule_not_found: AtomicU64,
}

/// How often which outcome was seen, over all rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// A rule ran, and all its actions succeeded.
    pub done: u64,
    /// A rule ran, and at least one action failed.
    pub failed: u64,
    /// A WHERE clause looked into a payload that is not JSON.
    pub not_evaluated: u64,
    /// Basic Ingest for a rule that does not exist or is disabled.
    pub rule_not_found: u64,
}

/// Why a rule cannot be run: its name, and what is wrong where in its SQL.
#[derive(Debug, thiserror::Error)]
#[error("rule {rule}: {why}")]
pub struct RuleError {
    /// The rule's physical name.
    pub rule: String,
    /// What is wrong, and where.
    pub why: String,
}

/// Why [`evaluate`] has no answer.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The statement is wrong.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The message does not suit it.
    #[error(transparent)]
    Eval(#[from] EvalError),
}

impl Rules {
    /// Parses every rule. `perform` carries out each action of a rule, or says why it cannot.
    ///
    /// # Errors
    /// A rule has a syntax error, an unknown function, or another SQL version than `2016-03-23`.
    pub fn new(
        account: &str,
        rules: &[TopicRule],
        perform: impl Fn(Effect) -> Result<(), String> + Send + Sync + 'static,
    ) -> Result<Self, RuleError> {
        // A disabled rule is parsed too: its mistakes should not wait for the day that it is enabled.
        let parsed = rules.iter().map(|rule| Ok((rule.disabled, Rule::new(rule)?))).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(Arc::new(Engine {
            account: account.to_owned(),
            rules: parsed.into_iter().filter_map(|(disabled, rule)| (!disabled).then_some(rule)).collect(),
            perform: Box::new(perform),
            counters: Counters::default(),
        })))
    }

    /// Evaluates every rule for a message of the broker's tap.
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
                engine.run(engine.rules.iter().filter(|rule| rule.wants(&levels)), topic, published);
            }
        }
    }

    /// What has come of all messages so far.
    pub fn counts(&self) -> Counts {
        let counters = &self.0.counters;
        Counts {
            done: counters.done.load(Ordering::Relaxed),
            failed: counters.failed.load(Ordering::Relaxed),
            not_evaluated: counters.not_evaluated.load(Ordering::Relaxed),
            rule_not_found: counters.rule_not_found.load(Ordering::Relaxed),
        }
    }
}

impl Engine {
    /// Runs rules on one message, which they see under `topic`.
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
            let counter = match rule.run(&message, &published.message.topic, &*self.perform) {
                Outcome::PassedOver => continue,
                Outcome::NotEvaluated => &self.counters.not_evaluated,
                Outcome::Done => &self.counters.done,
                Outcome::Failed => &self.counters.failed,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What a statement selects from a message, as JSON: `None` where WHERE does not let it through. FROM is not looked at.
pub fn evaluate(sql: &str, topic: &str, payload: &[u8], context: Context<'_>) -> Result<Option<Value>, EvaluateError> {
    let statement = Statement::parse(sql)?;
    let message = Incoming::new(topic, payload, context);
    if !statement.admits(&message)? {
        return Ok(None);
    }
    match statement.select(&message)? {
        Selected::Json(json) => Ok(Some(serde_json::from_str(&json).map_err(|_| EvalError::NotJson)?)),
        Selected::Bytes(_) => Err(EvalError::NotJson.into()),
    }
}
