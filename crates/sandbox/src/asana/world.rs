//! Everything that the stand-in holds, and the indexes that keep listings quick.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;

use super::number::Num;

/// First gid; sixteen digits, as Asana's present ones have.
const FIRST_GID: u64 = 1_200_000_000_000_001;
/// Distance between two neighbours of a section, so that a task can be put between them.
const RANK_STEP: u64 = 1 << 20;
/// Rank of the first task of a section; half the range lies on either side.
const RANK_START: u64 = 1 << 62;

/// An Asana gid; always digits here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Gid(pub u64);

impl Gid {
    /// Reads a gid; only digits are recognised.
    pub fn parse(text: &str) -> Option<Self> {
        (!text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse().ok().map(Self))
            .flatten()
    }
}

impl fmt::Display for Gid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug)]
pub(crate) struct User {
    pub name: String,
    pub email: String,
}

#[derive(Debug)]
pub(crate) struct Workspace {
    pub name: String,
    /// Library fields, in order of creation.
    pub fields: Vec<Gid>,
    pub projects: Vec<Gid>,
}

#[derive(Debug)]
pub(crate) struct Project {
    pub workspace: Gid,
    pub name: String,
    pub notes: String,
    pub archived: bool,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub owner: Gid,
    /// Who may see it; absent: everyone in the workspace.
    pub members: Option<BTreeSet<Gid>>,
    pub sections: Vec<Gid>,
    pub settings: Vec<Setting>,
    /// Its tasks by the time of their last change.
    pub by_modified: BTreeSet<(Timestamp, Gid)>,
}

/// A custom field on a project.
#[derive(Debug)]
pub(crate) struct Setting {
    pub gid: Gid,
    pub field: Gid,
    pub important: bool,
    /// Who may change values of the field in this project; absent: everyone.
    pub editors: Option<BTreeSet<Gid>>,
}

#[derive(Debug)]
pub(crate) struct Section {
    pub project: Gid,
    pub name: String,
    pub created_at: Timestamp,
    pub tasks: BTreeMap<u64, Gid>,
}

/// The basic type of a custom field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Enum,
    MultiEnum,
    Date,
    People,
    Reference,
}

impl Kind {
    pub const ALL: [Self; 7] =
        [Self::Text, Self::Number, Self::Enum, Self::MultiEnum, Self::Date, Self::People, Self::Reference];

    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Enum => "enum",
            Self::MultiEnum => "multi_enum",
            Self::Date => "date",
            Self::People => "people",
            Self::Reference => "reference",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == text)
    }

    pub fn has_options(self) -> bool {
        matches!(self, Self::Enum | Self::MultiEnum)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub workspace: Gid,
    pub name: String,
    pub description: String,
    pub kind: Kind,
    /// `formula` or `custom_id` where that differs from the type.
    pub representation: Option<String>,
    pub precision: u8,
    pub format: String,
    pub currency_code: Option<String>,
    pub custom_label: Option<String>,
    pub custom_label_position: Option<String>,
    pub id_prefix: Option<String>,
    pub options: Vec<EnumOption>,
    pub input_restrictions: Vec<String>,
    /// The project it belongs to; absent for a field of the workspace's library.
    pub local_to: Option<Gid>,
    pub created_by: Gid,
    pub value_read_only: bool,
    pub notifications: bool,
    pub locked_by: Option<Gid>,
    /// Who may see it; absent: everyone.
    pub visible_to: Option<BTreeSet<Gid>>,
    pub privacy: String,
    pub default_access: String,
}

#[derive(Clone, Debug)]
pub(crate) struct EnumOption {
    pub gid: Gid,
    pub name: String,
    pub color: String,
    pub enabled: bool,
}

impl Task {
    /// What search shows of the task for a state as of `at_ms`; `None` before it was created.
    pub fn as_seen(&self, at_ms: i64) -> Option<&Task> {
        match self.seen_before.iter().find(|(replaced, _)| *replaced > at_ms) {
            Some((_, earlier)) => earlier.as_deref(),
            None => Some(self),
        }
    }
}

impl Field {
    /// A field as it is when only its type and name were given.
    pub fn new(workspace: Gid, name: &str, kind: Kind, created_by: Gid) -> Self {
        Self {
            workspace,
            name: name.to_owned(),
            description: String::new(),
            kind,
            representation: None,
            precision: 0,
            format: "none".to_owned(),
            currency_code: None,
            custom_label: None,
            custom_label_position: None,
            id_prefix: None,
            options: Vec::new(),
            input_restrictions: Vec::new(),
            local_to: None,
            created_by,
            value_read_only: false,
            notifications: false,
            locked_by: None,
            visible_to: None,
            privacy: "public_with_guests".to_owned(),
            default_access: "user".to_owned(),
        }
    }

