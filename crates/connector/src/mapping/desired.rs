//! The values that a task's fields should show, checked against the fields as they are.

use std::collections::BTreeMap;

use asana::FieldValue;

use crate::amount;
use crate::code::Code;
use crate::erase::MARK;
use crate::ids::FieldGid;
use crate::mapping::Held;
use crate::mapping::document::Target;
use crate::mapping::engine::Mapping;
use crate::mapping::field::{Field, FieldSet, Kind};
use crate::mapping::values::{Subject, Value};
use crate::purpose::Purpose;
use crate::settings::Settings;
use crate::template::{NAME_CHARACTERS, NOTES_CHARACTERS, cut, with_key};

/// Asana's limit for a text value, in characters.
pub const TEXT_CHARACTERS: usize = 1024;

/// What a task should show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Desired {
    /// A value per mapped field, by gid, and per attribute of the task that a rule sets, by [`Target::key`]; `Clear`
    /// where there is nothing to show.
    pub values: BTreeMap<String, FieldValue>,
    /// What was done to make a value fit, such as a cut text.
    pub notes: Vec<String>,
}

/// Computes what the subject's task should show, or everything that stands in the way.
pub fn desired(
    subject: Subject<'_>,
    settings: &Settings,
    mapping: &Mapping,
    fields: &FieldSet,
) -> Result<Desired, Vec<Held>> {
    let mut desired = Desired::default();
    let mut problems = Vec::new();
    match mapping.outcome(subject) {
        Err(held) => problems.extend(held),
        Ok(outcome) => {
            for (target, value) in outcome {
                match placed(subject, &target, value, fields, &mut desired.notes) {
                    Ok(Some(value)) => drop(desired.values.insert(target.key(), value)),
                    Ok(None) => {}
                    Err(held) => problems.push(held),
                }
            }
        }
    }
    for (purpose, gid) in &settings.fields {
        match one(subject, settings, mapping, fields, *purpose, gid, &mut desired.notes) {
            Ok(Some(value)) => {
                desired.values.insert(gid.0.clone(), value);
                // the text field beside it holds something only while there is no option
                if let Some(beside) = beside(settings, fields, *purpose) {
                    desired.values.insert(beside.0.clone(), FieldValue::Clear);
                }
            }
            Ok(None) => {}
            Err(held) if held.code == Code::NoOption => match beside(settings, fields, *purpose) {
                Some(beside) => {
                    let text = instead(subject, mapping, *purpose, &mut desired.notes);
                    desired.values.insert(gid.0.clone(), FieldValue::Clear);
                    desired.values.insert(beside.0.clone(), text);
                }
                None => problems.push(held),
            },
            Err(held) => problems.push(held),
        }
    }
    if problems.is_empty() { Ok(desired) } else { Err(problems) }
}

/// The text field that takes a purpose's value when there is no option for it, if one is set and can be written.
fn beside<'s>(settings: &'s Settings, fields: &FieldSet, purpose: Purpose) -> Option<&'s FieldGid> {
    let gid = settings.reference.as_ref()?.text.get(&purpose)?;
    let field = fields.get(gid)?;
    (field.writable && matches!(field.kind, Kind::Text)).then_some(gid)
}

/// The value as text.
fn instead(subject: Subject<'_>, mapping: &Mapping, purpose: Purpose, notes: &mut Vec<String>) -> FieldValue {
    let Ok(Value::Text(text)) = mapping.value_of(purpose, subject) else {
        return FieldValue::Clear;
    };
    notes.push(format!("{} has no option, so it stands in the text field beside it", purpose.as_str()));
    FieldValue::Text(cut(&text, TEXT_CHARACTERS).0)
}

