//! Row match expressions: `q` from framework version 2.
//!
//! `and`, `or`, `not`, parentheses, `=`, `!=`, `<>`, `<`, `<=`, `>`, `>=`, `like`, `in`, `between`,
//! `is null`. Text stands in single quotes, a quote inside it is doubled, and attributes of child
//! resources are named with a dot.

use super::lexer::{Token, tokens};
use super::literal::{Literal, Pattern, Written};
use super::{Comparison, Condition, Filter, Nested, QueryError, Rules, Test, resolve};
use crate::oracle::schema::{Kind, Resource};

/// How deeply parentheses and `not` may nest.
const MAX_DEPTH: usize = 64;

/// Reads an expression for `resource`.
pub(crate) fn parse(
    resource: &'static Resource,
    text: &str,
    rules: &Rules,
) -> Result<Option<Filter>, QueryError> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser { resource, rules, tokens: tokens.into_iter().peekable(), depth: 0 };
    let filter = parser.any()?;
    match parser.tokens.next() {
        None => Ok(Some(filter)),
        Some(extra) => Err(unexpected(&extra)),
    }
}

struct Parser<'a> {
    resource: &'static Resource,
    rules: &'a Rules,
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

fn unexpected(token: &Token) -> QueryError {
    QueryError::Syntax(format!("unexpected {token:?} in the query expression"))
}

fn ended() -> QueryError {
    QueryError::Syntax("the query expression ends too early".to_owned())
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Filter, QueryError> {
        let mut parts = vec![self.every()?];
        while self.take_word("or") {
            parts.push(self.every()?);
        }
        Ok(single_or(parts, Filter::Or))
    }

    fn every(&mut self) -> Result<Filter, QueryError> {
        let mut parts = vec![self.factor()?];
        while self.take_word("and") {
            parts.push(self.factor()?);
        }
        Ok(single_or(parts, Filter::And))
    }

    fn factor(&mut self) -> Result<Filter, QueryError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(QueryError::Syntax("the query expression nests too deeply".to_owned()));
        }
        let found = if self.take_word("not") {
            Filter::Not(Box::new(self.factor()?))
        } else if self.take(&Token::Open) {
            let inner = self.any()?;
            self.expect(&Token::Close)?;
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(found)
    }

    fn test(&mut self) -> Result<Filter, QueryError> {
        let name = match self.tokens.next().ok_or_else(ended)? {
            Token::Bare(name) => name,
            other => return Err(unexpected(&other)),
        };
        let (path, attribute, described) = resolve(self.resource, &name, self.rules, Nested::Allowed)?;
        let (condition, negated) = self.condition(described.kind)?;
        let test = Filter::Test(Test { path, attribute, condition });
        Ok(if negated { Filter::Not(Box::new(test)) } else { test })
    }

    /// The condition after an attribute, and whether `not` stood before it.
    fn condition(&mut self, kind: Kind) -> Result<(Condition, bool), QueryError> {
        if let Some(Token::Operator(comparison)) = self.tokens.peek() {
            let comparison = *comparison;
            self.tokens.next();
            return Ok((self.comparison(kind, comparison)?, false));
        }
        if self.take_word("is") {
            let negated = self.take_word("not");
            if !self.take_word("null") {
                return Err(QueryError::Syntax("expected null after is".to_owned()));
            }
            return Ok((Condition::IsNull, negated));
        }
        let negated = self.take_word("not");
        let condition = if self.take_word("like") {
            let written = self.value()?;
            if kind != Kind::Text || !written.quoted {
                return Err(QueryError::Syntax("like needs a text attribute and a quoted value".to_owned()));
            }
            Condition::Like(Pattern::new(&written.text, self.rules.wildcards))
        } else if self.take_word("in") {
            Condition::In(self.list(kind)?)
        } else if self.take_word("between") {
            let low = self.literal(kind)?;
            if !self.take_word("and") {
                return Err(QueryError::Syntax("expected and inside between".to_owned()));
            }
            Condition::Between(low, self.literal(kind)?)
        } else {
            return Err(self.tokens.next().map_or_else(ended, |token| unexpected(&token)));
        };
        Ok((condition, negated))
    }

    fn comparison(&mut self, kind: Kind, comparison: Comparison) -> Result<Condition, QueryError> {
        Ok(Condition::Compare(comparison, self.literal(kind)?))
    }

    fn list(&mut self, kind: Kind) -> Result<Vec<Literal>, QueryError> {
        self.expect(&Token::Open)?;
        let mut list = vec![self.literal(kind)?];
        while self.take(&Token::Comma) {
            list.push(self.literal(kind)?);
        }
        self.expect(&Token::Close)?;
        Ok(list)
    }

    fn literal(&mut self, kind: Kind) -> Result<Literal, QueryError> {
        let written = self.value()?;
        if kind == Kind::Text && !written.quoted {
            return Err(QueryError::Syntax("text values stand in single quotes".to_owned()));
        }
        Literal::read(kind, &written, self.rules)
            .ok_or_else(|| QueryError::Syntax("a value does not fit its attribute".to_owned()))
    }

    fn value(&mut self) -> Result<Written, QueryError> {
        let token = self.tokens.next().ok_or_else(ended)?;
        token.clone().into_value().ok_or_else(|| unexpected(&token))
    }

    fn take(&mut self, token: &Token) -> bool {
        self.tokens.next_if_eq(token).is_some()
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| token.is_word(word)).is_some()
    }

    fn expect(&mut self, token: &Token) -> Result<(), QueryError> {
        match self.tokens.next() {
            Some(found) if found == *token => Ok(()),
            Some(other) => Err(unexpected(&other)),
            None => Err(ended()),
        }
    }
}

fn single_or(mut parts: Vec<Filter>, join: impl FnOnce(Vec<Filter>) -> Filter) -> Filter {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}