    pub fn sees(&self, user: Gid) -> bool {
        self.visible_to.as_ref().is_none_or(|who| who.contains(&user))
    }

    pub fn option(&self, gid: Gid) -> Option<&EnumOption> {
        self.options.iter().find(|o| o.gid == gid)
    }

    /// Decimal places that a stored number keeps; a percentage is stored as a fraction and so has two more.
    pub fn stored_places(&self) -> u32 {
        let shown = u32::from(self.precision);
        if self.format == "percentage" { shown.saturating_add(2) } else { shown }
    }

    /// Whether no client may write values: formulas and Asana's own ids.
    pub fn read_only(&self) -> bool {
        self.value_read_only || matches!(self.representation.as_deref(), Some("formula" | "custom_id"))
    }
}

/// The value of a custom field on a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Number(Num),
    Enum(Gid),
    Multi(Vec<Gid>),
    Date(Date, Option<Timestamp>),
    People(Vec<Gid>),
    Reference(Vec<Gid>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    pub project: Gid,
    pub section: Gid,
    pub rank: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct External {
    pub app: String,
    pub gid: Option<String>,
    pub data: Option<String>,
}

/// Kind of a task, as far as it decides behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subtype {
    Default,
    Milestone,
    Approval,
}

impl Subtype {
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default_task",
            Self::Milestone => "milestone",
            Self::Approval => "approval",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Default, Self::Milestone, Self::Approval].into_iter().find(|s| s.name() == text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Approval {
    Pending,
    Approved,
    Rejected,
    ChangesRequested,
}

impl Approval {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::ChangesRequested => "changes_requested",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Approved, Self::Rejected, Self::ChangesRequested]
            .into_iter()
            .find(|s| s.name() == text)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub workspace: Gid,
    pub name: String,
    pub notes: String,
    /// Kept when notes were written as HTML; else derived from `notes`.
    pub html_notes: Option<String>,
    pub subtype: Subtype,
    pub approval: Approval,
    pub completed: bool,
    pub completed_at: Option<Timestamp>,
    pub completed_by: Option<Gid>,
    pub created_at: Timestamp,
    pub created_by: Gid,
    pub modified_at: Timestamp,
    pub due_on: Option<Date>,
    pub due_at: Option<Timestamp>,
    pub start_on: Option<Date>,
    pub start_at: Option<Timestamp>,
    pub assignee: Option<Gid>,
    pub followers: Vec<Gid>,
    pub liked: bool,
    pub parent: Option<Gid>,
    pub subtasks: Vec<Gid>,
    pub memberships: Vec<Membership>,
    pub values: BTreeMap<Gid, Value>,
    pub external: Option<External>,
    /// Earlier states that search may still be showing, each with the instant in milliseconds it was replaced.
    pub seen_before: Vec<(i64, Option<Box<Task>>)>,
}

#[derive(Debug)]
pub(crate) struct Story {
    pub task: Gid,
    pub created_at: Timestamp,
    pub created_by: Gid,
    pub text: String,
    pub html: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Attachment {
    pub task: Gid,
    pub name: String,
    pub created_at: Timestamp,
    /// Size in bytes of an uploaded file; absent for a link.
    pub size: Option<usize>,
    pub url: Option<String>,
}

#[derive(Debug)]
pub(crate) struct World {
    next: u64,
    pub users: BTreeMap<Gid, User>,
    pub workspaces: BTreeMap<Gid, Workspace>,
    pub projects: BTreeMap<Gid, Project>,
    pub sections: BTreeMap<Gid, Section>,
    pub fields: BTreeMap<Gid, Field>,
    /// Which field an enum option belongs to.
    pub options: HashMap<Gid, Gid>,
    pub tasks: BTreeMap<Gid, Task>,
    pub externals: HashMap<(String, String), Gid>,
    pub stories: BTreeMap<Gid, Story>,
    pub stories_of: HashMap<Gid, Vec<Gid>>,
    pub attachments: BTreeMap<Gid, Attachment>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            next: FIRST_GID,
            users: BTreeMap::new(),
            workspaces: BTreeMap::new(),
            projects: BTreeMap::new(),
            sections: BTreeMap::new(),
            fields: BTreeMap::new(),
            options: HashMap::new(),
            tasks: BTreeMap::new(),
            externals: HashMap::new(),
            stories: BTreeMap::new(),
            stories_of: HashMap::new(),
            attachments: BTreeMap::new(),
        }
    }
}

