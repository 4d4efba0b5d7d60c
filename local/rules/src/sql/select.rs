//! Parses statements: SELECT list, FROM, WHERE, nested queries.

use super::ast::{Expr, Item, Query, Selection};
use super::lexer::Token;
use super::parser::{Parsed, Parser};

/// Parses a statement into selection, topic filter (absent in a rule for Basic Ingest only) and condition.
pub fn statement(text: &str) -> Parsed<(Selection, Option<String>, Option<Expr>)> {
    let mut parser = Parser::new(text, 0)?;
    parser.require_keyword("select")?;
    let selection = parser.selection()?;
    let filter = match parser.take_keyword("from")? {
        true => Some(parser.filter()?),
        false => None,
    };
    let condition = parser.condition()?;
    match parser.token() {
        Token::End => Ok((selection, filter, condition)),
        _ => parser.unexpected("FROM, WHERE or the end"),
    }
}

impl Parser<'_> {
    fn filter(&mut self) -> Parsed<String> {
        match self.token().clone() {
            Token::Text(filter) => {
                self.advance()?;
                Ok(filter)
            }
            _ => self.unexpected("a topic filter in quotes"),
        }
    }

    fn condition(&mut self) -> Parsed<Option<Expr>> {
        if self.take_keyword("where")? { self.expression().map(Some) } else { Ok(None) }
    }

    /// Parses a nested SELECT after `(`. Its FROM is an expression.
    pub fn query(&mut self) -> Parsed<Expr> {
        self.require_keyword("select")?;
        let selection = self.selection()?;
        self.require_keyword("from")?;
        let from = self.expression()?;
        let condition = self.condition()?;
        Ok(Expr::Query(Box::new(Query { selection, from, condition })))
    }

    fn selection(&mut self) -> Parsed<Selection> {
        if self.is_value_keyword()? {
            self.advance()?;
            return Ok(Selection::Value(self.expression()?));
        }
        let mut items = vec![self.item()?];
        while self.take_symbol(",")? {
            items.push(self.item()?);
        }
        Ok(match items.as_slice() {
            [Item::All] => Selection::Payload,
            _ => Selection::Items(items),
        })
    }

    /// `VALUE` is a keyword only where an expression follows; `SELECT value FROM` names an attribute.
    fn is_value_keyword(&self) -> Parsed<bool> {
        if !self.is_keyword("value") {
            return Ok(false);
        }
        let mut ahead = self.clone();
        ahead.advance()?;
        Ok(match ahead.token() {
            Token::Text(_) | Token::Number(_) | Token::Symbol("(" | "[" | "{") => true,
            Token::Word(word) => {
                !["from", "where", "as", "and", "or", "in"].iter().any(|w| w.eq_ignore_ascii_case(word))
            }
            Token::Symbol("*") => {
                ahead.advance()?;
                ahead.is_keyword("from") || ahead.is_keyword("where") || *ahead.token() == Token::End
            }
            _ => false,
        })
    }

    fn item(&mut self) -> Parsed<Item> {
        if self.take_symbol("*")? {
            return Ok(Item::All);
        }
        let expr = self.expression()?;
        if self.take_keyword("as")? {
            let mut path = vec![self.name()?];
            while self.take_symbol(".")? {
                path.push(self.name()?);
            }
            return Ok(Item::Named(path, expr));
        }
        match &expr {
            Expr::Name(name) | Expr::Member(_, name) => Ok(Item::Named(vec![name.clone()], expr)),
            _ => self.unexpected("AS and a name"),
        }
    }
}
