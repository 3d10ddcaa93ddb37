//! A small reader of rowmatch text, written apart from the writer, takes every query apart again.

use std::collections::HashMap;
use std::iter::Peekable;
use std::vec::IntoIter;

use proptest::prelude::*;

use super::*;
use crate::collection::Lookup;
use crate::resource::Resource;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(String),
}

fn tokens(source: &str) -> Vec<Token> {
    let mut rest = source.chars().peekable();
    let mut found = Vec::new();
    while let Some(&c) = rest.peek() {
        let run = |rest: &mut Peekable<std::str::Chars<'_>>, part: fn(char) -> bool| {
            let mut text = String::new();
            while let Some(c) = rest.next_if(|c| part(*c)) {
                text.push(c);
            }
            text
        };
        match c {
            ' ' => drop(rest.next()),
            '\'' => {
                rest.next();
                let mut text = String::new();
                loop {
                    match rest.next().expect("an open quote") {
                        '\'' if rest.peek() == Some(&'\'') => text.push(rest.next().unwrap()),
                        '\'' => break,
                        other => text.push(other),
                    }
                }
                found.push(Token::Text(text));
            }
            '(' | ')' | ',' => found.push(Token::Sign(rest.next().unwrap().to_string())),
            '<' | '>' | '=' | '!' => found.push(Token::Sign(run(&mut rest, |c| "<>=!".contains(c)))),
            _ => {
                let word = run(&mut rest, |c| c.is_ascii_alphanumeric() || "_.:+-".contains(c));
                assert!(!word.is_empty(), "unexpected {c:?} in {source}");
                found.push(Token::Word(word));
            }
        }
    }
    found
}

/// The shape of a condition; nested `and`s and `or`s of one kind are one list.
#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Compare(String, String, Token),
    In(String, Vec<Token>),
    Null(String),
    All(Vec<Shape>),
    Any(Vec<Shape>),
}

struct Reader(Peekable<IntoIter<Token>>);

impl Reader {
    fn read(source: &str) -> Shape {
        let mut reader = Self(tokens(source).into_iter().peekable());
        let shape = reader.either();
        assert_eq!(reader.0.next(), None, "text after the condition in {source}");
        shape
    }

    fn word(&mut self, word: &str) -> bool {
        self.0.next_if(|t| matches!(t, Token::Word(w) if w.eq_ignore_ascii_case(word))).is_some()
    }

    fn sign(&mut self, sign: &str) -> bool {
        self.0.next_if(|t| matches!(t, Token::Sign(s) if s == sign)).is_some()
    }

    fn either(&mut self) -> Shape {
        let mut parts = vec![self.both()];
        while self.word("or") {
            parts.push(self.both());
        }
        if parts.len() == 1 { parts.remove(0) } else { Shape::Any(parts) }
    }

    fn both(&mut self) -> Shape {
        let mut parts = vec![self.one()];
        while self.word("and") {
            parts.push(self.one());
        }
        if parts.len() == 1 { parts.remove(0) } else { Shape::All(parts) }
    }

    fn one(&mut self) -> Shape {
        if self.sign("(") {
            let inner = self.either();
            assert!(self.sign(")"));
            return inner;
        }
        let Some(Token::Word(attr)) = self.0.next() else { panic!("an attribute was expected") };
        if self.word("is") {
            assert!(self.word("null"));
            return Shape::Null(attr);
        }
        if self.word("in") {
            assert!(self.sign("("));
            let mut values = vec![self.0.next().unwrap()];
            while self.sign(",") {
                values.push(self.0.next().unwrap());
            }
            assert!(self.sign(")"));
            return Shape::In(attr, values);
        }
        let operator = match self.0.next() {
            Some(Token::Sign(sign)) => sign,
            Some(Token::Word(word)) => word,
            other => panic!("an operator was expected, not {other:?}"),
        };
        Shape::Compare(attr, operator, self.0.next().unwrap())
    }
}

fn token(value: &Value) -> Token {
    match value {
        Value::Text(text) => Token::Text(text.clone()),
        Value::Id(digits) => Token::Word(digits.as_str().to_owned()),
        Value::Timestamp(at) => Token::Text(at.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string()),
        Value::Date(date) => Token::Text(date.to_string()),
    }
}

