//! From what was read to one value: each step as a value's settings say. Pure.

use std::collections::BTreeSet;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::amount;
use crate::code::Code;
use crate::mapping::Held;
use crate::mapping::document::{AsKind, Case, ValueSettings};
use crate::mapping::path::Scalar;
use crate::mapping::values::Value;

/// What a value is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Everything that was found.
    pub found: Vec<Scalar>,
    /// The currency of what was found, when it has one.
    pub currency: Option<String>,
    /// Whether what was found stands in several currencies.
    pub is_mixed: bool,
}

/// Makes one value of what was found.
///
/// # Errors
/// Why there is none for this very record, with the value's `name`.
pub fn shape(name: &str, settings: &ValueSettings, source: Source) -> Result<Value, Held> {
    let Source { mut found, currency, is_mixed } = source;
    if settings.trim || settings.case.is_some() || !settings.lookup.is_empty() {
        found = found.iter().map(|one| reword(name, settings, &one.text())).collect::<Result<_, _>>()?;
    }
    found.retain(|one| !one.text().is_empty());
    if settings.sum && is_mixed && found.len() > 1 {
        let reason = format!("`{name}` would add numbers in different currencies");
        return Err(Held::new(Code::CurrencyMixed, reason));
    }
    let one = match reduce(name, settings, found)? {
        Some(one) => one,
        None => match &settings.default {
            Some(default) if !default.is_empty() => Scalar::Text(default.clone()),
            _ => return Ok(Value::Empty),
        },
    };
    write(name, settings, &one, currency)
}

/// What happens on the way to a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether the default stands in, for all of it or a part.
    pub is_defaulted: bool,
    /// Whether there is something besides the default.
    pub has_own: bool,
    /// Texts that the look-up table does not have, each once.
    pub missing: BTreeSet<String>,
}

/// Looks at what [`shape`] makes of the same source.
#[must_use]
pub fn seen(settings: &ValueSettings, source: &Source) -> Seen {
    let mut seen = Seen::default();
    for one in &source.found {
        let text = letters(settings, &one.text());
        if text.is_empty() {
            continue;
        }
        if settings.lookup.is_empty() || settings.lookup.contains_key(&text) {
            seen.has_own = true;
        } else {
            seen.missing.insert(text);
        }
    }
    let is_nothing = !seen.has_own && seen.missing.is_empty();
    let has_default = settings.default.as_deref().is_some_and(|default| !default.is_empty());
    seen.is_defaulted =
        (!seen.missing.is_empty() && settings.default.is_some()) || (is_nothing && has_default);
    seen
}

/// Spaces and letters of one text.
fn letters(settings: &ValueSettings, text: &str) -> String {
    let text = if settings.trim { text.trim() } else { text };
    match settings.case {
        None => text.to_owned(),
        Some(Case::Upper) => text.to_uppercase(),
        Some(Case::Lower) => text.to_lowercase(),
    }
}

/// Spaces, letters and look-up of one text.
fn reword(name: &str, settings: &ValueSettings, text: &str) -> Result<Scalar, Held> {
    let text = letters(settings, text);
    if settings.lookup.is_empty() || text.is_empty() {
        return Ok(Scalar::Text(text));
    }
    match settings.lookup.get(&text).or(settings.default.as_ref()) {
        Some(found) => Ok(Scalar::Text(found.clone())),
        None => {
            let reason = format!("the look-up table of `{name}` has no entry for `{text}`, and no default");
            Err(Held::new(Code::LookupMissing, reason))
        }
    }
}

