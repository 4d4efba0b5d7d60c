//! Conditions of policy statements: operators and their evaluation.
//!
//! Operators and sets of values: IAM user guide, "IAM JSON policy elements: Condition operators" and "Multivalued context
//! keys", of which AWS IoT Core policies take the operators for text, ARNs, truth values and absence.

use super::pattern::Pattern;

/// One key of a `Condition` block.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    key: String,
    operator: Operator,
    patterns: Vec<Pattern>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Operator {
    test: Test,
    quantifier: Quantifier,
    /// `...IfExists`: holds where the key has no value.
    if_exists: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Test {
    /// The value matches one of the patterns.
    Matches,
    /// The value matches none of the patterns.
    MatchesNone,
    /// `Null`: whether the key has no value.
    Absent,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Quantifier {
    /// The key has one value, or none.
    One,
    /// `ForAllValues:`, which holds where the key has no value.
    All,
    /// `ForAnyValue:`
    Any,
}

impl Operator {
    /// The operator of this name, and whether `*` and `?` of its values are wildcards. `None` if it is not supported.
    fn parse(name: &str) -> Option<(Self, bool)> {
        let (quantifier, name) = match name.split_once(':') {
            Some(("ForAllValues", name)) => (Quantifier::All, name),
            Some(("ForAnyValue", name)) => (Quantifier::Any, name),
            Some(_) => return None,
            None => (Quantifier::One, name),
        };
        let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
        let (test, wildcards) = match name {
            "Bool" | "StringEquals" => (Test::Matches, false),
            "StringNotEquals" => (Test::MatchesNone, false),
            "StringLike" | "ArnLike" | "ArnEquals" => (Test::Matches, true),
            "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => (Test::MatchesNone, true),
            "Null" if quantifier == Quantifier::One && !if_exists => (Test::Absent, false),
            _ => return None,
        };
        Some((Self { test, quantifier, if_exists }, wildcards))
    }
}

impl Condition {
    /// `None` if the operator is not supported. Without `variables`, `${` in a value is literal text.
    pub(super) fn parse(operator: &str, key: String, values: &[String], variables: bool) -> Option<Self> {
        let (operator, wildcards) = Operator::parse(operator)?;
        let parse = if wildcards { Pattern::parse } else { Pattern::literal };
        Some(Self { key, operator, patterns: values.iter().map(|value| parse(value, variables)).collect() })
    }

    /// `values` returns the values of a condition key or of a variable, none if it has none.
    pub(super) fn holds<'v>(&self, values: &impl Fn(&str) -> Vec<&'v str>) -> bool {
        let Operator { test, quantifier, if_exists } = self.operator;
        let found = values(&self.key);
        let variable = |name: &str| values(name).first().copied();
        let matches = |text: &&str| self.patterns.iter().any(|pattern| pattern.matches(text, variable));
        let holds_for = |text: &&str| matches(text) == (test == Test::Matches);
        match (test, quantifier) {
            (Test::Absent, _) => matches(&if found.is_empty() { "true" } else { "false" }),
            _ if found.is_empty() && if_exists => true,
            (_, Quantifier::All) => found.iter().all(holds_for),
            (_, Quantifier::Any) => found.iter().any(holds_for),
            // As in IAM, a key without a value is not equal to anything.
            (_, Quantifier::One) => found.first().map_or(test == Test::MatchesNone, holds_for),
        }
    }
}
