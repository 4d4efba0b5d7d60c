//! Substitution templates: `${expression}` in the fields of an action.

use super::ast::Expr;
use super::eval::{Incoming, Scope};
use super::lexer::Token;
use super::parser::Parser;
use super::{EvalError, SqlError};

/// A field with its expressions parsed.
#[derive(Clone, Debug)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Expression(Expr),
}

impl Template {
    /// Reads a field.
    pub fn parse(text: &str) -> Result<Self, SqlError> {
        let mut parts = Vec::new();
        let mut position = 0;
        while let Some((before, after)) = text.get(position..).and_then(|rest| rest.split_once("${")) {
            parts.push(Part::Text(before.to_owned()));
            let mut parser = Parser::new(text, text.len() - after.len())?;
            parts.push(Part::Expression(parser.expression()?));
            if *parser.token() != Token::Sign("}") {
                return parser.unexpected("}");
            }
            position = parser.position();
        }
        parts.push(Part::Text(text.get(position..).unwrap_or_default().to_owned()));
        Ok(Self(parts))
    }

    /// The field for one message: expressions see the original payload, and what is undefined leaves nothing.
    pub fn fill(&self, message: &Incoming<'_>) -> Result<String, EvalError> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Expression(expr) => {
                    filled.push_str(&Scope::new(message).eval(expr)?.to_text().unwrap_or_default());
                }
            }
        }
        Ok(filled)
    }
}