/// One of several.
fn reduce(name: &str, settings: &ValueSettings, found: Vec<Scalar>) -> Result<Option<Scalar>, Held> {
    if settings.sum {
        let mut sum: Option<Decimal> = None;
        for one in &found {
            let number = decimal(name, &one.text())?;
            sum = Some(amount::add(sum.unwrap_or_default(), number, &format!("the sum `{name}`"))?);
        }
        return Ok(sum.map(|sum| Scalar::Number(sum.to_string())));
    }
    if settings.least || settings.greatest {
        let mut ranked = found.into_iter().map(|one| Ok((Rank::of(name, settings, &one)?, one)));
        let ranked = ranked.by_ref().collect::<Result<Vec<_>, Held>>()?.into_iter();
        let by_rank = |(one, _): &(Rank, Scalar), (other, _): &(Rank, Scalar)| one.cmp(other);
        let chosen = if settings.least { ranked.min_by(by_rank) } else { ranked.max_by(by_rank) };
        return Ok(chosen.map(|(_, one)| one));
    }
    let mut distinct: Vec<Scalar> = Vec::new();
    for one in found {
        if !distinct.iter().any(|known| known.text() == one.text()) {
            distinct.push(one);
        }
    }
    if let (Some(between), true) = (&settings.join, distinct.len() > 1) {
        let texts: Vec<_> = distinct.iter().map(Scalar::text).collect();
        return Ok(Some(Scalar::Text(texts.join(between))));
    }
    if distinct.len() > 1 && !settings.first {
        let reason = format!(
            "`{name}` has {} values, and nothing says which: join, sum, first, least or greatest",
            distinct.len()
        );
        return Err(Held::new(Code::ValueAmbiguous, reason));
    }
    Ok(distinct.into_iter().next())
}

/// What decides which of several values is the least.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Date(Date),
    Number(Decimal),
    Text(String),
}

impl Rank {
    fn of(name: &str, settings: &ValueSettings, one: &Scalar) -> Result<Rank, Held> {
        if settings.wants_date() {
            return date(name, settings, &one.text()).map(Rank::Date);
        }
        if matches!(one, Scalar::Number(_)) || settings.wants_number() {
            return decimal(name, &one.text()).map(Rank::Number);
        }
        Ok(Rank::Text(one.text().into_owned()))
    }
}

/// Numbers and dates, and how they are written as text.
fn write(
    name: &str,
    settings: &ValueSettings,
    one: &Scalar,
    currency: Option<String>,
) -> Result<Value, Held> {
    if settings.wants_date() {
        let date = date(name, settings, &one.text())?;
        return Ok(match &settings.date_to {
            Some(format) => Value::Text(written(name, format, date)?),
            None => Value::Date(date),
        });
    }
    let is_number = matches!(one, Scalar::Number(_));
    if is_number || settings.wants_number() {
        let number = decimal(name, &one.text())?;
        return Ok(if settings.writes_number() {
            Value::Text(figures(name, settings, number)?)
        } else {
            Value::Amount(number, currency)
        });
    }
    Ok(Value::Text(one.text().into_owned()))
}

fn decimal(name: &str, text: &str) -> Result<Decimal, Held> {
    let looks_like = text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E'));
    if !looks_like {
        return Err(Held::new(Code::ValueUnfit, format!("`{name}` is `{text}`, which is no number")));
    }
    amount::parse(text, &format!("`{name}`"))
}

fn date(name: &str, settings: &ValueSettings, text: &str) -> Result<Date, Held> {
    let parsed = match &settings.date_from {
        Some(format) => Date::strptime(format, text).ok(),
        None => iso(text, settings.zone.as_deref()),
    };
    let how = settings.date_from.as_deref().unwrap_or("ISO 8601");
    parsed.ok_or_else(|| {
        Held::new(Code::ValueUnfit, format!("`{name}` is `{text}`, which is no date as {how} writes it"))
    })
}

/// A date, or the date of an instant in a time zone.
fn iso(text: &str, zone: Option<&str>) -> Option<Date> {
    if let Ok(instant) = Timestamp::from_str(text) {
        let zone = match zone {
            Some(zone) => TimeZone::get(zone).ok()?,
            None => TimeZone::UTC,
        };
        return Some(instant.to_zoned(zone).date());
    }
    Date::from_str(text).ok()
}

