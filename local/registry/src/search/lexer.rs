//! Lexer of query strings.

/// A token of a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Open,
    Close,
    /// The colon after a field.
    Colon,
    /// `[` (true: the bound is included) or `{` (false).
    RangeOpen(bool),
    /// `]` (true: the bound is included) or `}` (false).
    RangeClose(bool),
    /// `<`, `<=`, `=`, `>=`, `>`.
    Compare(Comparison),
    /// A minus that negates the following clause.
    Minus,
    And,
    Or,
    Not,
    To,
    Word(Word),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

/// A word or a phrase.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Word {
    pub letters: Vec<Letter>,
    pub quoted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letter {
    Exact(char),
    /// `?`
    One,
    /// `*`
    Many,
}

impl Word {
    /// The text of a word without wildcards; `None` if it has one.
    pub fn text(&self) -> Option<String> {
        let plain = |letter: &Letter| match letter {
            Letter::Exact(c) => Some(*c),
            Letter::One | Letter::Many => None,
        };
        self.letters.iter().map(plain).collect()
    }
}

/// Characters that a word may contain only after a backslash (AWS IoT fleet indexing, query syntax).
const ESCAPE_REQUIRED: &str = "`@#%/';,";
const WORD_TERMINATORS: &str = "():[]{}<>=\"";

/// Splits a query into tokens.
///
/// # Errors
/// The text that is not allowed in a query.
pub(super) fn tokens(query: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut letters = query.chars().peekable();
    while let Some(letter) = letters.next() {
        let mut compare = |strict, or_equal| {
            let equal = letters.next_if_eq(&'=').is_some();
            Token::Compare(if equal { or_equal } else { strict })
        };
        tokens.push(match letter {
            c if c.is_whitespace() => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            ':' => Token::Colon,
            '[' => Token::RangeOpen(true),
            '{' => Token::RangeOpen(false),
            ']' => Token::RangeClose(true),
            '}' => Token::RangeClose(false),
            '<' => compare(Comparison::Less, Comparison::AtMost),
            '>' => compare(Comparison::More, Comparison::AtLeast),
            '=' => Token::Compare(Comparison::Equal),
            '"' => Token::Word(phrase(&mut letters)?),
            '-' if starts_clause(&tokens) => Token::Minus,
            first => word(first, &mut letters)?,
        });
    }
    Ok(tokens)
}

/// Whether the next token starts a clause. If it does not, a value is expected and a minus is the sign of a number.
fn starts_clause(before: &[Token]) -> bool {
    !matches!(before.last(), Some(Token::Colon | Token::Compare(_) | Token::RangeOpen(_) | Token::To))
}

fn phrase(letters: &mut impl Iterator<Item = char>) -> Result<Word, String> {
    let mut word = Word { quoted: true, ..Word::default() };
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Ok(word),
            '\\' => word.letters.push(Letter::Exact(letters.next().ok_or("the query ends with a backslash")?)),
            other => word.letters.push(Letter::Exact(other)),
        }
    }
    Err("a quotation mark is not closed".to_owned())
}

fn word(first: char, letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Token, String> {
    let (mut word, mut plain) = (Word::default(), true);
    let mut next = Some(first);
    while let Some(letter) = next {
        word.letters.push(match letter {
            '\\' => {
                plain = false;
                Letter::Exact(letters.next().ok_or("the query ends with a backslash")?)
            }
            '*' => Letter::Many,
            '?' => Letter::One,
            forbidden if ESCAPE_REQUIRED.contains(forbidden) => {
                return Err(format!("the special character {forbidden} must be escaped by a backslash"));
            }
            other => Letter::Exact(other),
        });
        next = letters.next_if(|letter| !letter.is_whitespace() && !WORD_TERMINATORS.contains(*letter));
    }
    let keyword = if plain { word.text() } else { None };
    Ok(match keyword.as_deref() {
        Some("AND") => Token::And,
        Some("OR") => Token::Or,
        Some("NOT") => Token::Not,
        Some("TO") => Token::To,
        _ => Token::Word(word),
    })
}
