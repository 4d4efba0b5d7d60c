//! Statements and expressions from their tokens, by recursive descent.

use super::SqlError;
use super::ast::{Expr, Operator, Type};
use super::functions::Function;
use super::lexer::{Lexer, Token};
use super::number::Number;

/// No rule needs more, and a tree this small cannot overflow a stack.
const NODES: usize = 500;
const DEPTH: usize = 40;

/// Words that end an expression and so name no attribute.
const KEYWORDS: [&str; 15] =
    ["select", "from", "where", "as", "and", "or", "not", "in", "case", "when", "then", "else", "end", "is", "like"];

type Parsed<T> = Result<T, SqlError>;

/// Reads one statement or expression.
#[derive(Clone)]
pub struct Parser<'s> {
    lexer: Lexer<'s>,
    token: Token,
    /// Where `token` begins.
    at: usize,
    nodes: usize,
    depth: usize,
}

impl<'s> Parser<'s> {
    pub fn new(text: &'s str, position: usize) -> Parsed<Self> {
        let mut lexer = Lexer::new(text, position);
        let (at, token) = lexer.next()?;
        Ok(Self { lexer, token, at, nodes: 0, depth: 0 })
    }

    /// Where the current token ends.
    pub fn position(&self) -> usize {
        self.lexer.position()
    }

    pub fn token(&self) -> &Token {
        &self.token
    }

