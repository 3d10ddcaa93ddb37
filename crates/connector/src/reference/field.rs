//! Bringing a single-select field's options in step with suppliers or accounts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sqlx::PgPool;

use crate::code::Code;
use crate::engine::{Clients, Engine, ProjectFields};
use crate::error::{Error, Result};
use crate::ids::{ConnectionId, FieldGid};
use crate::mapping::field::{Field, Kind as FieldKind};
use crate::reference::check::Validity;
use crate::reference::options::{self, Decision, MAX_OPTIONS, Present, Step, Wanted};
use crate::reference::read::ReferenceReport;
use crate::reference::{Beyond, Kind};
use crate::store::jobs::{self, Lease};
use crate::store::reference::{self, Kept};
use crate::{store, trouble};

/// Which option of which field stands for which source: by field gid, then by source id.
pub type Bindings = BTreeMap<String, BTreeMap<String, String>>;

/// Makes, renames and switches the options of the kind's field, when that is set. All is decided before the first
/// write; nothing is done when Asana would not allow all of it.
///
/// # Errors
/// [`Code::OptionsField`] when the field cannot have options; [`Code::TooManyOptions`] when it would need too many.
pub async fn keep_options(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    kind: Kind,
    report: &mut ReferenceReport,
) -> Result<()> {
    let settings = &clients.connection.settings;
    let purpose = kind.purpose();
    let Some(wished) = settings.reference.as_ref().filter(|wished| wished.options.contains(&purpose)) else {
        return Ok(());
    };
    let Some(gid) = settings.fields.get(&purpose) else { return Ok(()) };
    let present = present(clients, gid).await?;
    let wanted = wanted(&engine.db, lease.connection, kind).await?;
    let bound = reference::bindings(&engine.db, lease.connection).await?.remove(&gid.0).unwrap_or_default();
    let in_use: Vec<Wanted> = wanted.iter().filter(|want| want.in_use).cloned().collect();
    let mut kept = Kept { purpose, kept: "all", needed: 0, code: None, reason: None };
    let mut decision = options::decide(&wanted, &present, &bound);
    if let Decision::TooMany { needed } = decision
        && wished.beyond == Beyond::InUse
    {
        kept.kept = "in_use";
        kept.code = Some(Code::OptionsInUse);
        kept.reason = Some(format!(
            "field {gid} would need {needed} options and Asana allows {MAX_OPTIONS}: only the {} that orders name are kept",
            in_use.len()
        ));
        decision = options::decide(&in_use, &present, &bound);
    }
    let (steps, needed) = match decision {
        Decision::Steps { steps, needed } => (steps, needed),
        Decision::TooMany { needed } => {
            let words = format!(
                "field {gid} for {} would need {needed} options and Asana allows {MAX_OPTIONS}, disabled ones included; \
                 no option was changed",
                purpose.as_str()
            );
            let (code, reason) = (Some(Code::TooManyOptions), Some(words.clone()));
            let kept = Kept { purpose, kept: "none", needed, code, reason };
            tell(engine, lease, gid, &kept).await?;
            return Err(Error::new(Code::TooManyOptions, words));
        }
    };
    kept.needed = needed;
    if let Some(reason) = &kept.reason {
        tracing::warn!(connection = clients.connection.name, reason, "only options in use are kept");
    }
    let changes = !steps.is_empty();
    let carried_out = carry_out(engine, clients, lease, gid, steps, report).await;
    if changes {
        clients.forget_fields();
    }
    carried_out?;
    tell(engine, lease, gid, &kept).await?;
    if changes {
        // what was held for want of an option is planned again
        let mut db = engine.db.acquire().await?;
        store::outbox::look_again_at_held(&mut db, lease.connection, std::time::Duration::ZERO).await?;
        drop(db);
        jobs::ask_for(&engine.db, lease.connection, &[jobs::Job::Push]).await?;
    }
    Ok(())
}

async fn tell(engine: &Engine, lease: &Lease, gid: &FieldGid, kept: &Kept) -> Result<()> {
    let mut tx = store::begin(&engine.db).await?;
    jobs::hold(&mut tx, lease).await?;
    reference::set_kept(&mut tx, lease.connection, gid, kept).await?;
    tx.commit().await?;
    Ok(())
}

