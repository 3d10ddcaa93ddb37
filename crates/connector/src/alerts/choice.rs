//! What people chose on tasks and may not be used, in words. Pure.

use super::cause::{Cause, Kind};
use super::tell::{cause, counted};
use crate::code::Code;
use crate::reference;
use crate::reference::check::Validity;
use crate::settings::Settings;
use crate::store::choices::Counted;

/// One cause for each kind whose field is mapped, while `[reference]` is set. Values are not repeated: a message about an
/// alert may go anywhere.
pub(super) fn all(found: &[Counted], settings: &Settings) -> Vec<Cause> {
    if settings.reference.is_none() {
        return Vec::new();
    }
    found.iter().filter_map(|of_kind| one(of_kind, settings)).collect()
}

fn one(found: &Counted, settings: &Settings) -> Option<Cause> {
    let kind = reference::Kind::named(&found.kind)?;
    settings.fields.get(&kind.purpose())?;
    let code = Code::ChoiceInvalid.info().code;
    let shows = if found.tasks == 1 { "shows" } else { "show" };
    let what = match kind {
        reference::Kind::Suppliers => "a supplier",
        reference::Kind::Accounts => "an account",
    };
    let title = format!(
        "{} {shows} {what} that may not be used in Oracle, chosen by a person",
        counted(found.tasks, "task")
    );
    let mut told = cause(Kind::ChoiceInvalid, kind.purpose().as_str(), Some(code), found.tasks, title);
    let mut named: Vec<&str> = Vec::new();
    for (task, validity) in found.examples.iter().zip(&found.validities) {
        let wrong = match Validity::named(validity) {
            Some(validity) => validity.words(),
            None => validity,
        };
        told.detail.push_str(&format!("\n- task {task}: {wrong}"));
        if !named.contains(&task.as_str()) {
            named.push(task);
        }
    }
    let more = found.tasks - i64::try_from(named.len()).unwrap_or(0);
    if more > 0 {
        told.detail.push_str(&format!("\nand {more} more"));
    }
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::ReferenceSettings;

    #[test]
    fn a_kind_is_one_cause_that_counts_tasks_and_names_no_value() {
        let text = include_str!("../../../../docs/settings.md");
        let example = text.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let mut settings = Settings::from_toml(example).unwrap();
        settings.reference = Some(ReferenceSettings::default());
        let found = Counted {
            kind: "suppliers".to_owned(),
            tasks: 3,
            examples: vec!["7".to_owned(), "8".to_owned()],
            validities: vec!["unknown".to_owned(), "disabled".to_owned()],
        };
        let told = all(std::slice::from_ref(&found), &settings);
        assert_eq!(told.len(), 1);
        assert_eq!(
            (told[0].kind, told[0].subject.as_str(), told[0].count),
            (Kind::ChoiceInvalid, "supplier", 3)
        );
        assert_eq!(
            told[0].title,
            "3 tasks show a supplier that may not be used in Oracle, chosen by a person"
        );
        let listed = "\n- task 7: not known to Oracle\n- task 8: inactive in Oracle\nand 1 more";
        assert!(told[0].detail.ends_with(listed), "{}", told[0].detail);
        settings.reference = None;
        assert!(all(&[found], &settings).is_empty(), "nothing is judged without the section");
    }
}