    pub fn advance(&mut self) -> Parsed<Token> {
        let (at, token) = self.lexer.next()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, token))
    }

    pub fn unexpected<T>(&self, wanted: &str) -> Parsed<T> {
        let found = match &self.token {
            Token::End => "the end".to_owned(),
            Token::Word(word) | Token::Number(word) => word.clone(),
            Token::Text(text) => format!("'{text}'"),
            Token::Sign(sign) => (*sign).to_owned(),
        };
        Err(SqlError::new(self.at, format!("expected {wanted}, found {found}")))
    }

    pub fn error<T>(&self, why: impl Into<String>) -> Parsed<T> {
        Err(SqlError::new(self.at, why))
    }

    pub fn is_keyword(&self, keyword: &str) -> bool {
        matches!(&self.token, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    pub fn take_keyword(&mut self, keyword: &str) -> Parsed<bool> {
        let found = self.is_keyword(keyword);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub fn take(&mut self, sign: &str) -> Parsed<bool> {
        let found = matches!(&self.token, Token::Sign(found) if *found == sign);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub fn need(&mut self, sign: &str) -> Parsed<()> {
        if self.take(sign)? { Ok(()) } else { self.unexpected(sign) }
    }

    pub fn need_keyword(&mut self, keyword: &str) -> Parsed<()> {
        if self.take_keyword(keyword)? { Ok(()) } else { self.unexpected(&keyword.to_ascii_uppercase()) }
    }

    /// A word after a dot or AS: there even keywords are names.
    pub fn name(&mut self) -> Parsed<String> {
        match self.token.clone() {
            Token::Word(word) => {
                self.advance()?;
                Ok(word)
            }
            _ => self.unexpected("a name"),
        }
    }

    pub fn expression(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEPTH {
            return self.error(format!("nested deeper than {DEPTH} levels"));
        }
        let parsed = self.or();
        self.depth -= 1;
        parsed
    }

    fn node(&mut self, expr: Expr) -> Parsed<Expr> {
        self.nodes += 1;
        if self.nodes > NODES { self.error(format!("longer than {NODES} operators and operands")) } else { Ok(expr) }
    }

    fn or(&mut self) -> Parsed<Expr> {
        let mut left = self.and()?;
        while self.take_keyword("or")? {
            left = Expr::Binary(Operator::Or, left.into(), self.and()?.into());
            left = self.node(left)?;
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expr> {
        let mut left = self.not()?;
        while self.take_keyword("and")? {
            left = Expr::Binary(Operator::And, left.into(), self.not()?.into());
            left = self.node(left)?;
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
            expr = self.node(Expr::Not(expr.into()))?;
        }
        Ok(expr)
    }

    fn comparison(&mut self) -> Parsed<Expr> {
        let mut left = self.sum()?;
        loop {
            let operator = match &self.token {
                Token::Sign("=") => Operator::Equal,
                Token::Sign("<>" | "!=") => Operator::NotEqual,
                Token::Sign("<") => Operator::Less,
                Token::Sign("<=") => Operator::LessOrEqual,
                Token::Sign(">") => Operator::Greater,
                Token::Sign(">=") => Operator::GreaterOrEqual,
                Token::Word(word) if word.eq_ignore_ascii_case("in") => Operator::In,
                _ => return Ok(left),
            };
            self.advance()?;
            left = Expr::Binary(operator, left.into(), self.sum()?.into());
            left = self.node(left)?;
        }
    }

    fn sum(&mut self) -> Parsed<Expr> {
        let mut left = self.product()?;
        loop {
            let operator = match &self.token {
                Token::Sign("+") => Operator::Add,
                Token::Sign("-") => Operator::Subtract,
                _ => return Ok(left),
            };
            self.advance()?;
            left = Expr::Binary(operator, left.into(), self.product()?.into());
            left = self.node(left)?;
        }
    }

    fn product(&mut self) -> Parsed<Expr> {
        let mut left = self.unary()?;
        loop {
            let operator = match &self.token {
                Token::Sign("*") => Operator::Multiply,
                Token::Sign("/") => Operator::Divide,
                Token::Sign("%") => Operator::Remainder,
                _ => return Ok(left),
            };
            self.advance()?;
            left = Expr::Binary(operator, left.into(), self.unary()?.into());
            left = self.node(left)?;
        }
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let mut negations = 0;
        while self.take("-")? {
            negations += 1;
        }
        let mut expr = self.postfix()?;
        for _ in 0..negations {
            expr = self.node(Expr::Negative(expr.into()))?;
        }
        Ok(expr)
    }

    fn postfix(&mut self) -> Parsed<Expr> {
        let mut expr = self.primary()?;
        while self.take(".")? {
            expr = Expr::Member(expr.into(), self.name()?);
            expr = self.node(expr)?;
        }
        Ok(expr)
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let start = self.at;
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
            Token::Sign("*") => {
                self.advance()?;
                Expr::Payload
            }
            Token::Sign("(") => {
                self.advance()?;
                let inner = if self.is_keyword("select") { self.query()? } else { self.expression()? };
                self.need(")")?;
                inner
            }
            Token::Sign("[") => {
                self.advance()?;
                Expr::Array(self.list("]", Self::expression)?)
            }
            Token::Sign("{") => {
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
        self.node(expr)
    }

    fn word(&mut self, word: String, start: usize) -> Parsed<Expr> {
        let lower = word.to_ascii_lowercase();
        if matches!(self.token, Token::Sign("(")) {
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
        let function = Function::named(name).map_err(|why| SqlError::new(start, why))?;
        let arguments = self.list(")", Self::expression)?;
        match function.refuses(&arguments) {
            Some(why) => Err(SqlError::new(start, why)),
            None => Ok(Expr::Call(function, arguments)),
        }
    }

    fn cast(&mut self) -> Parsed<Expr> {
        let value = self.expression()?;
        self.need_keyword("as")?;
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
        self.need(")")?;
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
            self.need_keyword("then")?;
            arms.push((candidate, self.expression()?));
        }
        if arms.is_empty() {
            return self.unexpected("WHEN");
        }
        let otherwise = if self.take_keyword("else")? { Some(self.expression()?.into()) } else { None };
        self.need_keyword("end")?;
        Ok(Expr::Case { subject, arms, otherwise })
    }

    fn member(&mut self) -> Parsed<(String, Expr)> {
        let Token::Text(key) = self.token.clone() else { return self.unexpected("a key in quotes") };
        self.advance()?;
        self.need(":")?;
        Ok((key, self.expression()?))
    }

    /// Comma-separated, up to and including a closing sign.
    fn list<T>(&mut self, close: &str, mut one: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        if self.take(close)? {
            return Ok(items);
        }
        loop {
            items.push(one(self)?);
            if self.take(close)? {
                return Ok(items);
            }
            if !self.take(",")? {
                return self.unexpected(&format!(", or {close}"));
            }
        }
    }
}
