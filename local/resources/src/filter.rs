//! Lambda's event filter patterns: which records a mapping passes to its function.

use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

/// Why a pattern is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

/// A pattern of `FilterCriteria`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(Fields);

/// Matches if every field matches, and one alternative of each `$or`.
#[derive(Clone, Debug, PartialEq)]
struct Fields {
    all: Vec<(String, Node)>,
    or: Vec<Vec<Fields>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Below(Fields),
    /// At least one test has to hold.
    Any(Vec<Test>),
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Is(Value),
    IgnoringCase(String),
    Prefix(String),
    Suffix(String),
    Exists(bool),
    Numeric(Vec<(Order, f64)>),
    Not(Vec<Test>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

impl Pattern {
    /// Reads a pattern as the template has it.
    ///
    /// # Errors
    /// The text is not JSON, or not a valid pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let value: Value = serde_json::from_str(text).map_err(|error| bad(format!("is not JSON: {error}")))?;
        let object = value.as_object().ok_or_else(|| bad("must be a JSON object"))?;
        fields(object, "").map(Self)
    }

    /// Whether a record matches.
    pub fn matches(&self, record: &Value) -> bool {
        self.0.match_object(record)
    }
}

fn bad(why: impl Into<String>) -> PatternError {
    PatternError(why.into())
}

fn fields(object: &Map<String, Value>, at: &str) -> Result<Fields, PatternError> {
    if object.is_empty() {
        return Err(bad(format!("{} is empty", if at.is_empty() { "the pattern" } else { at })));
    }
    let (mut all, mut or) = (Vec::new(), Vec::new());
    for (name, value) in object {
        let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        match value {
            Value::Array(ways) if name == "$or" => {
                let way = |way: &Value| {
                    fields(way.as_object().ok_or_else(|| bad(format!("{at} must be a list of objects")))?, &at)
                };
                if ways.len() < 2 {
                    return Err(bad(format!("{at} must have at least two alternatives")));
                }
                or.push(ways.iter().map(way).collect::<Result<_, _>>()?);
            }
            Value::Object(below) => all.push((name.clone(), Node::Below(fields(below, &at)?))),
            Value::Array(tests) if !tests.is_empty() => {
                let tests = tests.iter().map(|value| test(value, &at)).collect::<Result<_, _>>()?;
                all.push((name.clone(), Node::Any(tests)));
            }
            Value::Array(_) => return Err(bad(format!("{at} is an empty list"))),
            _ => return Err(bad(format!("{at} must be an object or a list, such as [{value}]"))),
        }
    }
    Ok(Fields { all, or })
}

fn test(value: &Value, at: &str) -> Result<Test, PatternError> {
    let Value::Object(object) = value else {
        return match value {
            Value::Array(_) => Err(bad(format!("{at} has a list in its list"))),
            literal => Ok(Test::Is(literal.clone())),
        };
    };
    let mut operators = object.iter();
    let (Some((operator, operand)), None) = (operators.next(), operators.next()) else {
        return Err(bad(format!("{at} must have one operator in each object")));
    };
    let text = || operand.as_str().map(str::to_owned).ok_or_else(|| bad(format!("{at}: {operator} takes a string")));
    Ok(match operator.as_str() {
        "exists" => Test::Exists(operand.as_bool().ok_or_else(|| bad(format!("{at}: exists takes true or false")))?),
        "prefix" => Test::Prefix(text()?),
        "suffix" => Test::Suffix(text()?),
        "equals-ignore-case" => Test::IgnoringCase(text()?.to_lowercase()),
        "numeric" => Test::Numeric(
            numeric(operand)
                .ok_or_else(|| bad(format!("{at}: numeric takes comparisons, such as [\">\", 0, \"<=\", 100]")))?,
        ),
        "anything-but" => {
            let list = match operand {
                Value::Array(values) => values.as_slice(),
                one => std::slice::from_ref(one),
            };
            let tests = list.iter().map(|value| test(value, at)).collect::<Result<Vec<_>, _>>()?;
            let inside =
                |test: &Test| matches!(test, Test::Is(_) | Test::Prefix(_) | Test::Suffix(_) | Test::IgnoringCase(_));
            if tests.is_empty() || !tests.iter().all(inside) {
                return Err(bad(format!("{at}: anything-but takes values, prefix, suffix or equals-ignore-case")));
            }
            Test::Not(tests)
        }
        other => {
            return Err(bad(format!(
                "{at}: {other} is no operator; exists, prefix, suffix, equals-ignore-case, numeric or anything-but would be right"
            )));
        }
    })
}

fn numeric(operand: &Value) -> Option<Vec<(Order, f64)>> {
    let (pairs, []) = operand.as_array()?.as_chunks::<2>() else { return None };
    let pair = |[order, number]: &[Value; 2]| {
        let order = match order.as_str()? {
            "<" => Order::Less,
            "<=" => Order::AtMost,
            "=" => Order::Equal,
            ">=" => Order::AtLeast,
            ">" => Order::More,
            _ => return None,
        };
        Some((order, number.as_f64()?))
    };
    let pairs: Vec<_> = pairs.iter().map(pair).collect::<Option<_>>()?;
    (1..=2).contains(&pairs.len()).then_some(pairs)
}

impl Fields {
    fn match_object(&self, value: &Value) -> bool {
        let all = self.all.iter().all(|(name, node)| node.matches(value.get(name)));
        all && self.or.iter().all(|ways| ways.iter().any(|way| way.match_object(value)))
    }
}

impl Node {
    fn matches(&self, value: Option<&Value>) -> bool {
        match self {
            // The fields of a missing object are missing too.
            Node::Below(fields) => match value {
                Some(Value::Array(values)) => values.iter().any(|value| fields.match_object(value)),
                value => fields.match_object(value.unwrap_or(&Value::Null)),
            },
            Node::Any(tests) => tests.iter().any(|test| match value {
                // One value of a list is enough.
                Some(Value::Array(values)) if !matches!(test, Test::Exists(_)) => {
                    values.iter().any(|value| test.holds(Some(value)))
                }
                value => test.holds(value),
            }),
        }
    }
}

impl Test {
    fn holds(&self, value: Option<&Value>) -> bool {
        let text = value.and_then(Value::as_str);
        match self {
            // `exists` holds for leaves only.
            Self::Exists(wanted) => value.is_some_and(|value| !value.is_object()) == *wanted,
            Self::Is(Value::Number(wanted)) => {
                value.and_then(Value::as_f64).is_some_and(|number| Some(number) == wanted.as_f64())
            }
            Self::Is(wanted) => value == Some(wanted),
            Self::IgnoringCase(wanted) => text.is_some_and(|text| text.to_lowercase() == *wanted),
            Self::Prefix(prefix) => text.is_some_and(|text| text.starts_with(prefix)),
            Self::Suffix(suffix) => text.is_some_and(|text| text.ends_with(suffix)),
            Self::Numeric(pairs) => value.and_then(Value::as_f64).is_some_and(|number| {
                pairs.iter().all(|(order, other)| match order {
                    Order::Less => number < *other,
                    Order::AtMost => number <= *other,
                    Order::Equal => number == *other,
                    Order::AtLeast => number >= *other,
                    Order::More => number > *other,
                })
            }),
            Self::Not(tests) => {
                value.is_some_and(|value| !value.is_object() && !tests.iter().any(|test| test.holds(Some(value))))
            }
        }
    }
}
