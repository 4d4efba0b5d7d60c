//! Parser of query strings (AWS IoT fleet indexing, query syntax).

use super::lexer::{Comparison, Letter, Token, Word, tokens};
use super::query::{Bound, Field, Query, Test};

const MAX_TERMS: usize = 12;
/// Maximum nesting of parentheses.
const MAX_DEPTH: usize = 32;
/// Maximum characters of a query in which a word starts with a wildcard.
const MAX_LEADING_WILDCARD_QUERY_CHARS: usize = 100;

/// Parses a query string.
///
/// # Errors
/// The violated rule of the syntax or limit.
pub(super) fn parse(query: &str) -> Result<Query, String> {
    if query.chars().count() > super::MAX_QUERY_CHARS {
        return Err(format!("the query is longer than {} characters", super::MAX_QUERY_CHARS));
    }
    let mut parser = Parser { tokens: tokens(query)?, next: 0, terms: 0, leading: 0, depth: 0 };
    let parsed = parser.parse_alternatives(&Field::Any)?;
    if let Some(token) = parser.peek() {
        return Err(format!("{} is not expected here", describe_token(token)));
    }
    if parser.terms > MAX_TERMS {
        return Err(format!("the query has {} terms, more than {MAX_TERMS}", parser.terms));
    }
    if parser.leading > 1 {
        return Err("only one term may begin with a wildcard".to_owned());
    }
    if parser.leading > 0 && query.chars().count() > MAX_LEADING_WILDCARD_QUERY_CHARS {
        return Err(format!(
            "a query with a leading wildcard has at most {MAX_LEADING_WILDCARD_QUERY_CHARS} characters"
        ));
    }
    Ok(parsed)
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    terms: usize,
    leading: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token
    }

    fn take_if(&mut self, wanted: &Token) -> bool {
        let is = self.peek() == Some(wanted);
        self.next += usize::from(is);
        is
    }

    /// Clauses joined by `OR`.
    fn parse_alternatives(&mut self, field: &Field) -> Result<Query, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("the query is nested deeper than {MAX_DEPTH} levels"));
        }
        let mut alternatives = vec![self.parse_conjunction(field)?];
        while self.take_if(&Token::Or) {
            alternatives.push(self.parse_conjunction(field)?);
        }
        self.depth -= 1;
        Ok(Query::Any(alternatives))
    }

    /// Clauses joined by `AND`, which may be left out.
    fn parse_conjunction(&mut self, field: &Field) -> Result<Query, String> {
        let mut clauses = vec![self.parse_clause(field)?];
        while !matches!(self.peek(), None | Some(Token::Or | Token::Close)) {
            self.take_if(&Token::And);
            clauses.push(self.parse_clause(field)?);
        }
        Ok(Query::All(clauses))
    }

    fn parse_clause(&mut self, field: &Field) -> Result<Query, String> {
        let mut negated = false;
        while matches!(self.peek(), Some(Token::Not | Token::Minus)) {
            self.next += 1;
            negated = !negated;
        }
        let clause = match self.take() {
            Some(Token::Open) => self.parse_group(field)?,
            Some(Token::Word(word)) => match self.peek() {
                Some(Token::Colon) => {
                    self.next += 1;
                    let field = Field::named(&word)?;
                    self.parse_value(field)?
                }
                Some(Token::Compare(_)) => self.parse_comparison(Field::named(&word)?)?,
                _ => self.parse_term(field.clone(), word)?,
            },
            Some(range @ Token::RangeOpen(_)) if *field != Field::Any => self.parse_range(field.clone(), &range)?,
            Some(other) => return Err(format!("{} is not expected here", describe_token(&other))),
            None => return Err("the query ends where a term is expected".to_owned()),
        };
        Ok(if negated { Query::Not(Box::new(clause)) } else { clause })
    }

    fn parse_group(&mut self, field: &Field) -> Result<Query, String> {
        let group = self.parse_alternatives(field)?;
        if self.take_if(&Token::Close) { Ok(group) } else { Err("a parenthesis is not closed".to_owned()) }
    }

    /// The value after a field and its colon.
    fn parse_value(&mut self, field: Field) -> Result<Query, String> {
        match self.take() {
            Some(Token::Open) => self.parse_group(&field),
            Some(Token::Word(word)) => self.parse_term(field, word),
            Some(range @ Token::RangeOpen(_)) => self.parse_range(field, &range),
            _ => Err("a value is expected after the colon of a field".to_owned()),
        }
    }

    fn parse_term(&mut self, field: Field, word: Word) -> Result<Query, String> {
        self.terms += 1;
        let starts_with_wildcard = matches!(word.letters.first(), Some(Letter::Many | Letter::One));
        self.leading += usize::from(starts_with_wildcard && word.letters.len() > 1);
        Ok(Query::Term(field, Test::Like(word.letters)))
    }

    fn parse_comparison(&mut self, field: Field) -> Result<Query, String> {
        let (Some(Token::Compare(comparison)), Some(Token::Word(word))) = (self.take(), self.take()) else {
            return Err("a value is expected after a comparison operator".to_owned());
        };
        let text = word.text().ok_or("a comparison must not contain wildcards")?;
        self.terms += 1;
        let end = |inclusive| Some(Bound { text: text.clone(), inclusive });
        let (from, to) = match comparison {
            Comparison::Less => (None, end(false)),
            Comparison::AtMost => (None, end(true)),
            Comparison::Equal => (end(true), end(true)),
            Comparison::AtLeast => (end(true), None),
            Comparison::More => (end(false), None),
        };
        Ok(Query::Term(field, Test::range(from, to, word.quoted)))
    }

    fn parse_range(&mut self, field: Field, open: &Token) -> Result<Query, String> {
        let wrong = || "a range is written as [from TO to], with [ ] or { }".to_owned();
        let (Some(Token::Word(from)), Some(Token::To), Some(Token::Word(to)), Some(Token::RangeClose(closed))) =
            (self.take(), self.take(), self.take(), self.take())
        else {
            return Err(wrong());
        };
        self.terms += 1;
        let quoted = from.quoted || to.quoted;
        let end = |word: Word, inclusive| match (word.letters.as_slice(), word.text()) {
            ([Letter::Many], _) => Ok(None),
            (_, Some(text)) => Ok(Some(Bound { text, inclusive })),
            (_, None) => Err(wrong()),
        };
        let (from, to) = (end(from, *open == Token::RangeOpen(true))?, end(to, closed)?);
        Ok(Query::Term(field, Test::range(from, to, quoted)))
    }
}

fn describe_token(token: &Token) -> String {
    match token {
        Token::Word(word) => word.text().unwrap_or_else(|| "a word".to_owned()),
        Token::And => "AND".to_owned(),
        Token::Or => "OR".to_owned(),
        Token::Not => "NOT".to_owned(),
        Token::To => "TO".to_owned(),
        Token::Open => "(".to_owned(),
        Token::Close => ")".to_owned(),
        Token::Colon => ":".to_owned(),
        Token::Minus => "-".to_owned(),
        Token::RangeOpen(_) | Token::RangeClose(_) => "a range's bracket".to_owned(),
        Token::Compare(_) => "a comparison".to_owned(),
    }
}
