//! Tokens of a row match expression.

use super::literal::Written;
use super::{Comparison, QueryError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    Comma,
    Operator(Comparison),
    Quoted(String),
    /// A word, a number or an unquoted date-time.
    Bare(String),
}

impl Token {
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Bare(text) if text.eq_ignore_ascii_case(word))
    }

    pub(super) fn into_value(self) -> Option<Written> {
        match self {
            Self::Quoted(text) => Some(Written { text, quoted: true }),
            Self::Bare(text) => Some(Written { text, quoted: false }),
            _ => None,
        }
    }
}

/// Splits an expression. A `;` outside quotes belongs to version 1 and is an error here.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '\'' => quoted(rest)?,
            ';' => return Err(QueryError::Syntax("unexpected ; in the query expression".to_owned())),
            '=' | '!' | '<' | '>' => {
                let (comparison, length) = operator(rest).ok_or_else(|| {
                    QueryError::Syntax(format!("unexpected {first} in the query expression"))
                })?;
                (Token::Operator(comparison), length)
            }
            _ => bare(rest),
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

/// The comparison at the start of `text` and its length.
pub(super) fn operator(text: &str) -> Option<(Comparison, usize)> {
    let all = [
        ("<>", Comparison::NotEqual),
        ("!=", Comparison::NotEqual),
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
        ("=", Comparison::Equal),
    ];
    all.into_iter().find(|(sign, _)| text.starts_with(sign)).map(|(sign, found)| (found, sign.len()))
}

/// A quoted string at the start of `text`; a doubled quote stands for one.
fn quoted(text: &str) -> Result<(Token, usize), QueryError> {
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != '\'' {
            value.push(letter);
        } else if letters.peek().is_some_and(|(_, next)| *next == '\'') {
            letters.next();
            value.push('\'');
        } else {
            return Ok((Token::Quoted(value), at + 1));
        }
    }
    Err(QueryError::Syntax("a quoted value does not end".to_owned()))
}

fn bare(text: &str) -> (Token, usize) {
    let ends = |letter: char| letter.is_whitespace() || "()',;=!<>".contains(letter);
    let length = text.find(ends).unwrap_or(text.len());
    (Token::Bare(text[..length].to_owned()), length)
}