/// Where in a section a task is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Start,
    End,
    Before(Gid),
    After(Gid),
}

impl World {
    pub fn new_gid(&mut self) -> Gid {
        let gid = Gid(self.next);
        self.next = self.next.saturating_add(1);
        gid
    }

    /// The user with this email, created if there is none.
    pub fn user(&mut self, name: &str, email: &str) -> Gid {
        if let Some(gid) = self.user_by_email(email) {
            return gid;
        }
        let gid = self.new_gid();
        self.users.insert(gid, User { name: name.to_owned(), email: email.to_owned() });
        gid
    }

    pub fn user_by_email(&self, email: &str) -> Option<Gid> {
        self.users.iter().find(|(_, u)| u.email.eq_ignore_ascii_case(email)).map(|(gid, _)| *gid)
    }

    /// Stores a new field; one that is not local joins the library of its workspace.
    pub fn add_field(&mut self, gid: Gid, field: Field) {
        if field.local_to.is_none()
            && let Some(workspace) = self.workspaces.get_mut(&field.workspace)
        {
            workspace.fields.push(gid);
        }
        self.fields.insert(gid, field);
    }

    /// Records that a task changed: its date, and its place in every project's index.
    pub fn touch(&mut self, gid: Gid, now: Timestamp) {
        let Some(task) = self.tasks.get_mut(&gid) else { return };
        for m in &task.memberships {
            if let Some(project) = self.projects.get_mut(&m.project) {
                project.by_modified.remove(&(task.modified_at, gid));
                project.by_modified.insert((now, gid));
            }
        }
        task.modified_at = now;
    }

    /// Puts a task into a section of a project; an earlier place in that project is given up.
    ///
    /// Moving between projects leaves `modified_at` as it is.
    pub fn place(&mut self, task: Gid, section: Gid, at: Place) {
        let Some(project) = self.sections.get(&section).map(|s| s.project) else { return };
        let homes = self.tasks.get(&task).map_or(&[][..], |t| &t.memberships);
        let nth = homes.iter().position(|m| m.project == project).unwrap_or(homes.len());
        self.leave(task, project);
        let rank = self.free_rank(section, at);
        let Some(entry) = self.tasks.get_mut(&task) else { return };
        entry.memberships.insert(nth, Membership { project, section, rank });
        if let Some(s) = self.sections.get_mut(&section) {
            s.tasks.insert(rank, task);
        }
        if let Some(p) = self.projects.get_mut(&project) {
            p.by_modified.insert((entry.modified_at, task));
        }
    }

    /// Takes a task out of a project; says whether it was in it.
    pub fn leave(&mut self, task: Gid, project: Gid) -> bool {
        let Some(entry) = self.tasks.get_mut(&task) else { return false };
        let Some(at) = entry.memberships.iter().position(|m| m.project == project) else { return false };
        let old = entry.memberships.remove(at);
        if let Some(s) = self.sections.get_mut(&old.section) {
            s.tasks.remove(&old.rank);
        }
        if let Some(p) = self.projects.get_mut(&project) {
            p.by_modified.remove(&(entry.modified_at, task));
        }
        true
    }

    /// Removes a task and its subtasks for good (the trash cannot be read through the API).
    pub fn delete_task(&mut self, gid: Gid) -> bool {
        let Some(task) = self.tasks.get(&gid) else { return false };
        let projects: Vec<Gid> = task.memberships.iter().map(|m| m.project).collect();
        let (parent, children) = (task.parent, task.subtasks.clone());
        for child in children {
            self.delete_task(child);
        }
        for project in projects {
            self.leave(gid, project);
        }
        if let Some(parent) = parent.and_then(|p| self.tasks.get_mut(&p)) {
            parent.subtasks.retain(|s| *s != gid);
        }
        if let Some(External { app, gid: Some(name), .. }) = self.tasks.remove(&gid).and_then(|t| t.external)
        {
            self.externals.remove(&(app, name));
        }
        true
    }