fn shape(filter: &Filter) -> Shape {
    let compare =
        |attr: &Attr, operator: &str, value| Shape::Compare(attr.as_str().into(), operator.into(), value);
    match filter {
        Filter::Eq(attr, value) => compare(attr, "=", token(value)),
        Filter::Ne(attr, value) => compare(attr, "!=", token(value)),
        Filter::Ge(attr, value) => compare(attr, ">=", token(value)),
        Filter::Gt(attr, value) => compare(attr, ">", token(value)),
        Filter::Le(attr, value) => compare(attr, "<=", token(value)),
        Filter::Lt(attr, value) => compare(attr, "<", token(value)),
        Filter::Like(attr, pattern) => compare(attr, "like", Token::Text(pattern.as_str().into())),
        Filter::In(attr, values) => {
            Shape::In(attr.as_str().into(), values.as_slice().iter().map(token).collect())
        }
        Filter::IsNull(attr) => Shape::Null(attr.as_str().into()),
        Filter::And(left, right) => {
            Shape::All([left, right].into_iter().flat_map(|f| flat(f, true)).collect())
        }
        Filter::Or(left, right) => {
            Shape::Any([left, right].into_iter().flat_map(|f| flat(f, false)).collect())
        }
    }
}

fn flat(filter: &Filter, and: bool) -> Vec<Shape> {
    match (shape(filter), and) {
        (Shape::All(parts), true) | (Shape::Any(parts), false) => parts,
        (other, _) => vec![other],
    }
}

/// The query string's parameters, decoded as a server does.
fn parameters(query: &str) -> HashMap<String, String> {
    assert!(query.is_ascii() && !query.contains([' ', '\'', '"', '#', '<', '>']), "{query}");
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let count = pairs.len();
    let map: HashMap<_, _> = pairs.into_iter().collect();
    assert_eq!(map.len(), count, "a parameter stands twice in {query}");
    map
}

fn any_text() -> impl Strategy<Value = String> {
    let hostile = prop::sample::select(vec![
        "'",
        "''",
        ";",
        " or ",
        " and X is not null",
        "%27",
        "%",
        "*",
        "\n",
        "\r\n",
        "&q=",
        "&",
        "+",
        "#",
        "\\'",
        "\u{2019}",
        "\u{ff07}",
        "(",
        ")",
        "--",
        "/*",
        "=",
        "\0",
        "日本",
        "é",
        "\"",
        "like",
        "in ('a')",
    ]);
    prop_oneof![
        any::<String>(),
        prop::collection::vec(
            prop_oneof![hostile.prop_map(str::to_owned), "[a-z ]{0,4}".prop_map(|s| s)],
            0..8
        )
        .prop_map(|parts| parts.concat()),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => any_text().prop_map(Value::Text),
        1 => "[0-9]{1,38}".prop_map(|d| Value::id(&d).unwrap()),
        1 => (0i64..4_000_000_000_000).prop_map(|ms| Value::Timestamp(jiff::Timestamp::from_millisecond(ms).unwrap())),
        1 => (1i16..=9999, 1i8..=12, 1i8..=28).prop_map(|(y, m, d)| Value::Date(jiff::civil::date(y, m, d))),
    ]
}

fn any_attr() -> impl Strategy<Value = Attr> {
    "[A-Za-z_][A-Za-z0-9_]{0,12}(\\.[A-Z][a-z]{0,6})?"
        .prop_filter_map("a reserved word", |name| Attr::new(&name).ok())
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        (any_attr(), any_value(), 0..6).prop_map(|(attr, value, kind)| match kind {
            0 => Filter::Eq(attr, value),
            1 => Filter::Ne(attr, value),
            2 => Filter::Ge(attr, value),
            3 => Filter::Gt(attr, value),
            4 => Filter::Le(attr, value),
            _ => Filter::Lt(attr, value),
        }),
        (any_attr(), any_text(), prop::sample::select(&Wildcard::ALL[..])).prop_map(
            |(attr, text, wildcard)| match Pattern::contains_by(&text, wildcard) {
                Ok(pattern) => Filter::Like(attr, pattern),
                Err(_) => Filter::IsNull(attr),
            }
        ),
        (any_attr(), prop::collection::vec(any_value(), 1..4))
            .prop_map(|(attr, values)| Filter::In(attr, Values::new(values).unwrap())),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        (inner.clone(), inner, any::<bool>()).prop_map(|(a, b, and)| if and { a.and(b) } else { a.or(b) })
    })
}

