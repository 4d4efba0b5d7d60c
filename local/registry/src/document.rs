//! Policy documents: parsing, validation and evaluation.

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::pattern::Pattern;

/// Maximum characters of a document, white space not counted (AWS IoT Core quotas).
const MAX_CHARS: usize = 2048;

/// A parsed policy document and its original text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Document {
    text: String,
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq)]
struct Statement {
    allows: bool,
    actions: Vec<Pattern>,
    resources: Vec<Pattern>,
    conditions: Vec<Condition>,
}

/// Reason for rejecting a policy document.
#[derive(Debug, thiserror::Error)]
pub(super) enum DocumentError {
    #[error("Policy document is Malformed: {0}")]
    Json(#[from] serde_json::Error),
    #[error("Policy document is Malformed: Version {0} is neither 2012-10-17 nor 2008-10-17")]
    Version(String),
    #[error("Policy document is Malformed: it has {0} characters, more than {MAX_CHARS}")]
    Long(usize),
    #[error("Policy document is Malformed: {0}")]
    Action(String),
    #[error("Policy document is Malformed: the local stack does not support condition operator {0}")]
    Operator(String),
    #[error("Policy document is Malformed: the local stack does not support condition key {0}")]
    Key(String),
}

/// Effect of a document on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// No statement matches.
    NoMatch,
    Allowed,
    Denied,
}

mod wire {
    //! JSON form of a policy document. Unknown fields are rejected: ignoring one could widen the permissions.

    use std::collections::BTreeMap;

    use serde::de::{DeserializeOwned, Error};
    use serde::{Deserialize, Deserializer};
    use serde_json::Value;

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    pub(super) struct Document {
        pub version: Option<String>,
        #[serde(rename = "Id")]
        pub _id: Option<String>,
        pub statement: OneOrMany<Statement>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    pub(super) struct Statement {
        #[serde(rename = "Sid")]
        pub _sid: Option<String>,
        pub effect: Effect,
        pub action: OneOrMany<String>,
        pub resource: OneOrMany<String>,
        #[serde(default)]
        pub condition: BTreeMap<String, BTreeMap<String, OneOrMany<Scalar>>>,
    }

    #[derive(Deserialize)]
    pub(super) enum Effect {
        Allow,
        Deny,
    }

    /// A list; JSON may hold a single member without brackets.
    pub(super) struct OneOrMany<T>(pub Vec<T>);

    #[derive(Deserialize)]
    #[serde(untagged)]
    pub(super) enum Scalar {
        Text(String),
        Bool(bool),
    }

    impl<'de, T: DeserializeOwned> Deserialize<'de> for OneOrMany<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let many = match Value::deserialize(deserializer)? {
                Value::Array(many) => many,
                one => vec![one],
            };
            many.into_iter()
                .map(|one| T::deserialize(one).map_err(D::Error::custom))
                .collect::<Result<_, _>>()
                .map(Self)
        }
    }

    impl Scalar {
        pub(super) fn into_text(self) -> String {
            match self {
                Self::Text(text) => text,
                Self::Bool(truth) => truth.to_string(),
            }
        }
    }
}

impl TryFrom<String> for Document {
    type Error = DocumentError;

    fn try_from(text: String) -> Result<Self, DocumentError> {
        let length = text.chars().filter(|c| !c.is_whitespace()).count();
        if length > MAX_CHARS {
            return Err(DocumentError::Long(length));
        }
        let document: wire::Document = serde_json::from_str(&text)?;
        // As in IAM, only version 2012-10-17 of the policy language has variables.
        let variables = match document.version.as_deref() {
            Some("2012-10-17") => true,
            None | Some("2008-10-17") => false,
            Some(other) => return Err(DocumentError::Version(other.to_owned())),
        };
        let statements = document.statement.0.into_iter().map(|statement| Statement::parse(statement, variables));
        Ok(Self { statements: statements.collect::<Result<_, _>>()?, text })
    }
}

impl From<Document> for String {
    fn from(document: Document) -> Self {
        document.text
    }
}

impl Document {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Evaluates all statements; Deny overrides Allow. `values` returns the values of a variable or a condition key.
    pub(super) fn evaluate<'v>(&self, action: &str, arn: &str, values: impl Fn(&str) -> Vec<&'v str>) -> Decision {
        let action = action.to_ascii_lowercase();
        let mut decision = Decision::NoMatch;
        for statement in &self.statements {
            if statement.covers(&action, arn, &values) {
                if !statement.allows {
                    return Decision::Denied;
                }
                decision = Decision::Allowed;
            }
        }
        decision
    }
}

impl Statement {
    fn parse(statement: wire::Statement, variables: bool) -> Result<Self, DocumentError> {
        let actions = statement.action.0;
        if let Some(action) = actions.iter().find(|action| *action != "*" && !action.contains(':')) {
            return Err(DocumentError::Action(format!("{action} is not an action")));
        }
        let mut conditions = Vec::new();
        for (operator, keys) in statement.condition {
            for (key, values) in keys {
                if !super::authorize::is_supported_key(&key) {
                    return Err(DocumentError::Key(key));
                }
                let values: Vec<String> = values.0.into_iter().map(wire::Scalar::into_text).collect();
                let condition = Condition::parse(&operator, key, &values, variables);
                conditions.push(condition.ok_or_else(|| DocumentError::Operator(operator.clone()))?);
            }
        }
        Ok(Self {
            allows: matches!(statement.effect, wire::Effect::Allow),
            actions: actions.iter().map(|action| Pattern::parse(&action.to_ascii_lowercase(), false)).collect(),
            resources: statement.resource.0.iter().map(|arn| Pattern::parse(arn, variables)).collect(),
            conditions,
        })
    }

    fn covers<'v>(&self, action: &str, arn: &str, values: &impl Fn(&str) -> Vec<&'v str>) -> bool {
        let variable = |name: &str| values(name).first().copied();
        self.actions.iter().any(|pattern| pattern.matches(action, |_| None))
            && self.resources.iter().any(|pattern| pattern.matches(arn, variable))
            && self.conditions.iter().all(|condition| condition.holds(values))
    }
}
