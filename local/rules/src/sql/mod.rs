//! AWS IoT SQL, version 2016-03-23: statements, and what they make of messages.

mod ast;
mod calls;
mod eval;
mod functions;
mod lexer;
mod number;
mod parser;
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

/// The one version that is stood in for.
pub const SQL_VERSION: &str = "2016-03-23";

/// What is wrong with a statement, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {position}: {why}")]
pub struct SqlError {
    /// Counted from 1, in bytes of the statement.
    pub position: usize,
    /// What is wrong there.
    pub why: String,
}

impl SqlError {
    fn new(offset: usize, why: impl Into<String>) -> Self {
        Self { position: offset + 1, why: why.into() }
    }
}

/// Why a statement makes nothing of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// Such a payload can only be taken whole: `SELECT *` alone, or `encode(*, 'base64')`.
    #[error("the payload is not JSON, and the SQL looks into it")]
    NotJson,
    /// `SELECT *, ..` adds to an object.
    #[error("the payload is not a JSON object, and the SQL adds to it")]
    NotAnObject,
}

/// What a statement made of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selected<'a> {
    /// A JSON document.
    Json(String),
    /// The payload, unchanged; not JSON.
    Bytes(&'a [u8]),
}

/// A statement, parsed.
#[derive(Clone, Debug)]
pub struct Statement {
    selection: Selection,
    condition: Option<Expr>,
    /// What stands after FROM.
    pub filter: Option<String>,
}

impl Statement {
    /// Reads a statement.
    pub fn parse(sql: &str) -> Result<Self, SqlError> {
        let (selection, filter, condition) = select::statement(sql)?;
        Ok(Self { selection, condition, filter })
    }

    /// Whether WHERE lets the message through.
    pub fn admits(&self, message: &Incoming<'_>) -> Result<bool, EvalError> {
        Scope::new(message).holds(self.condition.as_ref())
    }

    /// What SELECT makes of it.
    pub fn select<'a>(&self, message: &Incoming<'a>) -> Result<Selected<'a>, EvalError> {
        Ok(match Scope::new(message).select(&self.selection)? {
            Value::Bytes(bytes) => Selected::Bytes(bytes),
            // Undefined by itself is nothing at all.
            Value::Undefined => Selected::Bytes(b""),
            value => Selected::Json(value.to_json()),
        })
    }
}
