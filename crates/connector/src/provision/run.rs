//! Reading what Asana has, and creating what is missing.
//!
//! The order is: create, put onto the projects, and only then, in one transaction, write the gids into the settings.
//! A run that ends in between leaves fields in the library that no setting names; the next one finds them by name
//! and exact type, shows them as found, and goes on with them instead of creating a second one.

use std::collections::BTreeMap;

use asana::{Asana, CustomField, Error as AsanaError, FieldType, NewCustomField};

use crate::code::Code;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::ids::FieldGid;
use crate::manage::{self, Secrets};
use crate::provision::plan::{self, Origin, Plan, Seen, Step};
use crate::provision::wanted::{Choices, Target};
use crate::reference::Kind;
use crate::reference::field::first_option;
use crate::store::connections::{self, Connection};
use crate::store::reference;
use crate::trouble;

/// How often a call is made again after a rate limit; the client holds back as long as Asana asked.
const RATE_LIMITED: u32 = 10;

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Fields created.
    pub created: usize,
    /// Fields put onto a project, each project counted.
    pub attached: usize,
    /// Fields newly mapped in the settings.
    pub mapped: usize,
    /// Records that are compared anew because of it.
    pub compared_anew: u64,
}

/// Reads what Asana has and says what is missing. Nothing is written.
pub async fn propose(engine: &Engine, connection: &Connection, choices: &Choices) -> Result<Plan> {
    let asana = engine.asana(connection).await?;
    let mut seen = look(&asana, connection).await?;
    let kept = reference::kept(&engine.db, connection.id).await?;
    seen.kept = kept.into_iter().map(|status| FieldGid(status.field)).collect();
    Ok(plan::plan(&connection.settings, choices, &seen))
}

async fn look(asana: &Asana, connection: &Connection) -> Result<Seen> {
    let settings = &connection.settings;
    let mut seen = Seen {
        library: patiently(|| asana.workspace_custom_fields(&settings.asana.workspace))
            .await
            .map_err(|error| refused(error, "the workspace's custom fields cannot be read"))?,
        ..Seen::default()
    };
    for project in settings.projects() {
        let fields = patiently(|| asana.custom_field_settings(project.as_str()))
            .await
            .map_err(|error| refused(error, &format!("the fields of project {project} cannot be read")))?;
        seen.projects.insert(project, fields);
    }
    Ok(seen)
}

/// What must be read before the plan can be carried out: new fields begin with an option of it, and none is known.
pub async fn unread(engine: &Engine, connection: &Connection, plan: &Plan) -> Result<Vec<Kind>> {
    let mut unread = Vec::new();
    for kind in &plan.options_of {
        if first_option(&engine.db, connection.id, *kind).await?.is_none() {
            unread.push(*kind);
        }
    }
    Ok(unread)
}

/// The field with the option that it begins with.
async fn begun(
    engine: &Engine,
    connection: &Connection,
    step: &Step,
    new: &NewCustomField,
) -> Result<NewCustomField> {
    let mut new = new.clone();
    let kind = Kind::ALL.into_iter().find(|kind| step.target == Target::Purpose(kind.purpose()));
    if let (FieldType::Enum(options), Some(kind)) = (&mut new.kind, kind)
        && options.is_empty()
    {
        let first = first_option(&engine.db, connection.id, kind).await?;
        options.push(first.ok_or_else(|| {
            let (name, kind) = (&step.name, kind.as_str());
            let words = format!("field `{name}` begins with an option, and none of Oracle's {kind} is known");
            Error::new(Code::FieldFirstOption, words)
        })?);
    }
    Ok(new)
}

