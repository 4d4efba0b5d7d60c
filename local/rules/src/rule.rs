//! One rule: what it wants, what it does, and where its failures go.

use data_encoding::BASE64;
use local_resources::TopicRule;
use serde_json::{Value, json};

use super::RuleError;
use super::action::{Action, Failure, Perform};
use super::filter::Filter;
use super::sql::{Incoming, SQL_VERSION, Selected, Statement};

/// A rule, parsed.
#[derive(Clone, Debug)]
pub struct Rule {
    pub name: String,
    statement: Statement,
    /// `None` where the rule is for Basic Ingest only.
    filter: Option<Filter>,
    actions: Vec<Action>,
    error_action: Option<Action>,
}

/// How a message went through a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// WHERE did not let it through.
    PassedOver,
    /// WHERE could not be evaluated.
    NotEvaluated,
    Done,
    /// At least one action failed; the error action has been told, if there is one.
    Failed,
}

impl Rule {
    /// Parses SQL and templates.
    pub fn new(rule: &TopicRule) -> Result<Self, RuleError> {
        let wrong = |why: String| RuleError { rule: rule.name.clone(), why };
        if rule.sql_version != SQL_VERSION {
            let found = &rule.sql_version;
            return Err(wrong(format!(
                "AwsIotSqlVersion is {found} (which it also is when unset); write {SQL_VERSION}"
            )));
        }
        let statement = Statement::parse(&rule.sql).map_err(|error| wrong(format!("{error}, in: {}", rule.sql)))?;
        let filter = statement.filter.as_deref().map(Filter::parse).transpose().map_err(wrong)?;
        let actions = rule.actions.iter().map(Action::new).collect::<Result<_, _>>().map_err(wrong)?;
        let error_action = rule.error_action.as_ref().map(Action::new).transpose().map_err(wrong)?;
        Ok(Self { name: rule.name.clone(), statement, filter, actions, error_action })
    }

    /// Whether FROM wants this topic.
    pub fn wants(&self, topic: &[&str]) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.matches(topic))
    }

    /// Evaluates the rule for one message and runs its actions.
    pub fn run(&self, message: &Incoming<'_>, published_topic: &str, perform: &Perform) -> Outcome {
        match self.statement.admits(message) {
            Ok(true) => {}
            Ok(false) => return Outcome::PassedOver,
            Err(error) => {
                tracing::warn!(rule = self.name, topic = published_topic, %error, "WHERE cannot be evaluated");
                return Outcome::NotEvaluated;
            }
        }
        let selected = self.statement.select(message);
        let failures: Vec<Failure> =
            self.actions.iter().filter_map(|action| action.run(&selected, message, perform).err()).collect();
        if failures.is_empty() {
            return Outcome::Done;
        }
        for failure in &failures {
            tracing::warn!(rule = self.name, topic = published_topic, action = failure.action, "{}", failure.message);
        }
        self.report(&failures, message, published_topic, perform);
        Outcome::Failed
    }

    /// One message per rule and message, however many actions failed.
    fn report(&self, failures: &[Failure], message: &Incoming<'_>, published_topic: &str, perform: &Perform) {
        let Some(action) = &self.error_action else { return };
        let report = json!({
            "ruleName": self.name,
            "topic": published_topic,
            "cloudwatchTraceId": message.context.trace_id,
            "clientId": message.context.client_id.unwrap_or("n/a"),
            "base64OriginalPayload": BASE64.encode(message.payload),
            "failures": failures.iter().map(Failure::report).collect::<Vec<Value>>(),
        });
        if let Err(failure) = action.run(&Ok(Selected::Json(report.to_string())), message, perform) {
            tracing::error!(rule = self.name, topic = published_topic, "error action: {}", failure.message);
        }
    }
}

impl Failure {
    fn report(&self) -> Value {
        json!({ "failedAction": self.action, "failedResource": self.resource, "errorMessage": self.message })
    }
}
