use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What the client cannot send, nobody can make it send.
#[test]
fn nothing_is_posted_but_for_a_token_and_to_erpintegrations() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 30, "{files:?}");
    let mut writes = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let verbs = [".post(", ".put(", ".patch(", ".delete(", "Method::", "::Method"];
        writes.extend(
            text.lines().filter(|line| verbs.iter().any(|verb| line.contains(verb))).map(|_| name.clone()),
        );
    }
    writes.sort();
    assert_eq!(writes, ["client.rs", "token/mod.rs"]);
    let client = fs::read_to_string(root.join("client.rs")).unwrap();
    let operate = client.split("async fn operate").nth(1).unwrap().split("async fn get").next().unwrap();
    assert!(operate.contains(".post(") && operate.contains("self.url(&[INTEGRATIONS], None)"), "{operate}");
}
