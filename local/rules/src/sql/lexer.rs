//! Splits SQL text into tokens: words, numbers, quoted text, symbols.

use super::SqlError;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    End,
    /// A keyword, a function name or an attribute name.
    Word(String),
    Number(String),
    /// Text in single or double quotes, without them.
    Text(String),
    Symbol(&'static str),
}

/// Longer symbols precede their prefixes, so that `<=` is not read as `<` and `=`.
const SYMBOLS: [&str; 20] =
    ["<>", "!=", "<=", ">=", "(", ")", "[", "]", "{", "}", ",", ".", ":", "*", "+", "-", "/", "%", "=", "<"];

/// Reads tokens on demand: the text after the `}` of a substitution template is not SQL.
#[derive(Clone, Debug)]
pub struct Lexer<'s> {
    text: &'s str,
    position: usize,
}

impl<'s> Lexer<'s> {
    pub fn new(text: &'s str, position: usize) -> Self {
        Self { text, position }
    }

    /// The next token and its byte offset.
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
                Token::Symbol(">")
            }
            Some(c) => {
                let symbol = SYMBOLS
                    .iter()
                    .find(|symbol| rest.starts_with(**symbol))
                    .ok_or_else(|| SqlError::new(start, format!("{c:?} is not a valid symbol")))?;
                self.position += symbol.len();
                Token::Symbol(symbol)
            }
        };
        Ok((start, token))
    }

    /// Byte offset of the end of the last token.
    pub fn position(&self) -> usize {
        self.position
    }

    fn rest(&self) -> &'s str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn take_while(&mut self, predicate: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let taken = rest.find(|c| !predicate(c)).unwrap_or(rest.len());
        self.position += taken;
        rest.get(..taken).unwrap_or_default()
    }

    /// Reads up to the closing quote; a doubled quote is one quote character.
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

    /// Takes a prefix and the digits after it, if at least one digit follows the prefix.
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