/// The field's options as Asana shows them now, disabled ones included.
async fn present(clients: &Clients, gid: &FieldGid) -> Result<Vec<Present>> {
    for project in clients.connection.settings.projects() {
        let fields = clients.asana.custom_field_settings(project.as_str()).await.map_err(trouble::asana)?;
        let Some(field) = fields.into_iter().find(|field| field.gid == gid.0) else { continue };
        Field::of(&field).check_options().map_err(|held| Error::new(held.code, held.reason))?;
        let option = |o: asana::EnumOption| Present { gid: o.gid, name: o.name, enabled: o.enabled };
        return Ok(field.enum_options.into_iter().map(option).collect());
    }
    Err(Error::new(Code::OptionsField, format!("field {gid} is on no mapped project")))
}

/// What may be used today, and besides what stored orders name.
async fn wanted(db: &PgPool, connection: ConnectionId, kind: Kind) -> Result<Vec<Wanted>> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let in_use = reference::in_use(db, connection, kind).await?;
    let all = reference::entries(db, connection, kind).await?;
    let wanted = all.into_iter().filter_map(|entry| {
        let used = in_use.contains(&entry.id);
        (used || entry.validity(today) == Validity::Valid).then(|| Wanted {
            number: if kind == Kind::Suppliers { entry.number } else { None }
                .unwrap_or_else(|| entry.id.clone()),
            source_id: entry.id,
            name: entry.name,
            in_use: used,
        })
    });
    Ok(wanted.collect())
}

/// The name of an option that will be kept, one that stored orders name if there is any; none while nothing was read.
///
/// # Errors
/// Failures of the database.
pub async fn first_option(db: &PgPool, connection: ConnectionId, kind: Kind) -> Result<Option<String>> {
    let mut wanted = wanted(db, connection, kind).await?;
    if wanted.len() > MAX_OPTIONS && wanted.iter().any(|want| want.in_use) {
        wanted.retain(|want| want.in_use);
    }
    let first = wanted.iter().position(|want| want.in_use).unwrap_or(0);
    Ok(options::names(&wanted).into_iter().nth(first))
}

/// Does one step after the other; what was made is stored before the next begins.
async fn carry_out(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    field: &FieldGid,
    steps: Vec<Step>,
    report: &mut ReferenceReport,
) -> Result<()> {
    let mut binds = Vec::new();
    for step in steps {
        match step {
            Step::Bind { source_id, gid } => binds.push((source_id, gid)),
            other => {
                bind(engine, lease, field, &std::mem::take(&mut binds)).await?;
                if let Some(made) = send(clients, field, other, report).await? {
                    bind(engine, lease, field, &[made]).await?;
                }
            }
        }
    }
    bind(engine, lease, field, &binds).await
}

/// Sends a step; of an option that was made, the source and its gid.
async fn send(
    clients: &Clients,
    field: &FieldGid,
    step: Step,
    report: &mut ReferenceReport,
) -> Result<Option<(String, String)>> {
    let asana = &clients.asana;
    match step {
        Step::Create { source_id, name } => {
            let made = asana.create_enum_option(&field.0, &name).await.map_err(trouble::asana)?;
            report.created += 1;
            return Ok(Some((source_id, made.gid)));
        }
        Step::Rename { gid, name } => {
            asana.rename_enum_option(&gid, &name).await.map_err(trouble::asana)?;
            report.renamed += 1;
        }
        Step::Enable { gid } => {
            asana.enable_enum_option(&gid).await.map_err(trouble::asana)?;
            report.switched += 1;
        }
        Step::Disable { gid } => {
            asana.disable_enum_option(&gid).await.map_err(trouble::asana)?;
            report.switched += 1;
        }
        Step::Bind { .. } => {}
    }
    Ok(None)
}

/// Stores which option stands for which source; whoever lost the lease stores nothing.
async fn bind(engine: &Engine, lease: &Lease, field: &FieldGid, pairs: &[(String, String)]) -> Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    let mut tx = store::begin(&engine.db).await?;
    jobs::hold(&mut tx, lease).await?;
    reference::bind(&mut tx, lease.connection, field, pairs).await?;
    tx.commit().await?;
    Ok(())
}

/// The fields with what their options stand for.
#[must_use]
pub fn with_bindings(fields: &ProjectFields, bindings: &Bindings) -> ProjectFields {
    let mut fields = fields.clone();
    for set in fields.values_mut().flatten() {
        for (gid, field) in set {
            if let (Some(bound), FieldKind::Enum(options)) = (bindings.get(&gid.0), &field.kind) {
                let enabled = |gid: &String| options.iter().any(|(_, known)| known == gid);
                let live = bound.iter().filter(|(_, gid)| enabled(gid));
                field.bound = live.map(|(source, gid)| (source.clone(), gid.clone())).collect();
            }
        }
    }
    fields
}