fn one(
    subject: Subject<'_>,
    settings: &Settings,
    mapping: &Mapping,
    fields: &FieldSet,
    purpose: Purpose,
    gid: &FieldGid,
    notes: &mut Vec<String>,
) -> Result<Option<FieldValue>, Held> {
    if purpose == Purpose::Cost {
        return Ok(None);
    }
    let Some(field) = fields.get(gid) else {
        return Err(Held::new(
            Code::FieldMissing,
            format!("field {gid} for {} is not on the project", purpose.as_str()),
        ));
    };
    field.check(purpose)?;
    let value = match purpose {
        // written only together with another value, see `stamp`; the other is the task's, not the order's
        Purpose::LastSynced | Purpose::JournalStatus => return Ok(None),
        Purpose::OracleLink => Value::Text(oracle_link(settings, &subject.order.id)),
        _ => mapping.value_of(purpose, subject)?,
    };
    let source = subject.source_id(purpose).filter(|_| !mapping.replaces(purpose));
    let bound = source.and_then(|id| field.bound.get(id));
    if let (Value::Text(_), Some(option)) = (&value, bound) {
        // the option stands for the supplier or account itself, whatever its name is by now
        return Ok(Some(FieldValue::Enum(option.clone())));
    }
    if matches!(&value, Value::Text(text) if text == MARK) {
        // the name was erased here, not in Asana
        return Ok(None);
    }
    fit(value, field, purpose.as_str(), notes).map(Some).map_err(|held| {
        let is_kept = |purpose| settings.reference.as_ref().is_some_and(|r| r.options.contains(&purpose));
        if held.code != Code::NoOption || !is_kept(purpose) {
            return held;
        }
        let several = subject.account_ids().len() > 1 && !mapping.replaces(purpose);
        let way = match purpose {
            _ if source.is_some() => {
                format!("`reference sync NAME` makes the options of {}", purpose.as_str())
            }
            Purpose::GlAccount if several => {
                "several accounts are no option: a text field in `[reference.text]` takes them".to_owned()
            }
            _ => return held,
        };
        Held::new(held.code, format!("{}; {way}", held.reason))
    })
}

/// A rule's value for its target, as Asana takes it; nothing when the target is to be left alone.
fn placed(
    subject: Subject<'_>,
    target: &Target,
    value: Value,
    fields: &FieldSet,
    notes: &mut Vec<String>,
) -> Result<Option<FieldValue>, Held> {
    let gid = match target {
        Target::Field(gid) => gid,
        _ => return attribute(subject, target, value, notes),
    };
    let Some(field) = fields.get(gid) else {
        return Err(Held::new(
            Code::FieldMissing,
            format!("field {gid} of the mapping is not on the project"),
        ));
    };
    if !field.writable {
        return Err(Held::new(Code::FieldReadOnly, format!("field `{}` cannot be written", field.name)));
    }
    fit(value, field, "the mapping's value", notes).map(Some)
}

/// A value for an attribute of the task itself.
fn attribute(
    subject: Subject<'_>,
    target: &Target,
    value: Value,
    notes: &mut Vec<String>,
) -> Result<Option<FieldValue>, Held> {
    let text = match value {
        Value::Empty => None,
        Value::Text(text) => Some(text),
        Value::Amount(amount, _) => Some(amount.to_string()),
        Value::Date(date) => Some(date.to_string()),
    };
    let mut shortened = |text: &str, characters: usize| {
        let (text, was_cut) = cut(text, characters);
        if was_cut {
            notes.push(format!("{target} was cut to {characters} characters"));
        }
        FieldValue::Text(text)
    };
    Ok(match (target, text) {
        // a task must have a name and is always in a section: without one they stay
        (Target::Name | Target::Section, None) => None,
        (Target::Name, Some(text)) if text.trim().is_empty() => None,
        (Target::Name, Some(text)) => Some(shortened(text.trim(), NAME_CHARACTERS)),
        (Target::Notes, text) => {
            let text = shortened(text.unwrap_or_default().trim_end(), NOTES_CHARACTERS);
            let FieldValue::Text(text) = text else { return Ok(None) };
            let line = subject.line.map(|line| line.id.as_str());
            Some(FieldValue::Text(with_key(&text, &subject.order.id, line)))
        }
        (Target::DueOn, Some(text)) => match text.parse() {
            Ok(date) => Some(FieldValue::Date(date)),
            Err(_) => {
                let reason = format!("the due date is `{text}`, which is no date");
                return Err(Held::new(Code::ValueUnfit, reason));
            }
        },
        (Target::Section, Some(gid)) if !gid.bytes().all(|b| b.is_ascii_digit()) => {
            return Err(Held::new(Code::ValueUnfit, format!("the section is `{gid}`, which is no gid")));
        }
        (Target::Assignee, Some(who)) if !is_user(&who) => {
            let reason = format!("the assignee is `{who}`, which is neither an e-mail address nor a gid");
            return Err(Held::new(Code::ValueUnfit, reason));
        }
        (_, None) => Some(FieldValue::Clear),
        (_, Some(text)) => Some(FieldValue::Text(text)),
    })
}

