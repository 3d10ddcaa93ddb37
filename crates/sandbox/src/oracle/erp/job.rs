//! Jobs of the Enterprise Scheduler: their phases on the virtual clock, and the tree that they show.
//!
//! A job does its work at the end of a phase: rows are in the interface when loading ends, batches exist when
//! importing ends. Nobody has to look at it for that; whoever looks next sees it done.

use serde_json::{Value, json};

use super::parameters::ImportParameters;
use super::settings::{ImportTree, Outcome, Phases};
use crate::oracle::ledger::Imported;
use crate::oracle::ledger::interface::Row;

/// Statuses as the scheduler names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Wait,
    Running,
    Paused,
    Succeeded,
    Warning,
    Expired,
    Error,
}

impl Status {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Wait => "WAIT",
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Succeeded => "SUCCEEDED",
            Self::Warning => "WARNING",
            Self::Expired => "EXPIRED",
            Self::Error => "ERROR",
        }
    }

    /// The worse of two statuses of ended jobs.
    pub(crate) fn worse(self, other: Self) -> Self {
        let rank = |status| match status {
            Self::Error => 4,
            Self::Expired => 3,
            Self::Warning => 2,
            Self::Succeeded => 1,
            Self::Wait | Self::Running | Self::Paused => 0,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// Where a submitted job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Waiting,
    Running,
    Loading,
    Importing,
    Ended(Status),
}

/// What a job does.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// Loads a file, then imports journals.
    Load(Result<Vec<Row>, String>),
    /// Imports journals.
    Import,
    /// Posts journals by a criteria set, which this pod has none of.
    Post,
}

/// A submitted job with all that is below it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub id: i64,
    pub work: Work,
    pub submitted: i64,
    pub stage: Stage,
    /// When the stage ends, in virtual milliseconds; never for a job that is stuck or has ended.
    pub due: Option<i64>,
    pub phases: Phases,
    pub outcome: Option<Outcome>,
    pub parameter_list: String,
    pub parameters: Result<ImportParameters, String>,
    /// Groups that the file or the parameters name.
    pub groups: Vec<i64>,
    pub has_logs: bool,
    pub callback: Option<String>,
    pub tree: ImportTree,
    /// Rows that were loaded, or why none were.
    pub loaded: Option<Result<usize, String>>,
    pub import: Option<ImportRun>,
}

/// An import that has begun.
#[derive(Clone, Debug)]
pub(crate) struct ImportRun {
    pub status: Status,
    /// What happened, or why nothing could.
    pub result: Result<Imported, String>,
}

/// One job of a tree.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub id: i64,
    pub name: &'static str,
    pub status: Status,
    pub children: Vec<Job>,
}

/// Ids that one submission uses up: the load job, its four children at most, and a gap.
pub(crate) const IDS_PER_REQUEST: i64 = 7;

impl Request {
    /// Id of `Import Journals`.
    pub(crate) fn import_id(&self) -> i64 {
        if matches!(self.work, Work::Load(_)) { self.id + 3 } else { self.id }
    }

    /// Id that stands in the names of batches.
    pub(crate) fn process_id(&self) -> i64 {
        self.import_id() + i64::from(self.tree != ImportTree::Single)
    }

    pub(crate) fn status(&self) -> Status {
        match self.stage {
            Stage::Waiting => Status::Wait,
            Stage::Running => Status::Running,
            Stage::Loading | Stage::Importing => Status::Paused,
            Stage::Ended(status) => status,
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended(_))
    }

    /// The submitted job with those below it that have appeared.
    pub(crate) fn tree(&self) -> Job {
        match self.work {
            Work::Load(_) => {
                let mut root = self.load_job();
                root.children.extend(self.import_job());
                root
            }
            Work::Import => self.import_job().unwrap_or_else(|| self.leaf("Import Journals")),
            Work::Post => self.leaf("Automatic Posting"),
        }
    }

    fn leaf(&self, name: &'static str) -> Job {
        Job { id: self.id, name, status: self.status(), children: Vec::new() }
    }

    /// The load job with the jobs that load.
    fn load_job(&self) -> Job {
        let mut root = self.leaf("Load Interface File for Import");
        let loader = match &self.loaded {
            Some(Ok(_)) => Status::Succeeded,
            Some(Err(_)) => Status::Error,
            None if self.stage == Stage::Loading => Status::Running,
            None => return root,
        };
        let job = |id, name, status| Job { id, name, status, children: Vec::new() };
        root.children.push(job(self.id + 1, "Transfer File", Status::Succeeded));
        root.children.push(job(self.id + 2, "Load File to Interface", loader));
        root
    }

    /// `Import Journals`, once it has appeared.
    fn import_job(&self) -> Option<Job> {
        let status = match (&self.import, self.stage) {
            (Some(run), _) => run.status,
            (None, Stage::Importing) => Status::Running,
            (None, _) => return None,
        };
        let launcher = match self.tree {
            ImportTree::ChildTells if self.import.is_some() => Status::Succeeded,
            ImportTree::Single => status,
            _ if status == Status::Running => Status::Paused,
            _ => status,
        };
        let child = (self.tree != ImportTree::Single).then(|| Job {
            id: self.process_id(),
            name: "Import Journals: Child",
            status,
            children: Vec::new(),
        });
        Some(Job {
            id: self.import_id(),
            name: "Import Journals",
            status: launcher,
            children: child.into_iter().collect(),
        })
    }

    /// What a callback is sent when the tree has ended: the load job with what loaded, then the import.
    pub(crate) fn callback_payload(&self) -> Option<Value> {
        if !self.has_ended() {
            return None;
        }
        let jobs: Vec<Job> = match self.work {
            Work::Load(_) => [self.load_job()].into_iter().chain(self.import_job()).collect(),
            _ => vec![self.tree()],
        };
        let summary = jobs.iter().fold(Status::Succeeded, |worst, job| worst.worse(job.worst()));
        let jobs: Vec<Value> = jobs.iter().map(Job::json).collect();
        Some(json!({ "JOBS": jobs, "SUMMARYSTATUS": summary.text() }))
    }
}

impl Job {
    pub(crate) fn json(&self) -> Value {
        let mut job = json!({
            "JOBNAME": self.name,
            "REQUESTID": self.id.to_string(),
            "STATUS": self.status.text(),
        });
        if !self.children.is_empty() {
            job["CHILD"] = self.children.iter().map(Self::json).collect();
        }
        job
    }

    /// The worst status of the job and all below it.
    pub(crate) fn worst(&self) -> Status {
        self.children.iter().fold(self.status, |worst, child| worst.worse(child.worst()))
    }

    /// The job and all below it.
    pub(crate) fn flat(&self) -> Vec<&Self> {
        std::iter::once(self).chain(self.children.iter().flat_map(Self::flat)).collect()
    }
}
