//! One rule: topic filter, SQL statement, actions, and the error action that reports failures.

use data_encoding::BASE64;
use local_resources::TopicRule;
use serde_json::{Value, json};

use super::RuleError;
use super::action::{Action, ActionFailure, ServiceCaller};
use super::filter::Filter;
use super::sql::{Incoming, SQL_VERSION, Selected, Statement};

/// A parsed rule.
#[derive(Clone, Debug)]
pub struct Rule {
    pub name: String,
    statement: Statement,
    /// `None` without FROM: the rule runs for Basic Ingest only.
    filter: Option<Filter>,
    actions: Vec<Action>,
    error_action: Option<Action>,
}

/// The result of running a rule on a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleOutcome {
    /// WHERE is not true.
    Filtered,
    /// WHERE cannot be evaluated.
    NotEvaluated,
    Succeeded,
    /// At least one action failed; the error action, if any, has run.
    Failed,
}

impl Rule {
    /// Parses the SQL and the templates of the actions.
    pub fn new(rule: &TopicRule) -> Result<Self, RuleError> {
        let rule_error = |reason: String| RuleError { rule: rule.name.clone(), reason };
        if rule.sql_version != SQL_VERSION {
            let found = &rule.sql_version;
            return Err(rule_error(format!(
                "AwsIotSqlVersion is {found} (the default when unset); set it to {SQL_VERSION}"
            )));
        }
        let statement =
            Statement::parse(&rule.sql).map_err(|error| rule_error(format!("{error}, in: {}", rule.sql)))?;
        let filter = statement.filter.as_deref().map(Filter::parse).transpose().map_err(rule_error)?;
        let actions = rule.actions.iter().map(Action::new).collect::<Result<_, _>>().map_err(rule_error)?;
        let error_action = rule.error_action.as_ref().map(Action::new).transpose().map_err(rule_error)?;
        Ok(Self { name: rule.name.clone(), statement, filter, actions, error_action })
    }

    /// Whether the FROM filter matches a topic, split at its slashes.
    pub fn matches_topic(&self, topic: &[&str]) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.matches(topic))
    }

    /// Evaluates the rule for one message and runs its actions.
    pub fn run(&self, message: &Incoming<'_>, published_topic: &str, call_service: &ServiceCaller) -> RuleOutcome {
        match self.statement.matches_where(message) {
            Ok(true) => {}
            Ok(false) => return RuleOutcome::Filtered,
            Err(error) => {
                tracing::warn!(rule = self.name, topic = published_topic, %error, "WHERE cannot be evaluated");
                return RuleOutcome::NotEvaluated;
            }
        }
        let selected = self.statement.select(message);
        let failures: Vec<ActionFailure> =
            self.actions.iter().filter_map(|action| action.run(&selected, message, call_service).err()).collect();
        if failures.is_empty() {
            return RuleOutcome::Succeeded;
        }
        for failure in &failures {
            tracing::warn!(rule = self.name, topic = published_topic, action = failure.action, "{}", failure.message);
        }
        self.run_error_action(&failures, message, published_topic, call_service);
        RuleOutcome::Failed
    }

    /// Runs the error action once, with all failures in one message.
    fn run_error_action(
        &self,
        failures: &[ActionFailure],
        message: &Incoming<'_>,
        published_topic: &str,
        call_service: &ServiceCaller,
    ) {
        let Some(action) = &self.error_action else { return };
        let report = json!({
            "ruleName": self.name,
            "topic": published_topic,
            "cloudwatchTraceId": message.context.trace_id,
            "clientId": message.context.client_id.unwrap_or("n/a"),
            "base64OriginalPayload": BASE64.encode(message.payload),
            "failures": failures.iter().map(ActionFailure::to_json).collect::<Vec<Value>>(),
        });
        if let Err(failure) = action.run(&Ok(Selected::Json(report.to_string())), message, call_service) {
            tracing::error!(rule = self.name, topic = published_topic, "error action: {}", failure.message);
        }
    }
}

impl ActionFailure {
    fn to_json(&self) -> Value {
        json!({ "failedAction": self.action, "failedResource": self.resource, "errorMessage": self.message })
    }
}
