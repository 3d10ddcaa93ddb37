//! The page about edits: each one on it can be read, and none is missing.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

const PAGE: &str = include_str!("../../../../docs/sandbox-edits.md");

/// The edits in a section of the page, each in quotation marks of code at the beginning of a row.
fn documented(section: &str) -> Vec<Value> {
    let (_, rest) = PAGE.split_once(&format!("\n## {section}\n")).unwrap();
    let text = rest.split("\n## ").next().unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `{")?.split_once("}` |"));
    rows.map(|(edit, _)| serde_json::from_str(&format!("{{{edit}}}")).unwrap()).collect()
}

/// The names of all edits, as the refusal of an unknown one gives them.
fn all<E: DeserializeOwned>() -> BTreeSet<String> {
    let refusal = serde_json::from_str::<E>(r#"{"edit":"?"}"#).err().unwrap().to_string();
    let (_, names) = refusal.split_once("expected one of ").unwrap();
    names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn is_whole<E: DeserializeOwned>(section: &str) {
    let documented = documented(section);
    for edit in &documented {
        let read = serde_json::from_value::<E>(edit.clone());
        assert!(read.is_ok(), "{edit}: {:?}", read.err());
    }
    let names: BTreeSet<String> =
        documented.iter().map(|edit| edit["edit"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, all::<E>());
    assert_eq!(names.len(), documented.len(), "one stands there twice");
}

#[test]
fn every_edit_stands_on_its_page_in_a_form_that_can_be_read() {
    is_whole::<sandbox::oracle::Edit>("Oracle");
    is_whole::<sandbox::asana::Edit>("Asana");
}