fn written(name: &str, format: &str, date: Date) -> Result<String, Held> {
    jiff::fmt::strtime::format(format, date).map_err(|error| {
        Held::new(Code::ValueUnfit, format!("`{name}` cannot be written as `{format}`: {error}"))
    })
}

/// A number as text, exactly.
fn figures(name: &str, settings: &ValueSettings, number: Decimal) -> Result<String, Held> {
    let mut number = number;
    if let Some(decimals) = settings.decimals {
        let shortest = number.normalize();
        if shortest.scale() > decimals {
            let reason = format!("`{name}` is {shortest}, which {decimals} decimals would not hold");
            return Err(Held::new(Code::PrecisionLoss, reason));
        }
        number = shortest;
        number.rescale(decimals);
        if number.normalize() != shortest {
            return Err(Held::new(Code::NumberUnreadable, format!("`{name}` has too many digits")));
        }
    }
    let plain = number.to_string();
    let (whole, decimals) = plain.split_once('.').unwrap_or((&plain, ""));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut text = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        let left = digits.len() - place;
        if place > 0 && left.is_multiple_of(3) {
            text.push_str(settings.group_mark.as_deref().unwrap_or_default());
        }
        text.push(digit);
    }
    if !decimals.is_empty() {
        text.push_str(settings.decimal_mark.as_deref().unwrap_or("."));
        text.push_str(decimals);
    }
    Ok(text)
}

impl ValueSettings {
    /// Whether it is taken for a date.
    #[must_use]
    pub fn wants_date(&self) -> bool {
        self.as_kind == Some(AsKind::Date)
            || self.date_from.is_some()
            || self.date_to.is_some()
            || self.zone.is_some()
    }

    /// Whether it is taken for a number, whatever it was before.
    #[must_use]
    pub fn wants_number(&self) -> bool {
        self.as_kind == Some(AsKind::Number) || self.sum || self.writes_number()
    }

    /// How many of the settings are given that make one of several values; more than one exclude each other.
    #[must_use]
    pub fn of_several(&self) -> usize {
        let given = [self.join.is_some(), self.sum, self.first, self.least, self.greatest];
        given.into_iter().filter(|given| *given).count()
    }

