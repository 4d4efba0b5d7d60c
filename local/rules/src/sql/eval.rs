//! Evaluates SELECT clauses, WHERE clauses and expressions for one message.

use std::cell::OnceCell;
use std::cmp::Ordering;

use serde_json::value::RawValue;

use super::ast::{Expr, Item, Operator, Query, Selection, Type};
use super::number::Number;
use super::value::Value;
use super::{EvalError, calls};

type Evaluated<'a> = Result<Value<'a>, EvalError>;

/// Data of a message besides topic and payload.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The MQTT client id; `None` for messages from HTTP and from AWS services.
    pub client_id: Option<&'a str>,
    /// The certificate id of the publisher's connection, if any.
    pub principal: Option<&'a str>,
    /// The AWS account id.
    pub account: &'a str,
    /// Time of publication, in milliseconds since 1970.
    pub at_ms: i64,
    /// Trace id of the message, the same for all rules.
    pub trace_id: &'a str,
}

/// A message that statements are evaluated for.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The topic without a Basic Ingest prefix.
    pub topic: &'a str,
    pub payload: &'a [u8],
    pub context: Context<'a>,
    json: OnceCell<Option<&'a str>>,
}

impl<'a> Incoming<'a> {
    pub fn new(topic: &'a str, payload: &'a [u8], context: Context<'a>) -> Self {
        Self { topic, payload, context, json: OnceCell::new() }
    }

    /// The payload if it is JSON. Validated once for all rules.
    pub fn json(&self) -> Option<&'a str> {
        *self.json.get_or_init(|| serde_json::from_slice::<&RawValue>(self.payload).ok().map(RawValue::get))
    }

    fn payload(&self) -> Value<'a> {
        self.json().map_or(Value::Bytes(self.payload), |json| Value::Json(json.into()))
    }
}

/// The value in which names are resolved: the payload, or the item of a nested query.
pub struct Scope<'s, 'a> {
    pub message: &'s Incoming<'a>,
    item: Option<Value<'a>>,
}

impl<'s, 'a> Scope<'s, 'a> {
    pub fn new(message: &'s Incoming<'a>) -> Self {
        Self { message, item: None }
    }

    fn root(&self) -> Value<'a> {
        self.item.clone().unwrap_or_else(|| self.message.payload())
    }

    /// The root; an error if it is not JSON.
    fn json_root(&self) -> Evaluated<'a> {
        match self.root() {
            Value::Bytes(_) => Err(EvalError::NotJson),
            root => Ok(root),
        }
    }

    pub fn select(&self, selection: &Selection) -> Evaluated<'a> {
        let items = match selection {
            Selection::Payload => return Ok(self.root()),
            Selection::Value(expr) => return self.evaluate(expr),
            Selection::Items(items) => items,
        };
        let mut members = Vec::new();
        for item in items {
            match item {
                Item::All => match self.json_root()?.parse_shallow() {
                    Value::Object(own) if members.is_empty() => members = own,
                    Value::Object(own) => {
                        own.into_iter().for_each(|(key, value)| Value::set(&mut members, &[key], value));
                    }
                    _ => return Err(EvalError::NotAnObject),
                },
                Item::Named(path, expr) => {
                    let value = self.evaluate(expr)?;
                    if !value.is_undefined() {
                        Value::set(&mut members, path, value);
                    }
                }
            }
        }
        Ok(Value::Object(members))
    }

    pub fn condition_holds(&self, condition: Option<&Expr>) -> Result<bool, EvalError> {
        condition.map_or(Ok(true), |condition| Ok(self.evaluate(condition)?.to_bool() == Some(true)))
    }

    pub fn evaluate(&self, expr: &Expr) -> Evaluated<'a> {
        Ok(match expr {
            Expr::Undefined => Value::Undefined,
            Expr::Null => Value::Null,
            Expr::Bool(b) => Value::Bool(*b),
            Expr::Number(n) => Value::Number(n.clone()),
            Expr::Text(text) => Value::text(text.clone()),
            Expr::Payload => self.root(),
            Expr::Name(name) => self.json_root()?.member(name),
            Expr::Member(of, name) => self.evaluate(of)?.member(name),
            Expr::Not(of) => self.evaluate(of)?.to_bool().map_or(Value::Undefined, |b| Value::Bool(!b)),
            Expr::Negative(of) => number_or_undefined(self.evaluate(of)?.to_number().map(|n| n.negative())),
            Expr::Binary(operator, a, b) => evaluate_binary(*operator, &self.evaluate(a)?, &self.evaluate(b)?),
            Expr::Case { subject, arms, otherwise } => self.evaluate_case(subject, arms, otherwise.as_deref())?,
            Expr::Array(items) => Value::Array(items.iter().map(|item| self.evaluate(item)).collect::<Result<_, _>>()?),
            Expr::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), self.evaluate(value)?)))
                    .collect::<Result<_, _>>()?,
            ),
            Expr::Call(function, arguments) => {
                let arguments = arguments.iter().map(|a| self.evaluate(a)).collect::<Result<Vec<_>, _>>()?;
                calls::call(*function, &arguments, self.message)
            }
            Expr::Cast(value, target) => evaluate_cast(self.evaluate(value)?.parse_shallow(), *target),
            Expr::Query(query) => self.evaluate_query(query)?,
        })
    }

    fn evaluate_case(&self, subject: &Expr, arms: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Evaluated<'a> {
        let subject = self.evaluate(subject)?;
        if subject.is_undefined() {
            return Ok(Value::Undefined);
        }
        for (candidate, result) in arms {
            if subject.equals(&self.evaluate(candidate)?) == Some(true) {
                return self.evaluate(result);
            }
        }
        otherwise.map_or(Ok(Value::Undefined), |otherwise| self.evaluate(otherwise))
    }

    /// A nested query: over an array, the array of the results of its items; over another value, its result.
    fn evaluate_query(&self, query: &Query) -> Evaluated<'a> {
        let one = |item: Value<'a>| {
            let scope = Scope { message: self.message, item: Some(item) };
            let holds = scope.condition_holds(query.condition.as_ref())?;
            if holds { scope.select(&query.selection) } else { Ok(Value::Undefined) }
        };
        match self.evaluate(&query.from)?.parse_shallow() {
            Value::Undefined => Ok(Value::Undefined),
            Value::Array(items) => {
                let results = items.into_iter().map(one).collect::<Result<Vec<_>, _>>()?;
                Ok(Value::Array(results.into_iter().filter(|result| !result.is_undefined()).collect()))
            }
            single => one(single),
        }
    }
}