    /// Keeps the present state of a task for as long as search lags behind.
    pub fn remember(&mut self, gid: Gid, now_ms: i64, lag_ms: i64) {
        let Some(task) = self.tasks.get_mut(&gid).filter(|_| lag_ms > 0) else { return };
        let mut past = std::mem::take(&mut task.seen_before);
        past.retain(|(replaced, _)| now_ms.saturating_sub(*replaced) < lag_ms);
        past.push((now_ms, Some(Box::new(task.clone()))));
        task.seen_before = past;
    }

    /// Sets the external data of a task and keeps it findable by it.
    pub fn set_external(&mut self, gid: Gid, external: External) {
        let Some(task) = self.tasks.get_mut(&gid) else { return };
        if let Some(External { app, gid: Some(name), .. }) = task.external.take() {
            self.externals.remove(&(app, name));
        }
        if let Some(name) = &external.gid {
            self.externals.insert((external.app.clone(), name.clone()), gid);
        }
        task.external = Some(external);
    }

    fn free_rank(&mut self, section: Gid, at: Place) -> u64 {
        for _ in 0..2 {
            let Some(s) = self.sections.get(&section) else { return RANK_START };
            let rank_of = |task: Gid| s.tasks.iter().find(|(_, t)| **t == task).map(|(rank, _)| *rank);
            // Beside a task that is not here: at the end.
            let at = match at {
                Place::Before(other) | Place::After(other) if rank_of(other).is_none() => Place::End,
                there => there,
            };
            let (low, high) = match at {
                Place::End => (s.tasks.last_key_value().map(|(r, _)| *r), None),
                Place::Start => (None, s.tasks.first_key_value().map(|(r, _)| *r)),
                Place::Before(other) => {
                    let high = rank_of(other);
                    (high.and_then(|h| s.tasks.range(..h).next_back().map(|(r, _)| *r)), high)
                }
                Place::After(other) => {
                    let low = rank_of(other);
                    (low, low.and_then(|l| s.tasks.range(l.saturating_add(1)..).next().map(|(r, _)| *r)))
                }
            };
            match (low, high) {
                (None, None) => return RANK_START,
                (Some(l), None) => return l.saturating_add(RANK_STEP),
                (None, Some(h)) => return h.saturating_sub(RANK_STEP),
                (Some(l), Some(h)) if h.saturating_sub(l) > 1 => return l + (h - l) / 2,
                (Some(_), Some(_)) => self.spread(section),
            }
        }
        RANK_START
    }

    /// Gives the tasks of a section new ranks, evenly apart.
    fn spread(&mut self, section: Gid) {
        let Some(s) = self.sections.get_mut(&section) else { return };
        let order: Vec<Gid> = std::mem::take(&mut s.tasks).into_values().collect();
        let mut rank = RANK_START;
        for gid in order {
            s.tasks.insert(rank, gid);
            if let Some(m) =
                self.tasks.get_mut(&gid).and_then(|t| t.memberships.iter_mut().find(|m| m.section == section))
            {
                m.rank = rank;
            }
            rank = rank.saturating_add(RANK_STEP);
        }
    }

    /// The custom fields that apply to a task: those of its projects, each once.
    pub fn fields_of(&self, task: &Task) -> Vec<Gid> {
        let mut fields = Vec::new();
        for m in &task.memberships {
            for s in self.projects.get(&m.project).map_or(&[][..], |p| &p.settings) {
                if !fields.contains(&s.field) {
                    fields.push(s.field);
                }
            }
        }
        fields
    }

    pub fn project_for(&self, gid: Gid, user: Gid) -> Option<Result<&Project, ()>> {
        let project = self.projects.get(&gid)?;
        Some(if project.members.as_ref().is_none_or(|m| m.contains(&user)) { Ok(project) } else { Err(()) })
    }

    /// Whether a user may see a task: one of its projects, its parent, or being its creator, assignee or follower.
    pub fn task_visible(&self, task: &Task, user: Gid) -> bool {
        if task.created_by == user || task.assignee == Some(user) || task.followers.contains(&user) {
            return true;
        }
        if task.memberships.iter().any(|m| matches!(self.project_for(m.project, user), Some(Ok(_)))) {
            return true;
        }
        match task.parent.and_then(|p| self.tasks.get(&p)) {
            Some(parent) => self.task_visible(parent, user),
            None => task.memberships.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_are_a_gid() {
        assert_eq!(Gid::parse("1200000000000001"), Some(Gid(FIRST_GID)));
        for wrong in ["", "abc", "12 ", "-1", "99999999999999999999"] {
            assert_eq!(Gid::parse(wrong), None, "{wrong:?}");
        }
    }
}