proptest! {
    #[test]
    fn no_value_breaks_out_of_a_filter(filter in any_filter()) {
        let query = Query::new(Resource::PurchaseOrders).filter(filter.clone()).to_query_string(DateTimeLiteral::default());
        let found = parameters(&query);
        prop_assert_eq!(Reader::read(&found["q"]), shape(&filter));
        prop_assert_eq!(found.len(), 4, "{}", query);
    }

    #[test]
    fn a_url_keeps_the_query_as_it_was_written(filter in any_filter()) {
        let query = Query::new(Resource::Invoices).filter(filter).to_query_string(DateTimeLiteral::default());
        let mut url: url::Url = "https://acme.fa.us2.oraclecloud.com/x".parse().unwrap();
        url.set_query(Some(&query));
        prop_assert_eq!(url.query(), Some(query.as_str()));
        prop_assert_eq!(url.fragment(), None);
    }

    #[test]
    fn a_finder_value_stays_one_value(value in any_text()) {
        let finder = Finder::new("PrimaryKey").unwrap().with("A", "x").unwrap().with("B", &value);
        let Ok(finder) = finder else {
            prop_assert!(value.contains(|c: char| c.is_control() || ";,='\"".contains(c)));
            return Ok(());
        };
        let query = Query::new(Resource::Invoices).finder(finder).to_query_string(DateTimeLiteral::default());
        let found = parameters(&query);
        prop_assert_eq!(&found["finder"], &format!("PrimaryKey;A=x,B={value}"));
    }

    #[test]
    fn a_name_is_letters_digits_and_underscores(name in any_text()) {
        if let Ok(attr) = Attr::new(&name) {
            prop_assert!(attr.as_str().chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.'));
        }
        if let Ok(digits) = Digits::new(&name) {
            prop_assert!(digits.as_str().chars().all(|c| c.is_ascii_digit()));
        }
    }
}

#[test]
fn a_whole_query_reads_as_oracle_documents_it() {
    let at = "2026-01-02T03:04:05.678Z".parse().unwrap();
    let query = Query::new(Resource::PurchaseOrders)
        .filter(Filter::Ge(Attr::last_update(), Value::Timestamp(at)))
        .filter(Filter::Eq(Attr::new("Supplier").unwrap(), Value::text("O'Neil; or 1=1")))
        .order_by(Attr::last_update(), Direction::Ascending)
        .order_by(Resource::PurchaseOrders.id_attribute(), Direction::Ascending)
        .expanded()
        .limit(Limit::clamped(5_000))
        .offset(25);
    let found = parameters(&query.to_query_string(DateTimeLiteral::default()));
    assert_eq!(
        found["q"],
        "LastUpdateDate >= '2026-01-02T03:04:05.678+00:00' and Supplier = 'O''Neil; or 1=1'"
    );
    assert_eq!(found["orderBy"], "LastUpdateDate:asc,POHeaderId:asc");
    assert_eq!(found["expand"], "lines.schedules.distributions");
    assert_eq!((&*found["limit"], &*found["offset"], &*found["onlyData"]), ("499", "25", "true"));
    assert!(!found.contains_key("totalResults") && !found.contains_key("fields"));
}

#[test]
fn further_children_follow_the_usual_ones_each_once_and_in_their_order() {
    let text = |further: &[&str]| {
        let further = Expand::new(further.iter().copied()).ok();
        Query::new(Resource::PurchaseOrders)
            .expanding(further.as_ref())
            .to_query_string(DateTimeLiteral::default())
    };
    let expand = |further: &[&str]| parameters(&text(further))["expand"].clone();
    let (usual, project) = ("lines.schedules.distributions", "lines.schedules.distributions.projectDFF");
    assert_eq!(expand(&[project, "DFF"]), format!("{usual},{project},DFF"));
    assert_eq!(expand(&["DFF", project, "DFF"]), format!("{usual},DFF,{project}"));
    // what lies on the way to another comes along with it
    assert_eq!(expand(&["attachments.notes", "attachments"]), format!("{usual},attachments.notes"));
    assert_eq!(expand(&["linesOfOthers"]), format!("{usual},linesOfOthers"));
    let plain = Query::new(Resource::PurchaseOrders).expanded().to_query_string(DateTimeLiteral::default());
    for nothing_new in [&[][..], &["lines"], &["lines.schedules", usual]] {
        assert_eq!(text(nothing_new), plain, "{nothing_new:?}");
    }
    let of = |query: Query| parameters(&query.to_query_string(DateTimeLiteral::default()));
    let sites = Expand::new(["sites"]).unwrap();
    assert_eq!(of(Query::new(Resource::Suppliers).expanding(Some(&sites)))["expand"], "sites");
    assert!(!of(Query::new(Resource::Suppliers).expanding(None)).contains_key("expand"));
}

#[test]
fn and_and_or_meet_only_in_parentheses() {
    let is = |name: &str| Filter::Eq(Attr::new(name).unwrap(), Value::id("1").unwrap());
    let query = Query::new(Resource::Invoices).filter(is("A").or(is("B"))).filter(is("C").and(is("D")));
    let found = parameters(&query.to_query_string(DateTimeLiteral::default()));
    assert_eq!(found["q"], "(A = 1 or B = 1) and C = 1 and D = 1");
}

#[test]
fn a_bound_is_widened_by_a_coarser_literal() {
    let at: jiff::Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
    let seconds = DateTimeLiteral { precision: Precision::Seconds, zone: Zone::Zulu, quoting: Quoting::Bare };
    let q = |filter: Filter| {
        let query = Query::new(Resource::Invoices).filter(filter).datetime_literal(seconds);
        parameters(&query.to_query_string(DateTimeLiteral::default()))["q"].clone()
    };
    let date = Attr::last_update;
    assert_eq!(q(Filter::Ge(date(), Value::Timestamp(at))), "LastUpdateDate >= 2026-01-02T03:04:05Z");
    assert_eq!(q(Filter::Lt(date(), Value::Timestamp(at))), "LastUpdateDate < 2026-01-02T03:04:06Z");
    let before_1970: jiff::Timestamp = "1969-12-31T23:59:59.5Z".parse().unwrap();
    assert_eq!(q(Filter::Gt(date(), Value::Timestamp(before_1970))), "LastUpdateDate > 1969-12-31T23:59:59Z");
}

#[test]
fn names_that_are_words_of_the_language_are_refused() {
    for name in ["or", "AND", "Is", "null", "a.or", "", ".", "a.", "1a", "a b", "a'b", "a;b", "é", "a%20b"] {
        assert!(Attr::new(name).is_err(), "{name}");
    }
    assert!(Attr::new("invoiceDff.__FLEX_Context").is_ok());
    assert!(Expand::new(["lines.schedules", "DFF"]).is_ok());
    assert!(Expand::new([]).is_err());
    assert!(Expand::new(["lines&q=x"]).is_err());
    let fields = Fields::new(["POHeaderId", "OrderNumber"]).unwrap().child("lines", ["POLineId"]).unwrap();
    assert_eq!(fields.as_str(), "POHeaderId,OrderNumber;lines:POLineId");
}

#[test]
fn wildcards_in_a_search_text_are_refused() {
    for text in ["*", "100%", "a*b"] {
        assert_eq!(Pattern::starts_with(text), Err(QueryError::Wildcard));
    }
    assert_eq!(Pattern::starts_with("ACME").unwrap().as_str(), "ACME*");
}

#[test]
fn either_wildcard_stands_only_where_it_was_put() {
    let q = |pattern| {
        let filter = Filter::Like(Attr::new("BatchName").unwrap(), pattern);
        let query = Query::new(Lookup::JournalBatches).filter(filter).expanded();
        let found = parameters(&query.to_query_string(DateTimeLiteral::default()));
        assert!(!found.contains_key("expand"));
        found["q"].clone()
    };
    for (wildcard, text) in [(Wildcard::Star, "*4711*"), (Wildcard::Percent, "%4711%")] {
        assert_eq!(q(Pattern::contains_by("4711", wildcard).unwrap()), format!("BatchName like '{text}'"));
        // neither letter may come from outside, whichever of them the pod takes
        for text in ["1*2", "1%2", "*", "%", "%27 or 1=1", "' or BatchName like '*"] {
            assert_eq!(Pattern::contains_by(text, wildcard), Err(QueryError::Wildcard), "{text}");
        }
        let quoted = q(Pattern::contains_by("O'Neil' or 'a' = 'a", wildcard).unwrap());
        let letter = wildcard.letter();
        assert_eq!(quoted, format!("BatchName like '{letter}O''Neil'' or ''a'' = ''a{letter}'"));
    }
}

#[test]
fn a_limit_is_always_from_1_to_499() {
    assert_eq!([0, 1, 499, 500, u32::MAX].map(|rows| Limit::clamped(rows).get()), [1, 1, 499, 499, 499]);
}
