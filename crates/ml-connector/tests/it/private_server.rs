//! Without DATABASE_URL: the program's own PostgreSQL.

use tokio::process::Command;

use crate::program::{program, run, start};
use crate::world::directory;

fn key() -> String {
    secrecy::ExposeSecret::expose_secret(&connector::key::MasterKey::generate()).to_owned()
}

fn at(dir: &std::path::Path, args: &[&str]) -> Command {
    let mut command = program(args);
    command.arg("--data-dir").arg(dir.join("data")).env("HOME", dir);
    command
}

#[tokio::test]
async fn two_commands_at_once_share_the_private_server() {
    let directory = directory();
    let list = || run(at(directory.path(), &["connection", "list", "--json"]));
    let (one, other, third) = tokio::join!(list(), list(), list());
    for run in [one, other, third] {
        assert_eq!(run.ends_with(0).json(), serde_json::json!([]));
    }
}

#[tokio::test]
async fn a_command_works_beside_a_node_that_runs_the_private_server() {
    let directory = directory();
    let mut serve = at(directory.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let key = key();
    serve.env("ML_CONNECTOR_KEY", &key);
    let mut node = start(serve);
    let address = node.listens().await;
    let taken = address.strip_prefix("http://").unwrap();
    let mut another = at(directory.path(), &["serve", "--listen", taken]);
    another.env("ML_CONNECTOR_KEY", &key);
    let refused = run(another).await.ends_with(1);
    assert!(refused.stderr.contains("MLC-1216") && refused.stderr.contains(taken), "{refused:?}");
    assert_eq!(
        run(at(directory.path(), &["connection", "list", "--json"])).await.ends_with(0).json(),
        serde_json::json!([])
    );
    run(at(directory.path(), &["migrate"])).await.ends_with(0);
    assert!(node.runs());
    node.stop().await.ends_with(0);
}

#[tokio::test]
async fn a_node_without_a_key_starts_nothing_and_says_how_to_make_one() {
    let directory = directory();
    let refused = run(at(directory.path(), &["serve"])).await.ends_with(4);
    assert_eq!(refused.stdout, "");
    assert!(
        refused.stderr.contains("MLC-1201") && refused.stderr.contains("head -c 32 /dev/urandom | base64")
    );
    assert!(!directory.path().join("data").exists());
    let file = directory.path().join("key");
    std::fs::write(&file, "too short\n").unwrap();
    let refused =
        run(at(directory.path(), &["serve", "--key-file", file.to_str().unwrap()])).await.ends_with(4);
    assert!(refused.stderr.contains("MLC-1202") && !refused.stderr.contains("too short"));
}
