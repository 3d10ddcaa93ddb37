//! Query by example: `q` in framework version 1.
//!
//! `;` joins attributes, `*` and `%` are wildcards, values may be quoted or not, and a range stands
//! on the value side: `LastUpdateDate>=2026-01-01T00:00:00Z and <2026-01-02T00:00:00Z`.
//!
//! The trap that this module keeps: an ` and ` that joins two attributes, as later versions want
//! it, is read here as part of the first value. The query is not refused; it finds nothing.

use super::lexer::operator;
use super::literal::{Literal, Pattern, Written};
use super::{Comparison, Condition, Filter, Nested, QueryError, Rules, Test, resolve};
use crate::oracle::schema::{Kind, Resource};

/// Reads a query for `resource`.
pub(crate) fn parse(
    resource: &'static Resource,
    text: &str,
    rules: &Rules,
) -> Result<Option<Filter>, QueryError> {
    let mut parts = Vec::new();
    for criterion in split_outside_quotes(text, ";") {
        let criterion = criterion.trim();
        if !criterion.is_empty() {
            parts.push(parse_criterion(resource, criterion, rules)?);
        }
    }
    Ok((!parts.is_empty()).then_some(Filter::And(parts)))
}

fn parse_criterion(resource: &'static Resource, text: &str, rules: &Rules) -> Result<Filter, QueryError> {
    let length = text
        .find(|letter: char| letter.is_whitespace() || "=<>!".contains(letter))
        .ok_or_else(|| QueryError::Syntax("a criterion needs an operator".to_owned()))?;
    let (name, expression) = text.split_at(length);
    let (path, attribute, described) = resolve(resource, name, rules, Nested::Refused)?;
    let expression = expression.trim_start();
    let test = |condition| Filter::Test(Test { path: path.clone(), attribute, condition });
    if let Some(pattern) = after_word(expression, "like") {
        let condition = condition(described.kind, Comparison::Equal, &unquote(pattern), rules);
        return Ok(test(condition));
    }
    let (comparison, _) =
        operator(expression).ok_or_else(|| QueryError::Syntax("a criterion needs an operator".to_owned()))?;
    let alternatives = split_terms(expression, " or ")
        .into_iter()
        .map(|alternative| {
            let terms = split_terms(alternative, " and ");
            Filter::And(
                terms
                    .into_iter()
                    .map(|term| test(parse_term(described.kind, comparison, term, rules)))
                    .collect(),
            )
        })
        .collect();
    Ok(Filter::Or(alternatives))
}

fn parse_term(kind: Kind, default: Comparison, text: &str, rules: &Rules) -> Condition {
    let text = text.trim();
    let (comparison, length) = operator(text).unwrap_or((default, 0));
    condition(kind, comparison, &unquote(text[length..].trim()), rules)
}

/// A value of the wrong type finds nothing, without an error.
fn condition(kind: Kind, comparison: Comparison, written: &Written, rules: &Rules) -> Condition {
    let pattern = Pattern::new(&written.text, rules.wildcards);
    if kind == Kind::Text && comparison == Comparison::Equal && pattern.has_wildcard() {
        return Condition::Like(pattern);
    }
    Literal::read(kind, written, rules)
        .map_or(Condition::Nothing, |literal| Condition::Compare(comparison, literal))
}

/// Splits a value-side expression, but only where every piece begins with an operator of its own;
/// otherwise the joining word belongs to the value.
fn split_terms<'a>(text: &'a str, joint: &str) -> Vec<&'a str> {
    let pieces = split_outside_quotes(text, joint);
    if pieces.iter().all(|piece| operator(piece.trim_start()).is_some()) { pieces } else { vec![text] }
}

fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(word.len())?;
    (head.eq_ignore_ascii_case(word) && tail.starts_with([' ', '\''])).then(|| tail.trim())
}

fn split_outside_quotes<'a>(text: &'a str, joint: &str) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut in_quotes = false;
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'\'' {
            in_quotes = !in_quotes;
        }
        let here = text.as_bytes().get(at..at + joint.len());
        if !in_quotes && at >= start && here.is_some_and(|here| here.eq_ignore_ascii_case(joint.as_bytes())) {
            pieces.push(&text[start..at]);
            start = at + joint.len();
        }
    }
    pieces.push(&text[start..]);
    pieces
}

fn unquote(text: &str) -> Written {
    let inner = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    match inner {
        Some(inner) if !inner.replace("''", "").contains('\'') => {
            Written { text: inner.replace("''", "'"), quoted: true }
        }
        _ => Written { text: text.to_owned(), quoted: false },
    }
}
