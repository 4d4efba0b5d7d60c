//! A token cursor over SQL text: the current token, and the checks of expected tokens. Base of the SQL parsers.

use super::SqlError;
use super::lexer::{Lexer, Token};

pub type Parsed<T> = Result<T, SqlError>;

/// A parser of one statement or expression, with its current token.
#[derive(Clone)]
pub struct Parser<'s> {
    lexer: Lexer<'s>,
    pub(super) token: Token,
    /// Byte offset of `token`.
    pub(super) token_start: usize,
    /// Nodes of the syntax tree so far, and the current nesting of expressions. Both are bounded.
    pub(super) nodes: usize,
    pub(super) depth: usize,
}

impl<'s> Parser<'s> {
    pub fn new(text: &'s str, position: usize) -> Parsed<Self> {
        let mut lexer = Lexer::new(text, position);
        let (token_start, token) = lexer.next()?;
        Ok(Self { lexer, token, token_start, nodes: 0, depth: 0 })
    }

    /// Byte offset of the end of the current token.
    pub fn position(&self) -> usize {
        self.lexer.position()
    }

    pub fn token(&self) -> &Token {
        &self.token
    }

    pub fn advance(&mut self) -> Parsed<Token> {
        let (token_start, token) = self.lexer.next()?;
        self.token_start = token_start;
        Ok(std::mem::replace(&mut self.token, token))
    }

    pub fn unexpected<T>(&self, expected: &str) -> Parsed<T> {
        let found = match &self.token {
            Token::End => "the end".to_owned(),
            Token::Word(word) | Token::Number(word) => word.clone(),
            Token::Text(text) => format!("'{text}'"),
            Token::Symbol(symbol) => (*symbol).to_owned(),
        };
        Err(SqlError::new(self.token_start, format!("expected {expected}, found {found}")))
    }

    pub fn error<T>(&self, reason: impl Into<String>) -> Parsed<T> {
        Err(SqlError::new(self.token_start, reason))
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

    pub fn take_symbol(&mut self, symbol: &str) -> Parsed<bool> {
        let found = matches!(&self.token, Token::Symbol(found) if *found == symbol);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub fn require_symbol(&mut self, symbol: &str) -> Parsed<()> {
        if self.take_symbol(symbol)? { Ok(()) } else { self.unexpected(symbol) }
    }

    pub fn require_keyword(&mut self, keyword: &str) -> Parsed<()> {
        if self.take_keyword(keyword)? { Ok(()) } else { self.unexpected(&keyword.to_ascii_uppercase()) }
    }

    /// A name after a dot or AS; keywords are allowed there.
    pub fn name(&mut self) -> Parsed<String> {
        match self.token.clone() {
            Token::Word(word) => {
                self.advance()?;
                Ok(word)
            }
            _ => self.unexpected("a name"),
        }
    }
}
