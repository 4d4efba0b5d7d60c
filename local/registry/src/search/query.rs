//! A parsed query and its evaluation against index documents.

use std::cmp::Ordering;

use super::document::Document;
use super::lexer::{Letter, Word};

/// A query as a tree of clauses.
#[derive(Debug, PartialEq)]
pub(super) enum Query {
    Any(Vec<Query>),
    All(Vec<Query>),
    Not(Box<Query>),
    Term(Field, Test),
}

/// Field that a term is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Field {
    /// Every registry field; the term names no field.
    Any,
    ThingName,
    ThingId,
    ThingTypeName,
    /// Groups that the thing is a direct member of; parent groups are not included.
    ThingGroupNames,
    Attribute(String),
    Connected,
    Timestamp,
    DisconnectReason,
}

/// Condition on a value. Texts are compared without regard to case.
#[derive(Debug, PartialEq)]
pub(super) enum Test {
    Like(Vec<Letter>),
    Numbers(Option<(f64, bool)>, Option<(f64, bool)>),
    Texts(Option<(String, bool)>, Option<(String, bool)>),
}

/// Bound of a range.
pub(super) struct Bound {
    pub text: String,
    pub inclusive: bool,
}

impl Query {
    pub fn parse(query: &str) -> Result<Self, String> {
        super::parser::parse(query)
    }

    pub fn matches(&self, document: &Document<'_>) -> bool {
        match self {
            Self::Any(alternatives) => alternatives.iter().any(|alternative| alternative.matches(document)),
            Self::All(clauses) => clauses.iter().all(|clause| clause.matches(document)),
            Self::Not(clause) => !clause.matches(document),
            Self::Term(Field::Any, Test::Like(letters)) if letters[..] == [Letter::Many] => true,
            Self::Term(field, test) => document.any_value(field, |value| test.holds(value)),
        }
    }
}

impl Field {
    /// The field of a name; names are case-sensitive.
    pub fn named(word: &Word) -> Result<Self, String> {
        let name = word.text().ok_or("a field name must not contain wildcards")?;
        Ok(match name.as_str() {
            "thingName" => Self::ThingName,
            "thingId" => Self::ThingId,
            "thingTypeName" => Self::ThingTypeName,
            "thingGroupNames" => Self::ThingGroupNames,
            "connectivity.connected" => Self::Connected,
            "connectivity.timestamp" => Self::Timestamp,
            "connectivity.disconnectReason" => Self::DisconnectReason,
            other => match other.strip_prefix("attributes.").filter(|attribute| !attribute.is_empty()) {
                Some(attribute) => Self::Attribute(attribute.to_owned()),
                None => return Err(format!("the local stack does not index the field {other}")),
            },
        })
    }
}

impl Test {
    /// A range of numbers if both bounds are unquoted numbers, else a range of texts.
    pub fn range(from: Option<Bound>, to: Option<Bound>, quoted: bool) -> Self {
        let number = |end: &Bound| end.text.parse::<f64>().ok().filter(|number| number.is_finite());
        let numbers = !quoted && [&from, &to].into_iter().flatten().all(|end| number(end).is_some());
        if numbers {
            let end = |end: Option<Bound>| end.and_then(|end| Some((number(&end)?, end.inclusive)));
            return Self::Numbers(end(from), end(to));
        }
        let end = |end: Option<Bound>| end.map(|end| (end.text.to_lowercase(), end.inclusive));
        Self::Texts(end(from), end(to))
    }

    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Like(letters) => matches_wildcards(letters, value),
            Self::Numbers(from, to) => {
                value.parse::<f64>().is_ok_and(|value| within(from.as_ref(), to.as_ref(), |end| value.partial_cmp(end)))
            }
            Self::Texts(from, to) => {
                let value = value.to_lowercase();
                within(from.as_ref(), to.as_ref(), |end| Some(value.as_str().cmp(end.as_str())))
            }
        }
    }
}

fn within<T>(from: Option<&(T, bool)>, to: Option<&(T, bool)>, compare: impl Fn(&T) -> Option<Ordering>) -> bool {
    let after = from.is_none_or(|(end, inclusive)| match compare(end) {
        Some(Ordering::Greater) => true,
        Some(Ordering::Equal) => *inclusive,
        _ => false,
    });
    after
        && to.is_none_or(|(end, inclusive)| match compare(end) {
            Some(Ordering::Less) => true,
            Some(Ordering::Equal) => *inclusive,
            _ => false,
        })
}

/// Whether the letters match the whole value. Backtracks to the last `*` only, so that time is at most the product of
/// the lengths.
fn matches_wildcards(letters: &[Letter], value: &str) -> bool {
    let value: Vec<char> = value.chars().collect();
    let (mut at, mut letter) = (0, 0);
    let mut retry = None;
    while at < value.len() {
        match (letters.get(letter), value.get(at)) {
            (Some(Letter::Many), _) => {
                retry = Some((letter, at));
                letter += 1;
            }
            (Some(Letter::One), _) => (letter, at) = (letter + 1, at + 1),
            (Some(Letter::Exact(wanted)), Some(found)) if equals_ignoring_case(*wanted, *found) => {
                (letter, at) = (letter + 1, at + 1)
            }
            _ => {
                let Some((star, from)) = retry else { return false };
                retry = Some((star, from + 1));
                (letter, at) = (star + 1, from + 1);
            }
        }
    }
    letters.iter().skip(letter).all(|letter| *letter == Letter::Many)
}

fn equals_ignoring_case(wanted: char, found: char) -> bool {
    wanted == found || wanted.to_lowercase().eq(found.to_lowercase())
}
