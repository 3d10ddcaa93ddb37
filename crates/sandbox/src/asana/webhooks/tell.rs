//! Changes that are told: every operation, edit and page that changes a task goes through these.
//!
//! An event is seen by the resource that changed and by all that contain it: its parents and their projects. Which
//! events a task gives when it enters a section is not in Asana's documentation; that its `parent` is then the
//! section is seen in public code.

use super::event::{Action, Change, Event, Thing, Type, changes};
use crate::asana::ops::Ctx;
use crate::asana::ops::task_input::Change as TaskChange;
use crate::asana::world::{Gid, Place, Story, Subtype, Task, World};

/// Subtypes of the stories that Asana itself writes here.
const COMPLETED: (&str, &str) = ("marked_complete", "marked this task complete");
const REOPENED: (&str, &str) = ("marked_incomplete", "marked this task incomplete");

impl World {
    /// The task and all that contain it, each once.
    pub fn scope_of(&self, task: Gid) -> Vec<Gid> {
        let mut scope = Vec::new();
        let mut next = Some(task);
        while let Some(gid) = next.filter(|gid| !scope.contains(gid)) {
            scope.push(gid);
            let Some(task) = self.tasks.get(&gid) else { break };
            for m in &task.memberships {
                if !scope.contains(&m.project) {
                    scope.push(m.project);
                }
            }
            next = task.parent;
        }
        scope
    }
}

