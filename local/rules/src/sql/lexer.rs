//! The words and signs of a statement, one at a time.

use super::SqlError;

/// One word or sign.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    End,
    /// A keyword, a function's name or an attribute's.
    Word(String),
    Number(String),
    /// What stood in quotes, single or double.
    Text(String),
    Sign(&'static str),
}

/// The longer ones first: `<=` is not `<` and `=`.
const SIGNS: [&str; 20] =
    ["<>", "!=", "<=", ">=", "(", ")", "[", "]", "{", "}", ",", ".", ":", "*", "+", "-", "/", "%", "=", "<"];

/// Reads tokens off a statement, lazily: what follows the `}` of a substitution template is not SQL.
#[derive(Clone, Debug)]
pub struct Lexer<'s> {
    text: &'s str,
    position: usize,
}

impl<'s> Lexer<'s> {
    pub fn new(text: &'s str, position: usize) -> Self {
        Self { text, position }
    }

    /// The next token, and where it begins.
    pub fn next(&mut self) -> Result<(usize, Token), SqlError> {
        self.take_while(char::is_whitespace);
        let start = self.position;
        let rest = self.rest();
        let token = match rest.chars().next() {
            None => Token::End,
            Some(quote @ ('\'' | '"')) => self.text(quote, start)?,
            Some(c) if c.is_ascii_digit() => Token::Number(self.number().to_owned()),
            Some(c) if c.is_alphabetic() || c == '_' => {
                Token::Word(self.take_while(|c| c.is_alphanumeric() || c == '_').to_owned())
            }
            Some('>') if !rest.starts_with(">=") => {
                self.position += 1;
                Token::Sign(">")
            }
            Some(c) => {
                let sign = SIGNS
                    .iter()
                    .find(|sign| rest.starts_with(**sign))
                    .ok_or_else(|| SqlError::new(start, format!("{c:?} means nothing here")))?;
                self.position += sign.len();
                Token::Sign(sign)
            }
        };
        Ok((start, token))
    }

    /// Where the next token will be looked for.
    pub fn position(&self) -> usize {
        self.position
    }

    fn rest(&self) -> &'s str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let taken = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.position += taken;
        rest.get(..taken).unwrap_or_default()
    }

    /// Up to the closing quote; a doubled quote stands for one.
    fn text(&mut self, quote: char, start: usize) -> Result<Token, SqlError> {
        let mut text = String::new();
        loop {
            self.position += quote.len_utf8();
            text.push_str(self.take_while(|c| c != quote));
            if self.rest().is_empty() {
                return Err(SqlError::new(start, "this text has no closing quote"));
            }
            self.position += quote.len_utf8();
            if !self.rest().starts_with(quote) {
                return Ok(Token::Text(text));
            }
            text.push(quote);
        }
    }

    fn number(&mut self) -> &'s str {
        let start = self.position;
        self.take_while(|c| c.is_ascii_digit());
        self.try_take(".");
        for exponent in ["e-", "e+", "e", "E-", "E+", "E"] {
            if self.try_take(exponent) {
                break;
            }
        }
        self.text.get(start..self.position).unwrap_or_default()
    }

    /// Takes a prefix and the digits after it, if there are any.
    fn try_take(&mut self, prefix: &str) -> bool {
        let found =
            self.rest().strip_prefix(prefix).is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()));
        if found {
            self.position += prefix.len();
            self.take_while(|c| c.is_ascii_digit());
        }
        found
    }
}