    /// Whether it is a number written as text.
    #[must_use]
    pub fn writes_number(&self) -> bool {
        self.decimals.is_some() || self.decimal_mark.is_some() || self.group_mark.is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn made(settings: &str, found: &[&str]) -> Result<Value, Code> {
        let settings: ValueSettings = toml::from_str(settings).unwrap();
        let found = found.iter().map(|text| scalar(text)).collect();
        let source = Source { found, currency: Some("EUR".into()), is_mixed: false };
        shape("v", &settings, source).map_err(|held| held.code)
    }

    /// Digits are a number, anything else is text.
    fn scalar(text: &str) -> Scalar {
        if text.parse::<Decimal>().is_ok() { Scalar::Number(text.into()) } else { Scalar::Text(text.into()) }
    }

    fn text(text: &str) -> Result<Value, Code> {
        Ok(Value::Text(text.into()))
    }

    fn number(text: &str) -> Result<Value, Code> {
        Ok(Value::Amount(text.parse().unwrap(), Some("EUR".into())))
    }

    #[test]
    fn texts_are_trimmed_cased_and_looked_up() {
        assert_eq!(made("", &["x"]), text("x"));
        assert_eq!(made("trim = true\ncase = \"upper\"", &[" straße "]), text("STRASSE"));
        assert_eq!(made("lookup = { a = \"A1\" }", &["a"]), text("A1"));
        assert_eq!(made("lookup = { a = \"A1\" }", &["b"]), Err(Code::LookupMissing));
        assert_eq!(made("lookup = { a = \"A1\" }\ndefault = \"other\"", &["b"]), text("other"));
        assert_eq!(made("default = \"none\"", &[]), text("none"));
        assert_eq!(made("default = \"none\"\ntrim = true", &["  "]), text("none"));
        assert_eq!(made("", &[]), Ok(Value::Empty));
    }

    #[test]
    fn several_values_are_joined_summed_or_refused() {
        assert_eq!(made("", &["a", "a"]), text("a"));
        assert_eq!(made("", &["a", "b"]), Err(Code::ValueAmbiguous));
        assert_eq!(made("first = true", &["b", "a"]), text("b"));
        assert_eq!(made("least = true", &["b", "a", "c"]), text("a"));
        assert_eq!(made("greatest = true", &["9", "10.5", "10.25"]), number("10.5"));
        let dates = ["31/12/2026", "01/01/2027", "30/12/2026"];
        let day = |text: &str| Ok(Value::Date(text.parse().unwrap()));
        assert_eq!(made("least = true\ndate_from = \"%d/%m/%Y\"", &dates), day("2026-12-30"));
        assert_eq!(made("greatest = true\ndate_from = \"%d/%m/%Y\"", &dates), day("2027-01-01"));
        assert_eq!(made("least = true\nas = \"date\"", &["soon", "2026-01-31"]), Err(Code::ValueUnfit));
        assert_eq!(made("least = true", &[]), Ok(Value::Empty));
        assert_eq!(made("join = \" + \"", &["a", "b", "a"]), text("a + b"));
        assert_eq!(made("sum = true", &["0.10", "0.20", "0.20"]), number("0.50"));
        assert_eq!(made("sum = true", &["0.10", "x"]), Err(Code::ValueUnfit));
        let settings = ValueSettings { sum: true, ..ValueSettings::default() };
        let found = vec![scalar("1"), scalar("2")];
        let mixed = shape("v", &settings, Source { found, currency: None, is_mixed: true });
        assert_eq!(mixed.unwrap_err().code, Code::CurrencyMixed);
    }

    #[test]
    fn numbers_and_dates_are_read_and_written_exactly() {
        assert_eq!(made("", &["1200.50"]), number("1200.50"));
        assert_eq!(made("as = \"number\"\ntrim = true", &[" 7.5 "]), number("7.5"));
        let german = "decimals = 2\ndecimal_mark = \",\"\ngroup_mark = \".\"";
        assert_eq!(made(german, &["-1234567.5"]), text("-1.234.567,50"));
        assert_eq!(made(german, &["123"]), text("123,00"));
        assert_eq!(made("decimals = 1", &["0.25"]), Err(Code::PrecisionLoss));
        let day = |text: &str| Ok(Value::Date(text.parse().unwrap()));
        assert_eq!(made("as = \"date\"", &["2026-05-04"]), day("2026-05-04"));
        assert_eq!(made("as = \"date\"", &["2026-05-04T23:30:00+00:00"]), day("2026-05-04"));
        let berlin = "as = \"date\"\nzone = \"Europe/Berlin\"";
        assert_eq!(made(berlin, &["2026-05-04T23:30:00+00:00"]), day("2026-05-05"));
        assert_eq!(made("date_from = \"%d/%m/%Y\"", &["04/05/2026"]), day("2026-05-04"));
        assert_eq!(made("date_to = \"%d.%m.%Y\"", &["2026-05-04"]), text("04.05.2026"));
        assert_eq!(made("as = \"date\"", &["tomorrow"]), Err(Code::ValueUnfit));
    }

    proptest! {
        #[test]
        fn a_written_number_reads_back_as_the_same(mantissa in any::<i64>(), scale in 0_u32..6) {
            let number = Decimal::new(mantissa, scale);
            let written = figures("v", &ValueSettings { group_mark: Some(" ".into()), ..Default::default() }, number);
            prop_assert_eq!(written.unwrap().replace(' ', "").parse::<Decimal>().unwrap(), number);
        }
    }
}
