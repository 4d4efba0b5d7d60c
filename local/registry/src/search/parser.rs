//! Tokens as a query.

use super::lexer::{Comparison, Letter, Token, Word, tokens};
use super::query::{End, Field, Query, Test};

const MOST_TERMS: usize = 12;
/// Parentheses and negations within each other.
const DEEPEST: usize = 32;
/// The longest query with a wildcard at the beginning of a word.
const LONGEST_WITH_LEADING: usize = 100;

/// # Errors
/// Why it is no query.
pub(super) fn parse(query: &str) -> Result<Query, String> {
    if query.chars().count() > super::LONGEST_QUERY {
        return Err(format!("the query is longer than {} characters", super::LONGEST_QUERY));
    }
    let mut parser = Parser { tokens: tokens(query)?, next: 0, terms: 0, leading: 0, depth: 0 };
    let parsed = parser.any(&Field::Any)?;
    if let Some(token) = parser.peek() {
        return Err(format!("{} is not expected here", name(token)));
    }
    if parser.terms > MOST_TERMS {
        return Err(format!("the query has {} terms: the most is {MOST_TERMS}", parser.terms));
    }
    if parser.leading > 1 {
        return Err("only one term may begin with a wildcard".to_owned());
    }
    if parser.leading > 0 && query.chars().count() > LONGEST_WITH_LEADING {
        return Err(format!("a query with a leading wildcard has at most {LONGEST_WITH_LEADING} characters"));
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

    /// Alternatives.
    fn any(&mut self, field: &Field) -> Result<Query, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("the query is nested deeper than {DEEPEST} levels"));
        }
        let mut ways = vec![self.all(field)?];
        while self.take_if(&Token::Or) {
            ways.push(self.all(field)?);
        }
        self.depth -= 1;
        Ok(Query::Any(ways))
    }

    /// What has to hold together; `AND` may be left out.
    fn all(&mut self, field: &Field) -> Result<Query, String> {
        let mut clauses = vec![self.clause(field)?];
        while !matches!(self.peek(), None | Some(Token::Or | Token::Close)) {
            self.take_if(&Token::And);
            clauses.push(self.clause(field)?);
        }
        Ok(Query::All(clauses))
    }

    fn clause(&mut self, field: &Field) -> Result<Query, String> {
        let mut negated = false;
        while matches!(self.peek(), Some(Token::Not | Token::Minus)) {
            self.next += 1;
            negated = !negated;
        }
        let clause = match self.take() {
            Some(Token::Open) => self.group(field)?,
            Some(Token::Word(word)) => match self.peek() {
                Some(Token::Colon) => {
                    self.next += 1;
                    let field = Field::named(&word)?;
                    self.value(field)?
                }
                Some(Token::Compare(_)) => self.comparison(Field::named(&word)?)?,
                _ => self.term(field.clone(), word)?,
            },
            Some(range @ Token::RangeOpen(_)) if *field != Field::Any => self.range(field.clone(), &range)?,
            Some(other) => return Err(format!("{} is not expected here", name(&other))),
            None => return Err("the query ends where a term is expected".to_owned()),
        };
        Ok(if negated { Query::Not(Box::new(clause)) } else { clause })
    }

    fn group(&mut self, field: &Field) -> Result<Query, String> {
        let group = self.any(field)?;
        if self.take_if(&Token::Close) { Ok(group) } else { Err("a parenthesis is not closed".to_owned()) }
    }

    /// What follows a field and its colon.
    fn value(&mut self, field: Field) -> Result<Query, String> {
        match self.take() {
            Some(Token::Open) => self.group(&field),
            Some(Token::Word(word)) => self.term(field, word),
            Some(range @ Token::RangeOpen(_)) => self.range(field, &range),
            _ => Err("a field needs a value after its colon".to_owned()),
        }
    }

    fn term(&mut self, field: Field, word: Word) -> Result<Query, String> {
        self.terms += 1;
        let wild = matches!(word.letters.first(), Some(Letter::Many | Letter::One));
        self.leading += usize::from(wild && word.letters.len() > 1);
        Ok(Query::Term(field, Test::Like(word.letters)))
    }

    fn comparison(&mut self, field: Field) -> Result<Query, String> {
        let (Some(Token::Compare(comparison)), Some(Token::Word(word))) = (self.take(), self.take()) else {
            return Err("a comparison needs a value".to_owned());
        };
        let text = word.text().ok_or("a comparison has no wildcards")?;
        self.terms += 1;
        let end = |inclusive| Some(End { text: text.clone(), inclusive });
        let (from, to) = match comparison {
            Comparison::Less => (None, end(false)),
            Comparison::AtMost => (None, end(true)),
            Comparison::Equal => (end(true), end(true)),
            Comparison::AtLeast => (end(true), None),
            Comparison::More => (end(false), None),
        };
        Ok(Query::Term(field, Test::range(from, to, word.quoted)))
    }

    fn range(&mut self, field: Field, open: &Token) -> Result<Query, String> {
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
            (_, Some(text)) => Ok(Some(End { text, inclusive })),
            (_, None) => Err(wrong()),
        };
        let (from, to) = (end(from, *open == Token::RangeOpen(true))?, end(to, closed)?);
        Ok(Query::Term(field, Test::range(from, to, quoted)))
    }
}

fn name(token: &Token) -> String {
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
