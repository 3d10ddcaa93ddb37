//! The demo, as somebody who just cloned the repository runs it.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use crate::program::{program, run};
use crate::world::directory;

#[tokio::test]
async fn the_demo_runs_for_an_ordinary_user_and_ends_consistent() {
    let directory = directory();
    let home = directory.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let mut command = program(&["demo", "--once", "--json", "--orders", "60"]);
    if rustix::process::geteuid().is_root() {
        // somebody who is neither root nor able to read what root built
        let copy = directory.path().join("ml-connector");
        std::fs::copy(env!("CARGO_BIN_EXE_ml-connector"), &copy).unwrap();
        std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o755)).unwrap();
        std::os::unix::fs::chown(&home, Some(65534), Some(65534)).unwrap();
        let args: Vec<_> = command.as_std().get_args().map(ToOwned::to_owned).collect();
        let mut as_nobody = tokio::process::Command::new(copy);
        as_nobody.args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        as_nobody.stdin(std::process::Stdio::null()).kill_on_drop(true).uid(65534).gid(65534);
        command = as_nobody;
    }
    command.env("HOME", &home).env("TMPDIR", &home).current_dir("/");
    let shown = run(command).await.ends_with(0);
    let summary = shown.json();
    let keys: BTreeSet<&str> = summary.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted = [
        "orders",
        "invoices",
        "tasks_created",
        "tasks_updated",
        "movements_delivered",
        "movements_failed",
        "movements_held",
        "asana_requests",
        "oracle_requests",
        "seconds",
        "values_compared",
        "consistent",
    ];
    assert!(keys.is_superset(&BTreeSet::from(wanted)), "{keys:?}");
    assert_eq!(summary["consistent"], true);
    assert_eq!(summary["orders"], 60);
    assert_eq!(summary["movements_failed"], 0);
    assert!(summary["values_compared"].as_u64().unwrap() > 300);
    let left: Vec<_> = std::fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}