impl Ctx<'_> {
    fn event(&self, action: Action, resource: Thing, parent: Option<Thing>, scope: Vec<Gid>) -> Event {
        Event { user: self.actor, at: self.now, action, resource, parent, change: None, scope }
    }

    fn task_thing(&self, gid: Gid) -> Thing {
        let subtype = self.world.tasks.get(&gid).map_or(Subtype::Default, |t| t.subtype);
        Thing { gid, of: Type::Task(subtype) }
    }

    /// Writes a checked change into a task.
    pub fn change_task(&mut self, gid: Gid, mut change: TaskChange) {
        let external = change.external.take();
        self.remember(gid);
        let before = self.world.hooks.listening().then(|| self.copy(gid)).flatten();
        let was_completed = self.world.tasks.get(&gid).is_some_and(|t| t.completed);
        let (actor, now) = (self.actor, self.now);
        let modified = self.world.tasks.get_mut(&gid).is_some_and(|task| change.apply(task, actor, now));
        if let Some(external) = external {
            self.world.set_external(gid, external);
        }
        if modified {
            self.world.touch(gid, now);
        }
        if let Some(before) = before {
            self.tell_changes(gid, &before);
        }
        let completed = self.world.tasks.get(&gid).is_some_and(|t| t.completed);
        if completed != was_completed && self.cfg.webhooks.completion_stories {
            self.add_system_story(gid, if completed { COMPLETED } else { REOPENED });
        }
    }

    /// The task as it stands, without what only search needs.
    fn copy(&mut self, gid: Gid) -> Option<Box<Task>> {
        let task = self.world.tasks.get_mut(&gid)?;
        let past = std::mem::take(&mut task.seen_before);
        let copy = Box::new(task.clone());
        task.seen_before = past;
        Some(copy)
    }

    fn tell_changes(&mut self, gid: Gid, before: &Task) {
        let Some(task) = self.world.tasks.get(&gid) else { return };
        let resource = Thing::task(gid, task);
        let all = changes(before, task, self.world);
        let scope = self.world.scope_of(gid);
        for change in all {
            let event = self.event(Action::Changed, resource, None, scope.clone());
            self.world.tell(Event { change: Some(change), ..event });
        }
    }

    fn add_system_story(&mut self, task: Gid, (subtype, text): (&'static str, &str)) {
        self.add_story(Story {
            task,
            created_at: self.now,
            created_by: self.actor,
            subtype,
            text: text.to_owned(),
            html: None,
        });
    }

    /// Keeps a story and tells of it; `touch`ing the task is left to the caller.
    pub fn add_story(&mut self, story: Story) -> Gid {
        let (task, of) = (story.task, Type::Story(story.subtype));
        let gid = self.world.new_gid();
        self.world.stories.insert(gid, story);
        self.world.stories_of.entry(task).or_default().push(gid);
        let mut scope = self.world.scope_of(task);
        scope.insert(0, gid);
        let parent = Some(self.task_thing(task));
        let event = self.event(Action::Added, Thing { gid, of }, parent, scope);
        self.world.tell(event);
        gid
    }

    /// Stores a new task, in its sections and under its parent.
    pub fn add_task(&mut self, task: Task, sections: &[Gid]) -> Gid {
        let gid = self.world.new_gid();
        let parent = task.parent;
        self.world.tasks.insert(gid, task);
        if let Some(parent) = parent.and_then(|p| self.world.tasks.get_mut(&p)) {
            parent.subtasks.push(gid);
        }
        for section in sections {
            self.place(gid, *section, Place::End);
        }
        if let Some(parent) = parent {
            let (resource, parent) = (self.task_thing(gid), self.task_thing(parent));
            let event = self.event(Action::Added, resource, Some(parent), self.world.scope_of(gid));
            self.world.tell(event);
        }
        gid
    }

    /// Puts a task into a section; an earlier place in that project is given up.
    pub fn place(&mut self, task: Gid, section: Gid, at: Place) {
        let Some(project) = self.world.sections.get(&section).map(|s| s.project) else { return };
        let homes = self.world.tasks.get(&task).map_or(&[][..], |t| &t.memberships);
        let earlier = homes.iter().find(|m| m.project == project).map(|m| m.section);
        self.world.place(task, section, at);
        if earlier == Some(section) {
            return;
        }
        if earlier.is_some() {
            self.arranged(task);
        }
        let (resource, scope) = (self.task_thing(task), self.world.scope_of(task));
        let entered = [
            earlier.is_none().then_some(Thing { gid: project, of: Type::Project }),
            Some(Thing { gid: section, of: Type::Section }),
        ];
        for parent in entered.into_iter().flatten() {
            let event = self.event(Action::Added, resource, Some(parent), scope.clone());
            self.world.tell(event);
        }
    }

    /// Gives a task a tag. Nothing is told of it: which events the real service sends is not documented.
    pub fn add_tag(&mut self, task: Gid, tag: Gid) {
        if self.world.tasks.get(&task).is_some_and(|t| !t.tags.contains(&tag)) {
            self.remember(task);
            if let Some(entry) = self.world.tasks.get_mut(&task) {
                entry.tags.push(tag);
            }
            self.arranged(task);
        }
    }

    /// Takes a tag away from a task; told as little as giving it one.
    pub fn remove_tag(&mut self, task: Gid, tag: Gid) {
        if self.world.tasks.get(&task).is_some_and(|t| t.tags.contains(&tag)) {
            self.remember(task);
            if let Some(entry) = self.world.tasks.get_mut(&task) {
                entry.tags.retain(|known| *known != tag);
            }
            self.arranged(task);
        }
    }

    /// A task has other tags or stands in another section of its project.
    fn arranged(&mut self, task: Gid) {
        if self.cfg.arranging_changes_modified_at {
            let now = self.now;
            self.world.touch(task, now);
        }
    }

    /// Takes a task out of a project; says whether it was in it.
    pub fn leave(&mut self, task: Gid, project: Gid) -> bool {
        let (resource, scope) = (self.task_thing(task), self.world.scope_of(task));
        let left = self.world.leave(task, project);
        if left {
            let parent = Thing { gid: project, of: Type::Project };
            let event = self.event(Action::Removed, resource, Some(parent), scope);
            self.world.tell(event);
        }
        left
    }

    /// Puts a task and its subtasks into the trash.
    pub fn delete_task(&mut self, gid: Gid) {
        let mut gone = vec![gid];
        let mut at = 0;
        while let Some(task) = gone.get(at).and_then(|g| self.world.tasks.get(g)) {
            gone.extend(&task.subtasks);
            at = at.saturating_add(1);
        }
        let told: Vec<(Thing, Vec<Gid>)> =
            gone.iter().map(|g| (self.task_thing(*g), self.world.scope_of(*g))).collect();
        self.world.delete_task(gid);
        for (resource, scope) in told {
            let event = self.event(Action::Deleted, resource, None, scope);
            self.world.tell(event);
        }
    }

    /// Takes a task, without its subtasks, out of the trash and back to where it was.
    pub fn restore_task(&mut self, gid: Gid) {
        if self.world.restore_task(gid) {
            let (resource, scope) = (self.task_thing(gid), self.world.scope_of(gid));
            let event = self.event(Action::Undeleted, resource, None, scope);
            self.world.tell(event);
        }
    }

    /// Tells that a section was made.
    pub fn tell_section(&mut self, gid: Gid, project: Gid) {
        let parent = Thing { gid: project, of: Type::Project };
        let resource = Thing { gid, of: Type::Section };
        let event = self.event(Action::Added, resource, Some(parent), vec![gid, project]);
        self.world.tell(event);
    }

    /// Tells that a project was made; this is what a workspace's webhook hears of.
    pub fn tell_project(&mut self, gid: Gid, workspace: Gid) {
        let parent = Thing { gid: workspace, of: Type::Workspace };
        let resource = Thing { gid, of: Type::Project };
        let event = self.event(Action::Added, resource, Some(parent), vec![gid, workspace]);
        self.world.tell(event);
    }

    /// Deletes a project, which is told to the workspace; its tasks are told nothing of, since what becomes of them is
    /// not documented.
    pub fn delete_project(&mut self, gid: Gid) {
        let Some(workspace) = self.world.delete_project(gid) else { return };
        let resource = Thing { gid, of: Type::Project };
        let event = self.event(Action::Deleted, resource, None, vec![gid, workspace]);
        self.world.tell(event);
    }

    /// Tells that a property of a project changed.
    pub fn tell_project_change(&mut self, gid: Gid, field: &'static str) {
        let Some(workspace) = self.world.projects.get(&gid).map(|p| p.workspace) else { return };
        let resource = Thing { gid, of: Type::Project };
        let event = self.event(Action::Changed, resource, None, vec![gid, workspace]);
        self.world.tell(Event { change: Some(Change { field, new_value: None }), ..event });
    }
}
