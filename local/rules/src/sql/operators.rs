//! Parses expressions: operators by precedence, from OR down to member access.

use super::ast::{Expr, Operator};
use super::lexer::Token;
use super::parser::{Parsed, Parser};

/// Bounds of an expression's tree, so that neither parsing nor evaluation overflows the stack.
const MAX_NODES: usize = 500;
const MAX_DEPTH: usize = 40;

impl Parser<'_> {
    pub fn expression(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.error(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        let parsed = self.or();
        self.depth -= 1;
        parsed
    }

    pub(super) fn count_node(&mut self, expr: Expr) -> Parsed<Expr> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            self.error(format!("longer than {MAX_NODES} operators and operands"))
        } else {
            Ok(expr)
        }
    }

    fn or(&mut self) -> Parsed<Expr> {
        let mut left = self.and()?;
        while self.take_keyword("or")? {
            left = Expr::Binary(Operator::Or, left.into(), self.and()?.into());
            left = self.count_node(left)?;
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expr> {
        let mut left = self.not()?;
        while self.take_keyword("and")? {
            left = Expr::Binary(Operator::And, left.into(), self.not()?.into());
            left = self.count_node(left)?;
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed<Expr> {
        let mut negations = 0;
        while self.take_keyword("not")? {
            negations += 1;
        }
        let mut expr = self.comparison()?;
        for _ in 0..negations {
            expr = self.count_node(Expr::Not(expr.into()))?;
        }
        Ok(expr)
    }

    fn comparison(&mut self) -> Parsed<Expr> {
        let mut left = self.sum()?;
        loop {
            let operator = match &self.token {
                Token::Symbol("=") => Operator::Equal,
                Token::Symbol("<>" | "!=") => Operator::NotEqual,
                Token::Symbol("<") => Operator::Less,
                Token::Symbol("<=") => Operator::LessOrEqual,
                Token::Symbol(">") => Operator::Greater,
                Token::Symbol(">=") => Operator::GreaterOrEqual,
                Token::Word(word) if word.eq_ignore_ascii_case("in") => Operator::In,
                _ => return Ok(left),
            };
            self.advance()?;
            left = Expr::Binary(operator, left.into(), self.sum()?.into());
            left = self.count_node(left)?;
        }
    }

    fn sum(&mut self) -> Parsed<Expr> {
        let mut left = self.product()?;
        loop {
            let operator = match &self.token {
                Token::Symbol("+") => Operator::Add,
                Token::Symbol("-") => Operator::Subtract,
                _ => return Ok(left),
            };
            self.advance()?;
            left = Expr::Binary(operator, left.into(), self.product()?.into());
            left = self.count_node(left)?;
        }
    }

    fn product(&mut self) -> Parsed<Expr> {
        let mut left = self.unary()?;
        loop {
            let operator = match &self.token {
                Token::Symbol("*") => Operator::Multiply,
                Token::Symbol("/") => Operator::Divide,
                Token::Symbol("%") => Operator::Remainder,
                _ => return Ok(left),
            };
            self.advance()?;
            left = Expr::Binary(operator, left.into(), self.unary()?.into());
            left = self.count_node(left)?;
        }
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let mut negations = 0;
        while self.take_symbol("-")? {
            negations += 1;
        }
        let mut expr = self.postfix()?;
        for _ in 0..negations {
            expr = self.count_node(Expr::Negative(expr.into()))?;
        }
        Ok(expr)
    }

    fn postfix(&mut self) -> Parsed<Expr> {
        let mut expr = self.primary()?;
        while self.take_symbol(".")? {
            expr = Expr::Member(expr.into(), self.name()?);
            expr = self.count_node(expr)?;
        }
        Ok(expr)
    }
}