/// Whether a text can name a user: nobody else is asked for in Asana.
fn is_user(text: &str) -> bool {
    let is_gid = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_gid || text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

fn fit(value: Value, field: &Field, what: &str, notes: &mut Vec<String>) -> Result<FieldValue, Held> {
    match (value, &field.kind) {
        (Value::Empty, _) => Ok(FieldValue::Clear),
        (Value::Text(text), Kind::Enum(options)) => {
            let option = options.iter().find(|(name, _)| *name == text);
            let option = option.or_else(|| options.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text)));
            option.map(|(_, gid)| FieldValue::Enum(gid.clone())).ok_or_else(|| {
                Held::new(Code::NoOption, format!("field `{}` has no enabled option `{text}`", field.name))
            })
        }
        (Value::Text(text), Kind::Date) => text.parse().map(FieldValue::Date).map_err(|_| {
            let reason = format!("{what} for field `{}` is `{text}`, which is no date", field.name);
            Held::new(Code::ValueUnfit, reason)
        }),
        // a constant, or a default: it is in the field's own currency
        (Value::Text(text), Kind::Number { precision, .. }) => {
            let number = text.trim().parse().map_err(|_| {
                let reason = format!("{what} for field `{}` is `{text}`, which is no number", field.name);
                Held::new(Code::ValueUnfit, reason)
            })?;
            let what = format!("{what} for field `{}`", field.name);
            Ok(FieldValue::Number(amount::fits(number, *precision, &what)?))
        }
        (Value::Date(date), Kind::Date) => Ok(FieldValue::Date(date)),
        (Value::Date(date), Kind::Text) => Ok(FieldValue::Text(date.to_string())),
        (Value::Amount(amount, _), Kind::Text) => Ok(FieldValue::Text(amount.to_string())),
        (Value::Text(text), Kind::Text) => {
            let (text, was_cut) = cut(&text, TEXT_CHARACTERS);
            if was_cut {
                notes.push(format!("{what} was cut to {TEXT_CHARACTERS} characters"));
            }
            Ok(if text.is_empty() { FieldValue::Clear } else { FieldValue::Text(text) })
        }
        (Value::Amount(value, currency), Kind::Number { precision, currency: of_field }) => {
            if let Some(of_field) = of_field
                && currency.as_deref() != Some(of_field)
            {
                let currency = currency.as_deref().unwrap_or("no currency");
                return Err(Held::new(
                    Code::FieldCurrency,
                    format!("field `{}` is in {of_field}, {what} is in {currency}", field.name),
                ));
            }
            let what = format!("{what} for field `{}`", field.name);
            Ok(FieldValue::Number(amount::fits(value, *precision, &what)?))
        }
        (Value::Amount(..), kind) => Err(Held::new(
            Code::FieldType,
            format!("field `{}` is {}; an amount needs a number field", field.name, kind.name()),
        )),
        (Value::Text(_) | Value::Date(_), kind) => Err(Held::new(
            Code::FieldType,
            format!("field `{}` is {}, which cannot show {what}", field.name, kind.name()),
        )),
    }
}

/// The value of the `last_synced` field for a write that happens at `now`.
#[must_use]
pub fn stamp(settings: &Settings, fields: &FieldSet, now: jiff::Timestamp) -> Option<(String, FieldValue)> {
    let gid = settings.fields.get(&Purpose::LastSynced)?;
    let seconds = now.round(jiff::Unit::Second).unwrap_or(now);
    let value = match fields.get(gid)?.kind {
        Kind::Date => FieldValue::DateTime(seconds),
        _ => FieldValue::Text(seconds.to_string()),
    };
    Some((gid.0.clone(), value))
}

/// The value of the `journal_status` field: what became of the task's completion.
#[must_use]
pub fn journal_status(settings: &Settings, words: &str) -> Option<(String, FieldValue)> {
    let gid = settings.fields.get(&Purpose::JournalStatus)?;
    Some((gid.0.clone(), FieldValue::Text(cut(words, TEXT_CHARACTERS).0)))
}

/// The order's page, from the link pattern that the connection's settings give.
fn oracle_link(settings: &Settings, order_id: &str) -> String {
    settings.oracle.order_link.as_deref().map(|link| link.replace("{id}", order_id)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::OrderFacts;

    #[test]
    fn only_what_can_name_a_user_is_sent_as_the_assignee() {
        let order = OrderFacts::default();
        let subject = Subject { order: &order, line: None, invoices: &[] };
        let placed = |who: &str| {
            attribute(subject, &Target::Assignee, Value::Text(who.into()), &mut Vec::new())
                .map_err(|held| held.code)
        };
        for who in ["ann@acme.test", "1200000000000001"] {
            assert_eq!(placed(who), Ok(Some(FieldValue::Text(who.into()))));
        }
        for who in ["Gee, May", "@acme.test", "ann@", ""] {
            assert_eq!(placed(who), Err(Code::ValueUnfit), "{who}");
        }
        let nobody = attribute(subject, &Target::Assignee, Value::Empty, &mut Vec::new());
        assert_eq!(nobody, Ok(Some(FieldValue::Clear)));
    }
}