/// Does what the plan says. Refuses a plan with problems before anything is sent. What is [`unread`] must be read before,
/// and what the plan's options are made of once more afterwards.
pub async fn carry_out(engine: &Engine, connection: &Connection, plan: &Plan) -> Result<Done> {
    let mut problems = plan.problems().peekable();
    if let Some((code, _)) = problems.peek() {
        let code = *code;
        return Err(Error::several(code, problems.map(|(_, why)| why.to_owned()).collect()));
    }
    let asana = engine.asana(connection).await?;
    let workspace = &connection.settings.asana.workspace;
    let mut done = Done::default();
    let mut begin = BTreeMap::new();
    for step in &plan.steps {
        if let Origin::Create(new) = &step.origin {
            begin.insert(step.target, begun(engine, connection, step, new).await?);
        }
    }
    let mut fields = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        let gid = match &step.origin {
            Origin::Mapped(gid) | Origin::Found(gid) => gid.clone(),
            Origin::Create(new) => {
                done.created += 1;
                let new = begin.get(&step.target).unwrap_or(new);
                FieldGid(create(&asana, workspace, new).await?.gid)
            }
            Origin::Problem(code, why) => return Err(Error::new(*code, why.clone())),
        };
        fields.push((step, gid));
    }
    for (step, gid) in &fields {
        for project in &step.attach {
            attach(&asana, project.as_str(), gid.as_str(), &step.name).await?;
            done.attached += 1;
        }
    }
    // the settings as they are by now: creating may have taken minutes
    let newest = connections::load(&engine.db, connection.id).await?;
    let mut settings = newest.settings.clone();
    for (step, gid) in fields {
        if step.target.map(&mut settings, gid) {
            done.mapped += 1;
        }
    }
    if done.mapped > 0 {
        done.compared_anew = manage::edit(engine, &newest, &settings, &Secrets::default()).await?;
    }
    Ok(done)
}

/// Creates a field. A name is unique in a workspace, so after an answer that was lost, or a refusal, it is looked
/// for by its name before anything else.
async fn create(asana: &Asana, workspace: &str, new: &NewCustomField) -> Result<CustomField> {
    let error = match patiently(|| asana.create_custom_field(workspace, new)).await {
        Ok(made) => return Ok(made),
        Err(error) => error,
    };
    if error.may_have_happened() || matches!(error, AsanaError::BadRequest { .. }) {
        let library = patiently(|| asana.workspace_custom_fields(workspace))
            .await
            .map_err(|error| refused(error, "the workspace's custom fields cannot be read"))?;
        let same = |f: &&CustomField| f.name == new.name && plan::is_exactly(f, &new.kind);
        if let Some(made) = library.iter().find(same) {
            return Ok(made.clone());
        }
    }
    Err(refused(error, &format!("field `{}` was not created", new.name)))
}

/// Puts a field onto a project. Whether it stands there is asked again after any failure: an answer may have been
/// lost, and what a second addition brings is not documented.
async fn attach(asana: &Asana, project: &str, gid: &str, name: &str) -> Result<()> {
    let Err(error) = patiently(|| asana.add_custom_field(project, gid)).await else { return Ok(()) };
    if error.may_have_happened() || matches!(error, AsanaError::BadRequest { .. }) {
        let fields = patiently(|| asana.custom_field_settings(project))
            .await
            .map_err(|error| refused(error, &format!("the fields of project {project} cannot be read")))?;
        if fields.iter().any(|field| field.gid == gid) {
            return Ok(());
        }
        if matches!(error, AsanaError::BadRequest { .. }) && fields.len() >= asana::FIELDS_PER_PROJECT {
            let words = format!("project {project} has {} fields, and `{name}` does not fit", fields.len());
            return Err(Error::new(Code::FieldLimit, format!("{words}: {error}")).because(error));
        }
    }
    Err(refused(error, &format!("field `{name}` was not put onto project {project}")))
}

/// Calls again while Asana's rate limit is hit.
async fn patiently<T, F>(call: impl Fn() -> F) -> std::result::Result<T, AsanaError>
where
    F: Future<Output = std::result::Result<T, AsanaError>>,
{
    for _ in 0..RATE_LIMITED {
        match call().await {
            Err(AsanaError::RateLimited { .. }) => {}
            other => return other,
        }
    }
    call().await
}

fn refused(error: AsanaError, what: &str) -> Error {
    let code = match &error {
        AsanaError::PaymentRequired(_) => Code::FieldPlan,
        AsanaError::BadRequest { .. } => Code::FieldNotCreated,
        _ => return trouble::asana(error),
    };
    Error::new(code, format!("{what}: {error}")).because(error)
}
