//! Questions to Oracle: a text stays a text, whatever stands in it.

use std::borrow::Cow;

use oracle_fusion::{Attr, DateTimeLiteral, Filter, Finder, Pattern, Query, Resource, Value, Values};

/// Members that a question may have.
const KNOWN: [&str; 9] =
    ["onlyData", "links", "limit", "offset", "q", "orderBy", "expand", "fields", "finder"];

/// The lines are texts, names and numbers of filters and finders.
pub fn check(input: &[u8]) {
    let lines: Vec<String> = super::texts(input).take(8).collect();
    let plain = vec!["x".to_owned(); lines.len()];
    let (written, texts) = question(&lines);
    let (usual, _) = question(&plain);
    let pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = url::form_urlencoded::parse(written.as_bytes()).collect();
    assert!(pairs.iter().all(|(name, _)| KNOWN.contains(&&**name)), "{written}");
    let q = pairs.iter().find(|(name, _)| name == "q").map(|(_, q)| q.as_ref()).unwrap_or_default();
    let q_of_usual = url::form_urlencoded::parse(usual.as_bytes()).find(|(name, _)| name == "q");
    let (shape, found) = apart(q);
    assert_eq!(found, texts, "texts do not arrive as they are: {written}");
    if lines.iter().all(|line| !line.contains(['*', '%'])) {
        assert_eq!(
            shape,
            apart(&q_of_usual.expect("it has one").1).0,
            "a text changed the condition: {written}"
        );
    }
    for line in &lines {
        names(line);
    }
}

/// A question with these texts, and the texts that stand in it.
fn question(lines: &[String]) -> (String, Vec<String>) {
    let attr = || Attr::new("Supplier").expect("a name");
    let mut texts = Vec::new();
    let mut filter = Filter::IsNull(attr());
    for line in lines {
        texts.push(line.clone());
        filter = filter.and(Filter::Eq(attr(), Value::text(line.as_str())));
        if let Ok(pattern) = Pattern::contains(line) {
            texts.push(format!("*{line}*"));
            filter = filter.or(Filter::Like(attr(), pattern));
        }
        texts.push(line.clone());
        let values = Values::new(vec![Value::text(line.as_str())]).expect("one value");
        filter = filter.and(Filter::In(attr(), values));
    }
    let query = Query::new(Resource::PurchaseOrders).filter(filter);
    (query.to_query_string(DateTimeLiteral::default()), texts)
}

/// What stands outside of quotes, and what within, with doubled quotes as one.
fn apart(q: &str) -> (String, Vec<String>) {
    let (mut shape, mut texts) = (String::new(), Vec::new());
    let mut rest = q.chars().peekable();
    while let Some(c) = rest.next() {
        shape.push(c);
        if c != '\'' {
            continue;
        }
        let mut text = String::new();
        loop {
            match rest.next() {
                Some('\'') if rest.peek() == Some(&'\'') => text.extend(rest.next()),
                Some('\'') => break,
                Some(other) => text.push(other),
                None => panic!("an open quote in {q}"),
            }
        }
        texts.push(text);
    }
    (shape, texts)
}

/// Names and a finder's values are plain or refused.
fn names(line: &str) {
    if Attr::new(line).is_ok() {
        assert!(line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte)), "{line:?}");
    }
    let finder = Finder::new("PrimaryKey").and_then(|finder| finder.with("POHeaderId", line));
    if let Ok(finder) = finder {
        let written =
            Query::new(Resource::PurchaseOrders).finder(finder).to_query_string(DateTimeLiteral::default());
        let pairs: Vec<_> = url::form_urlencoded::parse(written.as_bytes()).collect();
        let value = pairs.iter().find(|(name, _)| name == "finder").map(|(_, value)| value.to_string());
        assert_eq!(value, Some(format!("PrimaryKey;POHeaderId={line}")));
        assert!(pairs.iter().all(|(name, _)| KNOWN.contains(&&**name)), "{written}");
    }
}
