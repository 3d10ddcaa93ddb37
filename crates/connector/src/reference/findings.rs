//! What stands on tasks and is no supplier or account that may be used, whoever wrote it there.

use std::collections::{BTreeMap, BTreeSet};

use asana::FieldValue;
use jiff::civil::Date;
use serde::Serialize;

use crate::engine::{Clients, Engine};
use crate::erase::MARK;
use crate::error::Result;
use crate::mapping::field::Kind as FieldKind;
use crate::purpose::Purpose;
use crate::reference::Kind;
use crate::reference::check::{Entry, Validity, judge};
use crate::reference::field::Bindings;
use crate::store::{reference, tasks};

/// Tasks looked at with one query.
const PAGE: i64 = 1_000;

/// A value on a task that may not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The task's gid.
    pub task: String,
    /// What stands in its PO-number field.
    pub order_number: Option<String>,
    /// What the field is for.
    pub field: &'static str,
    /// What stands there.
    pub value: String,
    /// What is wrong with it.
    pub validity: Validity,
}

/// A value on a task, and the entry that its option stands for.
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) source: Option<String>,
}

/// Looks at every task as Asana last showed it, and judges its supplier and GL account on that day. A kind that was
/// never read is left out: nothing can be said of it.
///
/// # Errors
/// Failures of the database and of reading the fields.
pub async fn findings(engine: &Engine, clients: &Clients, day: Date) -> Result<Vec<Finding>> {
    let connection = clients.connection.id;
    let settings = &clients.connection.settings;
    let bindings = reference::bindings(&engine.db, connection).await?;
    let options = option_names(clients).await?;
    let mut kinds = Vec::new();
    for kind in Kind::ALL {
        if let Some(gid) = settings.fields.get(&kind.purpose()) {
            let entries = reference::entries(&engine.db, connection, kind).await?;
            if !entries.is_empty() {
                kinds.push((kind.purpose(), gid, Known::of(&entries, day)));
            }
        }
    }
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = tasks::page(&engine.db, connection, &after, PAGE).await?;
        let Some((last, ..)) = page.last() else { return Ok(found) };
        last.clone_into(&mut after);
        for (task, order_number, values) in &page {
            for (purpose, gid, known) in &kinds {
                let Some(value) = values.get(&gid.0) else { continue };
                for shown in shown(*purpose, &gid.0, value, &bindings, &options) {
                    let validity = known.judge(&shown);
                    if validity != Validity::Valid {
                        found.push(Finding {
                            task: task.clone(),
                            order_number: order_number.clone(),
                            field: purpose.as_str(),
                            value: shown.text,
                            validity,
                        });
                    }
                }
            }
        }
    }
}

/// Names of options, by gid, of all mapped projects.
pub(super) async fn option_names(clients: &Clients) -> Result<BTreeMap<String, String>> {
    let fields = clients.fields().await?;
    let sets = fields.values().flatten().flat_map(BTreeMap::values);
    let options = sets.filter_map(|field| match &field.kind {
        FieldKind::Enum(options) => Some(options),
        _ => None,
    });
    Ok(options.flatten().map(|(name, gid)| (gid.clone(), name.clone())).collect())
}

/// What a value shows: of a field that lists accounts, each.
pub(super) fn shown(
    purpose: Purpose,
    field: &str,
    value: &FieldValue,
    bindings: &Bindings,
    options: &BTreeMap<String, String>,
) -> Vec<Shown> {
    match value {
        FieldValue::Text(text) => {
            let text = text.trim();
            let parts: Vec<&str> =
                if purpose == Purpose::GlAccount { text.split(", ").collect() } else { vec![text] };
            // what was erased here, Asana still shows
            let parts = parts.into_iter().filter(|part| !part.is_empty() && *part != MARK);
            parts.map(|part| Shown { text: part.to_owned(), source: None }).collect()
        }
        FieldValue::Enum(gid) => {
            let bound = bindings.get(field).into_iter().flatten();
            let source = bound.filter(|(_, option)| *option == gid).map(|(source, _)| source.clone()).next();
            vec![Shown { text: options.get(gid).unwrap_or(gid).clone(), source }]
        }
        _ => Vec::new(),
    }
}

/// The stored entries, judged, by id and by name.
struct Known {
    by_id: BTreeMap<String, Validity>,
    by_name: BTreeMap<String, Validity>,
}

impl Known {
    fn of(entries: &[Entry], day: Date) -> Known {
        let mut named: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
        for entry in entries {
            named.entry(entry.name.trim().to_uppercase()).or_default().push(entry);
        }
        Known {
            by_id: entries.iter().map(|entry| (entry.id.clone(), entry.validity(day))).collect(),
            by_name: named.into_iter().map(|(name, entries)| (name, judge(entries, day))).collect(),
        }
    }

    fn judge(&self, shown: &Shown) -> Validity {
        let by_id = shown.source.as_ref().and_then(|source| self.by_id.get(source));
        let found = by_id.or_else(|| self.by_name.get(&shown.text.trim().to_uppercase()));
        found.copied().unwrap_or(Validity::Unknown)
    }
}

/// How many different values the findings name.
#[must_use]
pub fn distinct(findings: &[Finding]) -> usize {
    findings.iter().map(|finding| (finding.field, &finding.value)).collect::<BTreeSet<_>>().len()
}
