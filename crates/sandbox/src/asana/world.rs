//! The store: everything that the stand-in holds, and the indexes that keep listings quick.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::webhooks::Hooks;

pub(crate) use super::model::{
    Approval, Attachment, COMMENT, EnumOption, External, Field, Gid, Kind, Membership, Project, Section,
    Setting, Story, Subtype, Tag, Task, User, Value, Workspace,
};

/// First gid; sixteen digits, as Asana's present ones have.
const FIRST_GID: u64 = 1_200_000_000_000_001;
/// First gid of the people and tags that are seeded. They are counted apart, so that a board with more of them moves
/// no gid of a project, field or task.
const FIRST_GID_APART: u64 = 1_200_900_000_000_001;
/// Distance between two neighbours of a section, so that a task can be put between them.
const RANK_STEP: u64 = 1 << 20;
/// Rank of the first task of a section; half the range lies on either side.
const RANK_START: u64 = 1 << 62;

#[derive(Debug)]
pub(crate) struct World {
    next: u64,
    next_apart: u64,
    pub users: BTreeMap<Gid, User>,
    pub workspaces: BTreeMap<Gid, Workspace>,
    pub tags: BTreeMap<Gid, Tag>,
    pub projects: BTreeMap<Gid, Project>,
    pub sections: BTreeMap<Gid, Section>,
    pub fields: BTreeMap<Gid, Field>,
    /// Which field an enum option belongs to.
    pub options: HashMap<Gid, Gid>,
    pub tasks: BTreeMap<Gid, Task>,
    /// Deleted tasks as they were; no request sees them.
    pub trash: BTreeMap<Gid, Task>,
    pub externals: HashMap<(String, String), Gid>,
    pub stories: BTreeMap<Gid, Story>,
    pub stories_of: HashMap<Gid, Vec<Gid>>,
    pub attachments: BTreeMap<Gid, Attachment>,
    pub hooks: Hooks,
}

impl Default for World {
    fn default() -> Self {
        Self {
            next: FIRST_GID,
            next_apart: FIRST_GID_APART,
            users: BTreeMap::new(),
            workspaces: BTreeMap::new(),
            tags: BTreeMap::new(),
            projects: BTreeMap::new(),
            sections: BTreeMap::new(),
            fields: BTreeMap::new(),
            options: HashMap::new(),
            tasks: BTreeMap::new(),
            trash: BTreeMap::new(),
            externals: HashMap::new(),
            stories: BTreeMap::new(),
            stories_of: HashMap::new(),
            attachments: BTreeMap::new(),
            hooks: Hooks::default(),
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

    pub fn new_gid_apart(&mut self) -> Gid {
        let gid = Gid(self.next_apart);
        self.next_apart = self.next_apart.saturating_add(1);
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

    /// Takes a project away, with its sections; its tasks stay without it. Returns its workspace.
    pub fn delete_project(&mut self, gid: Gid) -> Option<Gid> {
        let tasks: Vec<Gid> = self.projects.get(&gid)?.by_modified.iter().map(|(_, task)| *task).collect();
        for task in tasks {
            self.leave(task, gid);
        }
        let project = self.projects.remove(&gid)?;
        for section in &project.sections {
            self.sections.remove(section);
        }
        if let Some(workspace) = self.workspaces.get_mut(&project.workspace) {
            workspace.projects.retain(|known| *known != gid);
        }
        Some(project.workspace)
    }

    /// Puts a task and its subtasks into the trash, which cannot be read through the API.
    pub fn delete_task(&mut self, gid: Gid) -> bool {
        let Some(task) = self.tasks.get(&gid) else { return false };
        self.trash.insert(gid, task.clone());
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

    /// Takes a task, without its subtasks, out of the trash and back to where it was. Its date of change stays:
    /// whether restoring counts as a change is not documented.
    pub fn restore_task(&mut self, gid: Gid) -> bool {
        let Some(mut task) = self.trash.remove(&gid) else { return false };
        let homes = std::mem::take(&mut task.memberships);
        task.subtasks.clear();
        task.parent = None;
        if let Some(External { app, gid: Some(name), .. }) = &task.external {
            self.externals.entry((app.clone(), name.clone())).or_insert(gid);
        }
        self.tasks.insert(gid, task);
        for home in homes {
            self.place(gid, home.section, Place::End);
        }
        true
    }

    /// Takes a tag away, from its tasks too; their dates of change stay.
    pub fn delete_tag(&mut self, gid: Gid) {
        self.tags.remove(&gid);
        for task in self.tasks.values_mut().chain(self.trash.values_mut()) {
            task.tags.retain(|tag| *tag != gid);
        }
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
