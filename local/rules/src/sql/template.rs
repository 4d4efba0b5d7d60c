//! Substitution templates: `${expression}` in the fields of an action.

use super::ast::Expr;
use super::eval::{Incoming, Scope};
use super::lexer::Token;
use super::parser::Parser;
use super::{EvalError, SqlError};

/// A parsed template.
#[derive(Clone, Debug)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Expression(Expr),
}

impl Template {
    /// Parses a template.
    pub fn parse(text: &str) -> Result<Self, SqlError> {
        let mut parts = Vec::new();
        let mut position = 0;
        while let Some((before, after)) = text.get(position..).and_then(|rest| rest.split_once("${")) {
            parts.push(Part::Text(before.to_owned()));
            let mut parser = Parser::new(text, text.len() - after.len())?;
            parts.push(Part::Expression(parser.expression()?));
            if *parser.token() != Token::Symbol("}") {
                return parser.unexpected("}");
            }
            position = parser.position();
        }
        parts.push(Part::Text(text.get(position..).unwrap_or_default().to_owned()));
        Ok(Self(parts))
    }

    /// Fills in the template for one message. Expressions read the original payload; undefined ones become empty text.
    pub fn fill(&self, message: &Incoming<'_>) -> Result<String, EvalError> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Expression(expr) => {
                    filled.push_str(&Scope::new(message).evaluate(expr)?.to_text().unwrap_or_default());
                }
            }
        }
        Ok(filled)
    }
}
