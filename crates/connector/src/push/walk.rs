//! Walking through all tasks of a project, section by section where Asana cuts the project's own listing.

use std::collections::VecDeque;

use asana::Task;
use jiff::Timestamp;

use crate::ids::ProjectGid;

/// A listing under way.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    asana: &'a asana::Asana,
    project: &'a ProjectGid,
    since: Option<Timestamp>,
    /// Sections still to be listed, the present one first; `None` while the project itself is listed.
    sections: Option<VecDeque<String>>,
    offset: Option<String>,
}

/// What one step of a walk brought.
#[derive(Debug)]
pub(crate) struct Step {
    /// Tasks, at most 100. One that was moved meanwhile may come twice.
    pub(crate) tasks: Vec<Task>,
    /// Whether the walk is at its end.
    pub(crate) is_last: bool,
}

impl<'a> Walk<'a> {
    /// Begins a walk through a project: all of it, or what changed since.
    pub(crate) fn new(
        asana: &'a asana::Asana,
        project: &'a ProjectGid,
        since: Option<Timestamp>,
    ) -> Walk<'a> {
        Walk { asana, project, since, sections: None, offset: None }
    }

    /// The next page. A page token that expired is an error for which
    /// [`is_invalid_offset`](asana::Error::is_invalid_offset) holds: begin anew. Other errors leave the walk where it
    /// was, so that the same page can be asked for again.
    pub(crate) async fn step(&mut self) -> Result<Step, asana::Error> {
        let offset = self.offset.as_deref();
        let page = match self.sections.as_mut().map(|sections| sections.front().cloned()) {
            None => match self.asana.tasks_page(self.project.as_str(), self.since, offset).await {
                Err(error) if error.is_too_large() => return self.split().await,
                page => page?,
            },
            Some(Some(section)) => self.asana.section_tasks_page(&section, self.since, offset).await?,
            Some(None) => return Ok(Step { tasks: Vec::new(), is_last: true }),
        };
        self.offset = page.next;
        let mut is_last = self.offset.is_none();
        if let (true, Some(sections)) = (is_last, &mut self.sections) {
            sections.pop_front();
            is_last = sections.is_empty();
        }
        Ok(Step { tasks: page.tasks, is_last })
    }

    /// Goes on section by section, from the first; every task of a project stands in one of them.
    async fn split(&mut self) -> Result<Step, asana::Error> {
        let sections = self.asana.sections(self.project.as_str()).await?;
        tracing::info!(project = %self.project, sections = sections.len(),
            "Asana cuts the project's listing; it is listed by section");
        self.offset = None;
        let is_last = sections.is_empty();
        self.sections = Some(sections.into_iter().map(|section| section.gid).collect());
        Ok(Step { tasks: Vec::new(), is_last })
    }
}
