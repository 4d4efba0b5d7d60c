//! AWS IoT SQL, version 2016-03-23: parsing and evaluation of statements.

mod ast;
mod calls;
mod eval;
mod functions;
mod lexer;
mod number;
mod operands;
mod operators;
mod parser;
mod patterns;
mod select;
mod template;
#[cfg(test)]
mod tests;
mod value;

use ast::{Expr, Selection};
use eval::Scope;
pub use eval::{Context, Incoming};
pub use template::Template;
use value::Value;

/// The supported version of AWS IoT SQL.
pub const SQL_VERSION: &str = "2016-03-23";

/// A syntax error in a statement or template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {position}: {reason}")]
pub struct SqlError {
    /// Position of the error in bytes, from 1.
    pub position: usize,
    /// The error at this position.
    pub reason: String,
}

impl SqlError {
    fn new(offset: usize, reason: impl Into<String>) -> Self {
        Self { position: offset + 1, reason: reason.into() }
    }
}

/// Why a statement cannot be evaluated for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// The payload is not JSON. Only `SELECT *` alone and `encode(*, 'base64')` accept such a payload.
    #[error("the payload is not JSON, and the SQL reads its attributes")]
    NotJson,
    /// `SELECT *, ..` requires a JSON object.
    #[error("the payload is not a JSON object, and the SQL adds attributes to it")]
    NotAnObject,
}

/// The result of SELECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selected<'a> {
    /// A JSON document.
    Json(String),
    /// The unchanged payload, which is not JSON.
    Bytes(&'a [u8]),
}

/// A parsed statement.
#[derive(Clone, Debug)]
pub struct Statement {
    selection: Selection,
    condition: Option<Expr>,
    /// The topic filter of FROM.
    pub filter: Option<String>,
}

impl Statement {
    /// Parses a statement.
    pub fn parse(sql: &str) -> Result<Self, SqlError> {
        let (selection, filter, condition) = select::statement(sql)?;
        Ok(Self { selection, condition, filter })
    }

    /// Whether WHERE is true for the message.
    pub fn matches_where(&self, message: &Incoming<'_>) -> Result<bool, EvalError> {
        Scope::new(message).condition_holds(self.condition.as_ref())
    }

    /// Evaluates SELECT.
    pub fn select<'a>(&self, message: &Incoming<'a>) -> Result<Selected<'a>, EvalError> {
        Ok(match Scope::new(message).select(&self.selection)? {
            Value::Bytes(bytes) => Selected::Bytes(bytes),
            // An undefined result has an empty payload.
            Value::Undefined => Selected::Bytes(b""),
            value => Selected::Json(value.to_json()),
        })
    }
}