pub fn number_or_undefined<'a>(n: Option<Number>) -> Value<'a> {
    n.map_or(Value::Undefined, Value::Number)
}

fn evaluate_binary<'a>(operator: Operator, a: &Value<'a>, b: &Value<'a>) -> Value<'a> {
    let truth = |b: Option<bool>| b.map_or(Value::Undefined, Value::Bool);
    let both = || Some((a.to_bool()?, b.to_bool()?));
    let numbers = || Some((a.to_number()?, b.to_number()?));
    let ordered = |predicate: fn(Ordering) -> bool| truth(numbers().map(|(a, b)| predicate(a.compare(&b))));
    let computed = |compute: fn(&Number, &Number) -> Option<Number>| {
        number_or_undefined(numbers().and_then(|(a, b)| compute(&a, &b)))
    };
    match operator {
        Operator::Or => truth(both().map(|(a, b)| a || b)),
        Operator::And => truth(both().map(|(a, b)| a && b)),
        Operator::Equal => truth(a.equals(b)),
        Operator::NotEqual => truth(a.equals(b).map(|same| !same)),
        Operator::Less => ordered(Ordering::is_lt),
        Operator::LessOrEqual => ordered(Ordering::is_le),
        Operator::Greater => ordered(Ordering::is_gt),
        Operator::GreaterOrEqual => ordered(Ordering::is_ge),
        Operator::In => match (a.is_undefined(), b.clone().parse_shallow()) {
            (false, Value::Array(items)) => Value::Bool(items.iter().any(|item| a.equals(item) == Some(true))),
            _ => Value::Undefined,
        },
        Operator::Add => match (a.clone().parse_shallow(), b.clone().parse_shallow()) {
            (a @ Value::Text(_), b) | (a, b @ Value::Text(_)) => match (a.to_text(), b.to_text()) {
                (Some(a), Some(b)) => Value::text(format!("{a}{b}")),
                _ => Value::Undefined,
            },
            _ => computed(Number::plus),
        },
        Operator::Subtract => computed(Number::minus),
        Operator::Multiply => computed(Number::times),
        Operator::Divide => computed(Number::divided_by),
        Operator::Remainder => computed(Number::remainder),
    }
}

fn evaluate_cast(value: Value<'_>, target: Type) -> Value<'_> {
    let as_number = |value: &Value<'_>| match value {
        Value::Bool(b) => Some(Number::from(i64::from(*b))),
        other => other.to_number(),
    };
    match target {
        Type::Text => value.to_text().map_or(Value::Undefined, Value::Text),
        Type::Int => number_or_undefined(as_number(&value).map(|n| n.floor())),
        Type::Decimal => number_or_undefined(as_number(&value)),
        Type::Bool => match &value {
            Value::Number(n) => Value::Bool(!n.is_zero()),
            other => other.to_bool().map_or(Value::Undefined, Value::Bool),
        },
    }
}
