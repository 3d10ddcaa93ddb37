//! Log and output files of jobs.
//!
//! The text is this project's own; of a real pod only so much is known that the log of the import names the codes
//! of the rows that it rejected.

use std::fmt::Write as _;

use super::archive;
use super::job::{Job, Request, Status};
use super::request::Files;

/// An archive with the files of each job of the tree below `id`, or of the one job with this id.
pub(crate) fn files(request: &Request, id: i64, files: Files) -> Result<Vec<u8>, String> {
    let tree = request.tree();
    let all = tree.flat();
    let wanted = all.iter().find(|job| job.id == id).map(|job| job.flat()).unwrap_or_default();
    let mut packed = Vec::new();
    for job in wanted {
        if files != Files::Out {
            packed.push((format!("{}.log", job.id), log(request, job)));
        }
        if files != Files::Log {
            packed.push((format!("{}.out", job.id), out(request, job)));
        }
    }
    archive::pack(&packed)
}

fn is_import(request: &Request, job: &Job) -> bool {
    job.id == request.import_id() || job.id == request.process_id()
}

fn log(request: &Request, job: &Job) -> String {
    let mut text = format!("{}\nRequest {} status {}\n", job.name, job.id, job.status.text());
    if let (Some(Err(reason)), Status::Error) = (&request.loaded, job.status) {
        let _ = writeln!(text, "The file was not loaded: {reason}");
    }
    if is_import(request, job) {
        let _ = writeln!(text, "Parameters {}", request.parameter_list);
        match request.import.as_ref().map(|run| &run.result) {
            None => {}
            Some(Err(reason)) => drop(writeln!(text, "{reason}")),
            Some(Ok(imported)) => {
                for line in &imported.report {
                    let _ = writeln!(text, "{line}");
                }
                if imported.rows == 0 {
                    let _ = writeln!(text, "Found no interface records to process.");
                }
            }
        }
    }
    text
}

fn out(request: &Request, job: &Job) -> String {
    let imported = request.import.as_ref().and_then(|run| run.result.as_ref().ok());
    match imported.filter(|_| is_import(request, job)) {
        None => String::new(),
        Some(imported) => format!(
            "Rows {}\nRows rejected {}\nBatches {}\n{}\n",
            imported.rows,
            imported.rejected,
            imported.batches.len(),
            imported.report.join("\n")
        ),
    }
}
