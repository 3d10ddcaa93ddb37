//! The demo, as somebody who just cloned the repository runs it.

use std::collections::{BTreeMap, BTreeSet};
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
        "completions",
        "journals",
        "journal_lines",
        "debits",
        "credits",
        "charged",
        "cost",
        "duplicate_journals",
        "values_compared",
        "consistent",
    ];
    assert!(keys.is_superset(&BTreeSet::from(wanted)), "{keys:?}");
    assert_eq!(summary["consistent"], true);
    assert_eq!(summary["orders"], 60);
    assert_eq!(summary["movements_failed"], 0);
    assert!(summary["values_compared"].as_u64().unwrap() > 300);
    let number = |key: &str| summary[key].as_u64().unwrap();
    assert_eq!(number("completions"), 15, "{summary}");
    assert_eq!(number("journals") + number("completions_without_journal"), 15, "{summary}");
    assert!(number("journals") > 0 && number("journal_lines") >= 2 * number("journals"), "{summary}");
    assert_eq!((number("duplicate_journals"), number("movements_held")), (0, 0), "{summary}");
    let amounts = |key: &str| -> BTreeMap<String, rust_decimal::Decimal> {
        let of = |(currency, amount): (&String, &serde_json::Value)| {
            (currency.clone(), amount.as_str().unwrap().parse().unwrap())
        };
        summary[key].as_object().unwrap().iter().map(of).collect()
    };
    assert!(!amounts("cost").is_empty(), "{summary}");
    assert_eq!(amounts("debits"), amounts("credits"));
    // a line with a negative amount is a credit, so the debits alone may be more
    assert_eq!(amounts("charged"), amounts("cost"));
    assert!(amounts("cost").iter().all(|(currency, cost)| amounts("debits")[currency] >= *cost), "{summary}");
    let left: Vec<_> = std::fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

#[tokio::test]
async fn the_demo_leaves_the_database_of_a_data_directory_alone() {
    let world = directory();
    let data = world.path().join("data");
    let in_it = |args: &[&str]| {
        let mut command = program(args);
        command.env("HOME", world.path()).env("ML_CONNECTOR_DATA_DIR", &data);
        command
    };
    run(in_it(&["migrate"])).await.ends_with(0);
    let server = embedded_postgres::Server::start(embedded_postgres::Settings::new(data.join("postgres")))
        .await
        .unwrap();
    let db = connector::store::open(&server.url()).await.unwrap();
    // somebody's own connection of that name
    sqlx::query(
        "insert into connections (connection_id, name, state, settings)
         values (gen_random_uuid(), 'demo', 'draft', '{}')",
    )
    .execute(&db)
    .await
    .unwrap();
    run(in_it(&["demo", "--once", "--json", "--orders", "8"])).await.ends_with(0);
    let kept: i64 = sqlx::query_scalar("select count(*) from connections where settings::text = '{}'")
        .fetch_one(&db)
        .await
        .unwrap();
    let all: i64 = sqlx::query_scalar("select count(*) from connections").fetch_one(&db).await.unwrap();
    assert_eq!((kept, all), (1, 1));
    assert!(data.join("demo/postgres").is_dir());
}
