//! A path that leads nowhere: which step, and what was probably meant.

use std::fmt;

use super::Description;

/// No longer step is compared with the names that are there.
const MAX_COMPARED: usize = 128;
/// No more letters than this may be wrong in a name for it to be taken as meant.
const MAX_WRONG: usize = 3;

/// A step of a path that is not there, see [`Description::find`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The children passed before it, as `lines.schedules`; empty at the resource itself.
    pub within: String,
    /// The step.
    pub step: String,
    /// Why it leads nowhere.
    pub reason: Misstep,
    /// The names that could have stood there: the children of that level where a child was wanted, else its
    /// attributes; for [`Misstep::IsChild`] the attributes of that child. In Oracle's order, children by name.
    pub known: Vec<String>,
    /// The whole path as it was probably meant: a name with a few other letters, or the attribute of that name
    /// elsewhere. Absent when nothing comes near.
    pub meant: Option<String>,
}

/// Why a step leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misstep {
    /// The last step names nothing.
    NoAttribute,
    /// The last step names a child, whose attributes come after it.
    IsChild,
    /// A step before the last names nothing.
    NoChild,
    /// A step before the last names an attribute, which has nothing below it.
    IsAttribute,
}

impl Missing {
    /// The last step is no attribute of `level`.
    pub(super) fn attribute(root: &Description, level: &Description, passed: &[&str], path: &str) -> Self {
        let step = path.rsplit('.').next().unwrap_or_default();
        if let Some(child) = level.children.get(step) {
            return Self::new(passed, step, Misstep::IsChild, attributes(child), None);
        }
        let known = attributes(level);
        let near = nearest(step, known.iter());
        let meant = near.map(|name| joined(passed, name)).or_else(|| elsewhere(root, step));
        Self::new(passed, step, Misstep::NoAttribute, known, meant)
    }

    /// The step after `passed`, which is not the last, is no child of `level`.
    pub(super) fn child(root: &Description, level: &Description, passed: &[&str], path: &str) -> Self {
        let mut after = path.split('.').skip(passed.len());
        let step = after.next().unwrap_or_default();
        let rest: Vec<&str> = after.collect();
        let known: Vec<String> = level.children.keys().cloned().collect();
        if level.own(step).is_some() {
            return Self::new(passed, step, Misstep::IsAttribute, known, None);
        }
        let near =
            nearest(step, known.iter()).map(|name| joined(passed, &format!("{name}.{}", rest.join("."))));
        let meant = near.or_else(|| elsewhere(root, rest.last().copied().unwrap_or_default()));
        Self::new(passed, step, Misstep::NoChild, known, meant)
    }

