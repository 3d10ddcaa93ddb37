//! `build`: a first build for the demo, without the downloads.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::database::scratch;
use crate::report::{Measured, Target, progress};

/// Builds into an empty directory, as `script/demo` does.
pub async fn measure(runs: u32, dir: &Path) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    cargo(&["fetch", "--locked"], dir)?;
    for run in 1..=runs {
        progress(&format!("run {run} of {runs}"));
        let target = scratch(dir)?;
        let started = Instant::now();
        cargo(&["build", "--locked", "--offline", "--profile", "demo", "-p", "ml-connector"], target.path())?;
        measured.add("seconds", Target::Below(360.0), started.elapsed().as_secs_f64());
    }
    Ok(measured)
}

fn cargo(args: &[&str], target: &Path) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new("cargo");
    command.args(args).current_dir(root).env("CARGO_TARGET_DIR", target).stdout(Stdio::null());
    let status = command.status()?;
    anyhow::ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
