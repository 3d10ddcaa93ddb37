use super::*;

#[test]
fn every_code_is_unique_and_says_what_to_do() {
    let mut seen = std::collections::HashSet::new();
    for code in Code::ALL {
        let info = code.info();
        assert!(seen.insert(info.code), "{} stands twice", info.code);
        assert!(info.code.len() == 8 && info.code.starts_with("MLC-"), "{}", info.code);
        assert!(!info.title.is_empty() && !info.meaning.is_empty() && !info.remedy.is_empty());
        assert_eq!(Code::find(info.code), Some(*code));
    }
}

/// Every code a person can meet, with its texts: this crate's and the private server's.
fn all() -> Vec<CodeInfo> {
    let server = embedded_postgres::CODES.iter();
    let mut all: Vec<CodeInfo> = server
        .map(|i| CodeInfo {
            code: i.code,
            class: Class::Internal,
            title: i.title,
            meaning: i.meaning,
            remedy: i.remedy,
        })
        .chain(Code::ALL.iter().map(|code| code.info()))
        .collect();
    all.sort_by_key(|info| info.code);
    all
}

/// What the hundreds of a code's number stand for.
const RANGES: &[(&str, &str)] = &[
    ("11", "The private PostgreSQL server"),
    ("12", "This program: key, credentials, settings, database, leases"),
    ("13", "Calling both sides: limits, and a side that keeps failing"),
    ("20", "Oracle: nothing was read, or not all"),
    ("30", "Asana: reading tasks and writing them"),
    ("40", "Mapping: why a movement is held or was given up"),
    ("45", "Reconciliation: what differs and needs a person"),
    ("50", "Asana's webhooks: events that do not arrive, or are refused"),
    ("51", "Journals: why there is none, and what became of one"),
    ("60", "The record log"),
    ("65", "What people do to movements and journals"),
    ("66", "Searching the record log, and erasing from it"),
    ("70", "Alerts"),
    ("80", "Reference data: suppliers, accounts, and the options that stand for them"),
    ("81", "Setting a connection up: fields, the connection's file, the dry run"),
];

const AGAIN: &str = "A held movement is planned again with the record's next change, after an hour, and at \
                     once by `ml-connector poll NAME`.\n\n";

/// All codes of the mapping hold a movement but the last, and so do a right that is missing, a task that
/// is gone and a record that cannot be read.
fn holds(code: &str) -> bool {
    [Code::RecordUnreadable, Code::AsanaForbidden, Code::TaskGone].iter().any(|c| c.info().code == code)
        || (code.starts_with("MLC-40") && code != Code::OutOfAttempts.info().code)
}

fn page(info: CodeInfo) -> String {
    format!(
        "# {}: {}\n\nClass: `{}`\n\n## What it means\n\n{}\n\n## What to do\n\n{}\n\n\
         {}`ml-connector explain {}` prints this text. [All codes](README.md)\n",
        info.code,
        info.title,
        info.class,
        info.meaning,
        info.remedy,
        if holds(info.code) { AGAIN } else { "" },
        info.code
    )
}

fn index() -> String {
    let mut text = "# Error codes\n\nCodes stand in messages, on movements and on the status page. \
                    A code is never reused and never changes its meaning.\n"
        .to_owned();
    text.push_str("\n## Classes\n\nEach code is of one class: what codes have in common.\n\n| class | what it is |\n|---|---|\n");
    for class in Class::ALL {
        text.push_str(&format!("| {class} | {} |\n", class.what()));
    }
    for (range, what) in RANGES {
        text.push_str(&format!(
            "\n## MLC-{range}..: {what}\n\n| code | class | what happened |\n|---|---|---|\n"
        ));
        for info in all().iter().filter(|info| info.code[4..].starts_with(range)) {
            text.push_str(&format!(
                "| [{}]({}.md) | {} | {} |\n",
                info.code, info.code, info.class, info.title
            ));
        }
    }
    text.push_str("\nThese pages are generated from the list in the code: `crates/connector/src/code/`.\n");
    text
}

/// To write the pages anew: `UPDATE_DOCS=1 cargo test -p connector --lib code`.
#[test]
fn the_pages_in_docs_say_what_the_program_says() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    let mut wanted: std::collections::BTreeMap<String, String> =
        all().into_iter().map(|info| (format!("{}.md", info.code), page(info))).collect();
    for info in all() {
        let listed = RANGES.iter().filter(|(range, _)| info.code[4..].starts_with(range)).count();
        assert_eq!(listed, 1, "{} belongs to no part of the index", info.code);
    }
    wanted.insert("README.md".to_owned(), index());
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    if update {
        std::fs::create_dir_all(&directory).unwrap();
        for (name, text) in &wanted {
            std::fs::write(directory.join(name), text).unwrap();
        }
    }
    let entries = std::fs::read_dir(&directory).unwrap();
    let mut found = std::collections::BTreeMap::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(wanted.contains_key(&name), "{name} stands for no code: delete it");
        found.insert(name, std::fs::read_to_string(&path).unwrap());
    }
    for (name, text) in &wanted {
        assert_eq!(
            found.get(name),
            Some(text),
            "docs/errors/{name} differs from the list; write it anew with \
             `UPDATE_DOCS=1 cargo test -p connector --lib code`"
        );
    }
}
