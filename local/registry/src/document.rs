//! Policy documents: parsed, checked, and asked.

use serde::{Deserialize, Serialize};

use super::pattern::Pattern;

/// The most characters a document may have, spaces not counted.
const LONGEST: usize = 2048;

/// A policy document that can be evaluated, with the text it was made from.
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

/// One key of a `Condition`: it holds if its value is, or is not, one of these.
#[derive(Clone, Debug, PartialEq)]
struct Condition {
    key: String,
    negated: bool,
    values: Vec<Pattern>,
}

/// Why a document is not accepted.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("Policy document is Malformed: {0}")]
    Json(#[from] serde_json::Error),
    #[error("Policy document is Malformed: Version {0} is neither 2012-10-17 nor 2008-10-17")]
    Version(String),
    #[error("Policy document is Malformed: it has {0} characters, and {LONGEST} are allowed")]
    Long(usize),
    #[error("Policy document is Malformed: {0}")]
    Action(String),
    #[error("Policy document is Malformed: condition operator {0} is not evaluated here")]
    Operator(String),
    #[error("Policy document is Malformed: condition key {0} is not evaluated here")]
    Key(String),
}

/// What a document says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Silent,
    Allowed,
    Denied,
}

mod wire {
    //! The document as it is written. What is not known must not pass for something weaker, so it is refused.

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
        pub statement: Many<Statement>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    pub(super) struct Statement {
        #[serde(rename = "Sid")]
        pub _sid: Option<String>,
        pub effect: Effect,
        pub action: Many<String>,
        pub resource: Many<String>,
        #[serde(default)]
        pub condition: BTreeMap<String, BTreeMap<String, Many<Scalar>>>,
    }

    #[derive(Deserialize)]
    pub(super) enum Effect {
        Allow,
        Deny,
    }

    /// A list; a single member may be written without brackets.
    pub(super) struct Many<T>(pub Vec<T>);

    #[derive(Deserialize)]
    #[serde(untagged)]
    pub(super) enum Scalar {
        Text(String),
        Bool(bool),
    }

    impl<'de, T: DeserializeOwned> Deserialize<'de> for Many<T> {
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
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        let length = text.chars().filter(|c| !c.is_whitespace()).count();
        if length > LONGEST {
            return Err(Malformed::Long(length));
        }
        let document: wire::Document = serde_json::from_str(&text)?;
        // As in IAM, only the later version of the language has variables.
        let variables = match document.version.as_deref() {
            Some("2012-10-17") => true,
            None | Some("2008-10-17") => false,
            Some(other) => return Err(Malformed::Version(other.to_owned())),
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

    /// A Deny outweighs every Allow. `value` gives the values of variables and condition keys.
    pub(super) fn verdict<'v>(&self, action: &str, arn: &str, value: impl Fn(&str) -> Option<&'v str>) -> Verdict {
        let action = action.to_ascii_lowercase();
        let mut verdict = Verdict::Silent;
        for statement in &self.statements {
            if statement.covers(&action, arn, &value) {
                if !statement.allows {
                    return Verdict::Denied;
                }
                verdict = Verdict::Allowed;
            }
        }
        verdict
    }
}

impl Statement {
    fn parse(statement: wire::Statement, variables: bool) -> Result<Self, Malformed> {
        let actions = statement.action.0;
        if let Some(action) = actions.iter().find(|action| *action != "*" && !action.contains(':')) {
            return Err(Malformed::Action(format!("{action} is not an action")));
        }
        let mut conditions = Vec::new();
        for (operator, keys) in statement.condition {
            let (negated, literal) = match operator.as_str() {
                "Bool" | "StringEquals" => (false, true),
                "StringNotEquals" => (true, true),
                "StringLike" => (false, false),
                "StringNotLike" => (true, false),
                _ => return Err(Malformed::Operator(operator)),
            };
            for (key, values) in keys {
                if !super::authorize::is_known(&key) {
                    return Err(Malformed::Key(key));
                }
                let parse = if literal { Pattern::literal } else { Pattern::parse };
                let values = values.0.into_iter().map(|value| parse(&value.into_text(), variables)).collect();
                conditions.push(Condition { key, negated, values });
            }
        }
        Ok(Self {
            allows: matches!(statement.effect, wire::Effect::Allow),
            actions: actions.iter().map(|action| Pattern::parse(&action.to_ascii_lowercase(), false)).collect(),
            resources: statement.resource.0.iter().map(|arn| Pattern::parse(arn, variables)).collect(),
            conditions,
        })
    }

    fn covers<'v>(&self, action: &str, arn: &str, value: &impl Fn(&str) -> Option<&'v str>) -> bool {
        self.actions.iter().any(|pattern| pattern.matches(action, |_| None))
            && self.resources.iter().any(|pattern| pattern.matches(arn, value))
            && self.conditions.iter().all(|condition| condition.holds(value))
    }
}

impl Condition {
    fn holds<'v>(&self, value: &impl Fn(&str) -> Option<&'v str>) -> bool {
        let found = value(&self.key).is_some_and(|text| self.values.iter().any(|pattern| pattern.matches(text, value)));
        found != self.negated
    }
}
