//! Whether what an order brings onto its tasks may be used in Oracle.

use std::collections::{BTreeMap, HashMap};

use asana::FieldValue;
use jiff::civil::Date;
use sqlx::PgConnection;

use crate::code::Code;
use crate::error::Result;
use crate::ids::ConnectionId;
use crate::mapping::Held;
use crate::mapping::values::Subject;
use crate::purpose::Purpose;
use crate::record::OrderFacts;
use crate::reference::check::{Entry, Validity, words};
use crate::reference::{Invalid, Kind};
use crate::settings::Settings;
use crate::store::choices;

/// Stored suppliers and accounts, by kind and Oracle's id.
pub type Known = HashMap<(Kind, String), Entry>;

/// The suppliers and accounts that these orders name, as far as they are known, with one statement; nothing without
/// `[reference]`.
pub async fn known(
    db: &mut PgConnection,
    connection: ConnectionId,
    settings: &Settings,
    orders: impl Iterator<Item = &OrderFacts> + Clone,
) -> Result<Known> {
    if settings.reference.is_none() {
        return Ok(Known::new());
    }
    let once = |mut ids: Vec<String>| {
        ids.sort();
        ids.dedup();
        ids
    };
    let suppliers = once(orders.clone().filter_map(|order| order.supplier_id.clone()).collect());
    let is_shown = settings.fields.contains_key(&Purpose::GlAccount);
    let accounts = orders.filter(|_| is_shown).flat_map(|order| order.account_ids.clone()).collect();
    let accounts = once(accounts);
    if suppliers.is_empty() && accounts.is_empty() {
        return Ok(Known::new());
    }
    let found = choices::by_id(db, connection, &suppliers, &accounts).await?;
    Ok(found.into_iter().map(|(kind, entry)| ((kind, entry.id.clone()), entry)).collect())
}

/// Judges what is about to be written by Oracle's ids: what is to be told of it, or why it is held. An id that is not
/// stored says nothing: it may be newer than the last reading, and is asked for.
///
/// # Errors
/// [`Code::ReferenceInvalid`] when it may not be used and the settings say that such an order is held.
pub fn judge(
    subject: Subject<'_>,
    settings: &Settings,
    known: &Known,
    written: &BTreeMap<String, FieldValue>,
    day: Date,
) -> std::result::Result<Vec<String>, Held> {
    let Some(reference) = &settings.reference else { return Ok(Vec::new()) };
    let is_written = |purpose: Purpose| {
        let gids = settings.fields.get(&purpose).into_iter().chain(reference.text.get(&purpose));
        gids.filter_map(|gid| written.get(&gid.0)).any(|value| *value != FieldValue::Clear)
    };
    let mut said = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| is_written(kind.purpose())) {
        for id in ids(subject, kind) {
            let Some(entry) = known.get(&(kind, id.clone())) else { continue };
            let validity = entry.validity(day);
            if validity != Validity::Valid {
                said.push(words(kind, &entry.name, validity));
            }
        }
    }
    if said.is_empty() || reference.invalid == Invalid::Write {
        return Ok(said);
    }
    Err(Held::new(Code::ReferenceInvalid, said.join("; ")))
}

/// Oracle's ids of what the subject names.
fn ids<'s>(subject: Subject<'s>, kind: Kind) -> &'s [String] {
    match kind {
        Kind::Suppliers => subject.order.supplier_id.as_slice(),
        Kind::Accounts => subject.line.map_or(&subject.order.account_ids, |line| &line.account_ids),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::reference::ReferenceSettings;

    fn settings(invalid: Invalid) -> Settings {
        let text = include_str!("../../../../docs/settings.md");
        let example = text.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let mut settings = Settings::from_toml(example).unwrap();
        settings.reference = Some(ReferenceSettings { invalid, ..ReferenceSettings::default() });
        settings
    }

    fn entry(id: &str, disabled: bool) -> Entry {
        let (number, from, until) = (None, None, None);
        Entry { id: id.into(), name: format!("N{id}"), number, disabled, from, until, gone: false }
    }

    #[test]
    fn only_what_is_known_and_about_to_be_written_is_judged() {
        let order = OrderFacts {
            supplier_id: Some("1".into()),
            account_ids: vec!["2".into(), "3".into(), "4".into()],
            ..OrderFacts::default()
        };
        let subject = Subject { order: &order, line: None, invoices: &[] };
        let all = [(Kind::Suppliers, "1", true), (Kind::Accounts, "2", false), (Kind::Accounts, "3", true)];
        let known: Known =
            all.map(|(kind, id, disabled)| ((kind, id.to_owned()), entry(id, disabled))).into();
        let write = settings(Invalid::Write);
        let field = |purpose| write.fields[&purpose].0.clone();
        let text = || FieldValue::Text("x".into());
        let both = BTreeMap::from([(field(Purpose::Supplier), text()), (field(Purpose::GlAccount), text())]);
        let day = date(2026, 7, 1);
        let told = judge(subject, &write, &known, &both, day).unwrap();
        assert_eq!(told, ["supplier `N1` is inactive in Oracle", "account `N3` is inactive in Oracle"]);
        let cleared = BTreeMap::from([(field(Purpose::Supplier), FieldValue::Clear)]);
        assert_eq!(judge(subject, &write, &known, &cleared, day).unwrap(), [""; 0]);
        let hold = settings(Invalid::Hold);
        let held = judge(subject, &hold, &known, &both, day).unwrap_err();
        assert_eq!((held.code, held.reason), (Code::ReferenceInvalid, told.join("; ")));
        assert!(judge(subject, &hold, &known, &cleared, day).is_ok());
        assert!(judge(subject, &hold, &Known::new(), &both, day).is_ok(), "nothing was read");
        let none = Settings { reference: None, ..hold };
        assert!(judge(subject, &none, &known, &both, day).is_ok());
    }
}
