//! The text of a query in a URL.

use std::fmt::Write as _;

use super::filter::{Filter, Value};
use super::literal::{DateTimeLiteral, Rounding};
use super::{Direction, Links, Query, Selection};

pub(super) fn query_string(query: &Query, literal: DateTimeLiteral) -> String {
    let mut out = String::with_capacity(256);
    out.push_str(match query.links {
        Links::Left => "onlyData=true",
        Links::Own => "links=self",
    });
    let _ = write!(out, "&limit={}&offset={}", query.limit.get(), query.offset);
    if let Some(filter) = &query.filter {
        let mut q = String::with_capacity(128);
        write_filter(&mut q, filter, literal);
        out.push_str("&q=");
        encode(&mut out, &q);
    }
    if !query.order.is_empty() {
        let order: Vec<String> =
            query.order.iter().map(|(attr, way)| format!("{}:{}", attr.as_str(), name(*way))).collect();
        out.push_str("&orderBy=");
        encode(&mut out, &order.join(","));
    }
    match &query.selection {
        Selection::Rows => {}
        Selection::Expand(expand) => {
            out.push_str("&expand=");
            encode(&mut out, expand.as_str());
        }
        Selection::Fields(fields) => {
            out.push_str("&fields=");
            encode(&mut out, fields.as_str());
        }
    }
    if let Some(finder) = &query.finder {
        // the separators are part of the finder's syntax and stay as they are; only the values are encoded
        let _ = write!(out, "&finder={}", finder.name());
        for (index, (variable, value)) in finder.values().iter().enumerate() {
            out.push(if index == 0 { ';' } else { ',' });
            out.push_str(variable);
            out.push('=');
            encode(&mut out, value);
        }
    }
    out
}

fn name(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => "asc",
        Direction::Descending => "desc",
    }
}

fn write_filter(out: &mut String, filter: &Filter, literal: DateTimeLiteral) {
    use Rounding::{Down, Up};
    match filter {
        Filter::Eq(attr, value) => compare(out, attr.as_str(), "=", value, literal, Down),
        Filter::Ne(attr, value) => compare(out, attr.as_str(), "!=", value, literal, Down),
        Filter::Ge(attr, value) => compare(out, attr.as_str(), ">=", value, literal, Down),
        Filter::Gt(attr, value) => compare(out, attr.as_str(), ">", value, literal, Down),
        Filter::Le(attr, value) => compare(out, attr.as_str(), "<=", value, literal, Up),
        Filter::Lt(attr, value) => compare(out, attr.as_str(), "<", value, literal, Up),
        Filter::Like(attr, pattern) => {
            let _ = write!(out, "{} like ", attr.as_str());
            quote(out, pattern.as_str());
        }
        Filter::In(attr, values) => {
            let _ = write!(out, "{} in (", attr.as_str());
            for (index, value) in values.as_slice().iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_value(out, value, literal, Down);
            }
            out.push(')');
        }
        Filter::IsNull(attr) => {
            let _ = write!(out, "{} is null", attr.as_str());
        }
        Filter::And(left, right) => {
            write_operand(out, left, filter, literal);
            out.push_str(" and ");
            write_operand(out, right, filter, literal);
        }
        Filter::Or(left, right) => {
            write_operand(out, left, filter, literal);
            out.push_str(" or ");
            write_operand(out, right, filter, literal);
        }
    }
}

/// Which of `and` and `or` binds closer is left to nobody: where they meet, there are parentheses.
fn write_operand(out: &mut String, operand: &Filter, parent: &Filter, literal: DateTimeLiteral) {
    let mixed =
        matches!((parent, operand), (Filter::And(..), Filter::Or(..)) | (Filter::Or(..), Filter::And(..)));
    if mixed {
        out.push('(');
    }
    write_filter(out, operand, literal);
    if mixed {
        out.push(')');
    }
}

fn compare(
    out: &mut String,
    attr: &str,
    operator: &str,
    value: &Value,
    literal: DateTimeLiteral,
    rounding: Rounding,
) {
    let _ = write!(out, "{attr} {operator} ");
    write_value(out, value, literal, rounding);
}

fn write_value(out: &mut String, value: &Value, literal: DateTimeLiteral, rounding: Rounding) {
    match value {
        Value::Text(text) => quote(out, text),
        Value::Id(digits) => out.push_str(digits.as_str()),
        Value::Timestamp(at) => literal.write(out, *at, rounding),
        Value::Date(date) => {
            let _ = write!(out, "'{:04}-{:02}-{:02}'", date.year(), date.month(), date.day());
        }
    }
}

fn quote(out: &mut String, text: &str) {
    out.push('\'');
    for c in text.chars() {
        if c == '\'' {
            out.push('\'');
        }
        out.push(c);
    }
    out.push('\'');
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub(crate) fn encode(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}
