//! Parses the operands of expressions: literals, names, arrays, objects, function calls, `cast`, CASE.

use super::SqlError;
use super::ast::{Expr, Type};
use super::functions::Function;
use super::lexer::Token;
use super::number::Number;
use super::parser::{Parsed, Parser};

/// Keywords: they end an expression and are not attribute names.
const KEYWORDS: [&str; 15] =
    ["select", "from", "where", "as", "and", "or", "not", "in", "case", "when", "then", "else", "end", "is", "like"];

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Parsed<Expr> {
        let start = self.token_start;
        let expr = match self.token.clone() {
            Token::Number(text) => {
                self.advance()?;
                let out_of_range = || SqlError::new(start, format!("{text} is out of range"));
                Expr::Number(Number::parse(&text).ok_or_else(out_of_range)?)
            }
            Token::Text(text) => {
                self.advance()?;
                Expr::Text(text)
            }
            Token::Symbol("*") => {
                self.advance()?;
                Expr::Payload
            }
            Token::Symbol("(") => {
                self.advance()?;
                let inner = if self.is_keyword("select") { self.query()? } else { self.expression()? };
                self.require_symbol(")")?;
                inner
            }
            Token::Symbol("[") => {
                self.advance()?;
                Expr::Array(self.list("]", Self::expression)?)
            }
            Token::Symbol("{") => {
                self.advance()?;
                Expr::Object(self.list("}", Self::member)?)
            }
            Token::Word(word) => {
                if KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(&word) && *keyword != "case") {
                    return self.unexpected("a value");
                }
                self.advance()?;
                self.word(word, start)?
            }
            _ => return self.unexpected("a value"),
        };
        self.count_node(expr)
    }

    fn word(&mut self, word: String, start: usize) -> Parsed<Expr> {
        let lower = word.to_ascii_lowercase();
        if matches!(self.token, Token::Symbol("(")) {
            self.advance()?;
            return if lower == "cast" { self.cast() } else { self.call(&word, start) };
        }
        Ok(match lower.as_str() {
            "true" => Expr::Bool(true),
            "false" => Expr::Bool(false),
            "null" => Expr::Null,
            "undefined" => Expr::Undefined,
            "case" => return self.case(),
            _ => Expr::Name(word),
        })
    }

    fn call(&mut self, name: &str, start: usize) -> Parsed<Expr> {
        let function = Function::by_name(name).map_err(|reason| SqlError::new(start, reason))?;
        let arguments = self.list(")", Self::expression)?;
        match function.argument_error(&arguments) {
            Some(reason) => Err(SqlError::new(start, reason)),
            None => Ok(Expr::Call(function, arguments)),
        }
    }

    fn cast(&mut self) -> Parsed<Expr> {
        let value = self.expression()?;
        self.require_keyword("as")?;
        let target = match self.token.clone() {
            Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                "string" | "nvarchar" | "text" | "ntext" | "varchar" => Type::Text,
                "int" | "integer" => Type::Int,
                "decimal" | "double" => Type::Decimal,
                "bool" | "boolean" => Type::Bool,
                _ => return self.unexpected("String, Int, Decimal or Boolean"),
            },
            _ => return self.unexpected("String, Int, Decimal or Boolean"),
        };
        self.advance()?;
        self.require_symbol(")")?;
        Ok(Expr::Cast(value.into(), target))
    }

    fn case(&mut self) -> Parsed<Expr> {
        if self.is_keyword("when") {
            return self.error("expected CASE value WHEN ..; for conditions write CASE true WHEN condition THEN ..");
        }
        let subject = self.expression()?.into();
        let mut arms = Vec::new();
        while self.take_keyword("when")? {
            let candidate = self.expression()?;
            self.require_keyword("then")?;
            arms.push((candidate, self.expression()?));
        }
        if arms.is_empty() {
            return self.unexpected("WHEN");
        }
        let otherwise = if self.take_keyword("else")? { Some(self.expression()?.into()) } else { None };
        self.require_keyword("end")?;
        Ok(Expr::Case { subject, arms, otherwise })
    }

    fn member(&mut self) -> Parsed<(String, Expr)> {
        let Token::Text(key) = self.token.clone() else { return self.unexpected("a key in quotes") };
        self.advance()?;
        self.require_symbol(":")?;
        Ok((key, self.expression()?))
    }

    /// A comma-separated list, up to and including the closing symbol.
    fn list<T>(&mut self, close: &str, mut one: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        if self.take_symbol(close)? {
            return Ok(items);
        }
        loop {
            items.push(one(self)?);
            if self.take_symbol(close)? {
                return Ok(items);
            }
            if !self.take_symbol(",")? {
                return self.unexpected(&format!(", or {close}"));
            }
        }
    }
}