    fn new(passed: &[&str], step: &str, reason: Misstep, known: Vec<String>, meant: Option<String>) -> Self {
        Self { within: passed.join("."), step: step.to_owned(), reason, known, meant }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { within, step, .. } = self;
        let place = if within.is_empty() { "the record".to_owned() } else { format!("`{within}`") };
        match self.reason {
            Misstep::NoAttribute => write!(f, "{place} has no attribute `{step}`")?,
            Misstep::NoChild => write!(f, "{place} has no child `{step}`")?,
            Misstep::IsChild => write!(f, "`{step}` is a child of {place}: an attribute of it must follow")?,
            Misstep::IsAttribute => write!(f, "`{step}` is an attribute of {place}: nothing can follow it")?,
        }
        match &self.meant {
            Some(meant) => write!(f, "; did you mean `{meant}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Missing {}

fn attributes(level: &Description) -> Vec<String> {
    level.attributes.iter().map(|attribute| attribute.name.clone()).collect()
}

fn joined(passed: &[&str], last: &str) -> String {
    passed.iter().copied().chain([last]).collect::<Vec<_>>().join(".")
}

/// The name that differs least, whatever its case, if it differs little; of equal ones the first.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    if name.is_empty() || name.len() > MAX_COMPARED {
        return None;
    }
    let wrong = MAX_WRONG.min(name.chars().count().div_ceil(4));
    let name = name.to_lowercase();
    let distance = |other: &str| strsim::osa_distance(&name, &other.to_lowercase());
    let near =
        known.map(|other| (distance(other), other.as_str())).filter(|(distance, _)| *distance <= wrong);
    near.min_by_key(|(distance, _)| *distance).map(|(_, other)| other)
}

/// The path of the attribute of that name, whatever its case, that lies least deep.
fn elsewhere(root: &Description, name: &str) -> Option<String> {
    let mut level = vec![(String::new(), root)];
    while !level.is_empty() {
        let found = level.iter().find_map(|(path, description)| {
            let mut own = description.attributes.iter();
            own.find(|a| a.name.eq_ignore_ascii_case(name)).map(|a| format!("{path}{}", a.name))
        });
        if found.is_some() {
            return found;
        }
        let below = level.iter().flat_map(|(path, description)| {
            description.children.iter().map(move |(child, below)| (format!("{path}{child}."), below))
        });
        level = below.collect();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::Attribute;
    use super::*;

    fn level(names: &[&str], children: Vec<(&str, Description)>) -> Description {
        let attribute = |name: &&str| Attribute { name: (*name).to_owned(), kind: None, queryable: false };
        Description {
            attributes: names.iter().map(attribute).collect(),
            children: children.into_iter().map(|(name, below)| (name.to_owned(), below)).collect(),
        }
    }

    fn orders() -> Description {
        let project = level(&["_PROJECT_ID", "_TASK_ID"], Vec::new());
        let distributions = level(&["DistributionNumber", "Quantity"], vec![("projectDFF", project)]);
        let schedules =
            level(&["PromisedDeliveryDate", "RequestedDeliveryDate"], vec![("distributions", distributions)]);
        let lines = level(&["Price", "Quantity"], vec![("schedules", schedules)]);
        level(&["Buyer", "BuyerId", "Supplier"], vec![("lines", lines)])
    }

    #[test]
    fn a_missing_step_says_where_and_what_was_probably_meant() {
        for (path, says) in [
            ("Byuer", "the record has no attribute `Byuer`; did you mean `Buyer`?"),
            ("buyer", "the record has no attribute `buyer`; did you mean `Buyer`?"),
            (
                "PromisedDeliveryDate",
                "the record has no attribute `PromisedDeliveryDate`; did you mean `lines.schedules.PromisedDeliveryDate`?",
            ),
            ("lines.quantity", "`lines` has no attribute `quantity`; did you mean `lines.Quantity`?"),
            (
                "lines.shedules.PromisedDeliveryDate",
                "`lines` has no child `shedules`; did you mean `lines.schedules.PromisedDeliveryDate`?",
            ),
            (
                "lines.schedules.distributions.projectDff._PROJECT_ID",
                "`lines.schedules.distributions` has no child `projectDff`; did you mean `lines.schedules.distributions.projectDFF._PROJECT_ID`?",
            ),
            (
                "projectDFF._TASK_ID",
                "the record has no child `projectDFF`; did you mean `lines.schedules.distributions.projectDFF._TASK_ID`?",
            ),
            ("lines.schedules", "`schedules` is a child of `lines`: an attribute of it must follow"),
            ("lines", "`lines` is a child of the record: an attribute of it must follow"),
            ("Buyer.Name", "`Buyer` is an attribute of the record: nothing can follow it"),
            ("Colour", "the record has no attribute `Colour`"),
            ("", "the record has no attribute ``"),
            ("lines.", "`lines` has no attribute ``"),
            (".Buyer", "the record has no child ``; did you mean `Buyer`?"),
        ] {
            assert_eq!(orders().find(path).unwrap_err().to_string(), says, "{path}");
        }
    }

    #[test]
    fn a_missing_step_lists_what_that_level_has() {
        let missing = orders().find("lines.schedules.Colour").unwrap_err();
        assert_eq!((&*missing.within, &*missing.step, missing.meant), ("lines.schedules", "Colour", None));
        assert_eq!(missing.known, ["PromisedDeliveryDate", "RequestedDeliveryDate"]);
        let missing = orders().find("lines.prices.Colour").unwrap_err();
        assert_eq!((missing.reason, missing.known), (Misstep::NoChild, vec!["schedules".to_owned()]));
        let missing = orders().find("lines.schedules").unwrap_err();
        assert_eq!((missing.reason, missing.known.len()), (Misstep::IsChild, 2));
    }

    proptest::proptest! {
        #[test]
        fn any_path_is_found_or_explained(path in "[A-Za-z_.]{0,40}|\\PC{0,200}") {
            let orders = orders();
            match orders.find(&path) {
                Ok(attribute) => proptest::prop_assert!(path.ends_with(&attribute.name)),
                Err(missing) => {
                    proptest::prop_assert!(path.split('.').any(|step| step == missing.step));
                    if let (Some(meant), Misstep::NoAttribute) = (&missing.meant, missing.reason) {
                        proptest::prop_assert!(orders.find(meant).is_ok(), "{}", meant);
                    }
                }
            }
        }
    }
}
