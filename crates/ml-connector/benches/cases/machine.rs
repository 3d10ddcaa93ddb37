//! What the figures were measured on.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

/// A paragraph about this machine and the programs.
pub fn describe(dir: &Path) -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read("/proc/loadavg");
    let mut text = format!(
        "machine: {}, {cores} cores used, {} MB memory, kernel {}, load before {}\n\
         programs: {}, {}, ml-connector {} (release)\n\
         databases in {} ({})",
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        field("/proc/meminfo", "MemTotal").and_then(|kb| kilobytes(&kb)).map_or(0, |kb| kb / 1024),
        read("/proc/sys/kernel/osrelease"),
        load.split(' ').next().unwrap_or_default(),
        postgres_version(),
        output("rustc", &["--version"]),
        env!("CARGO_PKG_VERSION"),
        dir.display(),
        file_system(dir)?,
    );
    if cores != 2 {
        text.push_str("\nthe targets are meant for 2 cores");
    }
    Ok(text)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// The value after `name:` in a file of such lines.
pub fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The number in `1234 kB`.
pub fn kilobytes(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

fn output(program: &str, args: &[&str]) -> String {
    match Command::new(program).args(args).output() {
        Ok(out) => String::from_utf8_lossy(&out.stdout).trim().to_owned(),
        Err(_) => format!("{program}: not found"),
    }
}

fn postgres_version() -> String {
    let known = output("postgres", &["--version"]);
    if known.starts_with("postgres (") { known } else { "PostgreSQL: version stands at each case".to_owned() }
}

/// The kind of file system that a directory is on.
fn file_system(dir: &Path) -> anyhow::Result<String> {
    let dir = dir.canonicalize().with_context(|| format!("{} cannot be used", dir.display()))?;
    let mounts = read("/proc/mounts");
    let best = mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(place, _)| dir.starts_with(place))
        .max_by_key(|(place, _)| place.len());
    Ok(match best {
        Some((_, kind @ ("tmpfs" | "ramfs"))) => {
            format!("{kind}: in memory, so fsync costs nothing; choose another with --dir")
        }
        Some((_, kind)) => kind.to_owned(),
        None => "unknown file system".to_owned(),
    })
}
