//! Which options a single-select field needs, and the steps that lead there. Pure; decided whole before the first write.
//!
//! An option is never deleted, and one that a person made is left as it is unless its name is wanted; then it
//! is taken over as it is spelt.

use std::collections::{BTreeMap, BTreeSet};

/// Options that Asana allows in one field, disabled ones included.
pub const MAX_OPTIONS: usize = 500;
/// Longest name of an option, in characters; longer ones are cut, as the values of text fields are.
const NAME_CHARACTERS: usize = 1024;

/// What an option should stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Oracle's id of the supplier or account.
    pub source_id: String,
    /// The option's name.
    pub name: String,
    /// Tells two of the same name apart, such as the supplier's number.
    pub number: String,
    /// Whether a stored order names it.
    pub in_use: bool,
}

/// An option of the field as Asana shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Its gid.
    pub gid: String,
    /// Its name.
    pub name: String,
    /// Whether it can be chosen.
    pub enabled: bool,
}

/// One step. Creating may be lost halfway: the next decision finds the option by its name and binds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Remember that this option, which exists, stands for the source.
    Bind {
        /// The source.
        source_id: String,
        /// The option.
        gid: String,
    },
    /// Make an option for the source.
    Create {
        /// The source.
        source_id: String,
        /// The name.
        name: String,
    },
    /// The source has another name now.
    Rename {
        /// The option.
        gid: String,
        /// The new name.
        name: String,
    },
    /// Let it be chosen again.
    Enable {
        /// The option.
        gid: String,
    },
    /// Its source is no longer wanted.
    Disable {
        /// The option.
        gid: String,
    },
}

/// What came of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// These steps, in this order; `needed` options will exist.
    Steps {
        /// The steps.
        steps: Vec<Step>,
        /// Options of the field afterwards, disabled ones included.
        needed: usize,
    },
    /// The field would need so many options: nothing is done.
    TooMany {
        /// Options that would exist.
        needed: usize,
    },
}

/// Decides the steps from what is `present` to what is `wanted`. `bound` says which option stands for which source.
#[must_use]
pub fn decide(wanted: &[Wanted], present: &[Present], bound: &BTreeMap<String, String>) -> Decision {
    let by_gid: BTreeMap<&str, &Present> =
        present.iter().map(|option| (option.gid.as_str(), option)).collect();
    // an option that is gone stands for nothing any more
    let bound: BTreeMap<&str, &Present> = bound
        .iter()
        .filter_map(|(source, gid)| Some((source.as_str(), *by_gid.get(gid.as_str())?)))
        .collect();
    let taken: BTreeSet<&str> = bound.values().map(|option| option.gid.as_str()).collect();
    let mut free: BTreeMap<String, Vec<&Present>> = BTreeMap::new();
    for option in present.iter().filter(|option| !taken.contains(option.gid.as_str())) {
        free.entry(folded(&option.name)).or_default().push(option);
    }

    let (mut steps, mut created, mut kept) = (Vec::new(), 0, BTreeSet::new());
    for (want, name) in wanted.iter().zip(names(wanted)) {
        let known = bound.get(want.source_id.as_str()).copied();
        let found = known.or_else(|| adopted(free.get_mut(&folded(&name))?, &name));
        let Some(option) = found else {
            created += 1;
            steps.push(Step::Create { source_id: want.source_id.clone(), name });
            continue;
        };
        kept.insert(option.gid.as_str());
        if known.is_none() {
            steps.push(Step::Bind { source_id: want.source_id.clone(), gid: option.gid.clone() });
        }
        // the case of letters makes no other name: whoever spelt it so may have had a reason
        if folded(&option.name) != folded(&name) {
            steps.push(Step::Rename { gid: option.gid.clone(), name });
        }
        if !option.enabled {
            steps.push(Step::Enable { gid: option.gid.clone() });
        }
    }
    let needed = present.len() + created;
    if created > 0 && needed > MAX_OPTIONS {
        return Decision::TooMany { needed };
    }
    let unwanted = bound.values().filter(|option| option.enabled && !kept.contains(option.gid.as_str()));
    let mut unwanted: Vec<Step> = unwanted.map(|option| Step::Disable { gid: option.gid.clone() }).collect();
    let others = present.iter().filter(|option| option.enabled).count() - unwanted.len();
    if others == 0 && wanted.is_empty() {
        // Asana wants one that can be chosen
        unwanted.pop();
    }
    // names that become free come before those that need them
    steps.sort_by_key(|step| match step {
        Step::Bind { .. } => 0,
        Step::Rename { .. } => 1,
        Step::Enable { .. } => 2,
        Step::Create { .. } => 3,
        Step::Disable { .. } => 4,
    });
    steps.extend(unwanted);
    Decision::Steps { steps, needed }
}

/// Names that differ in the case of letters and in spaces around them alone are of one supplier or account.
fn folded(name: &str) -> String {
    name.trim().to_uppercase()
}

/// Takes out of options of one name the one that fits best: spelt like that, and one that can be chosen.
fn adopted<'a>(options: &mut Vec<&'a Present>, name: &str) -> Option<&'a Present> {
    let best =
        options.iter().enumerate().max_by_key(|(_, option)| (option.name.trim() == name, option.enabled));
    let (at, _) = best?;
    Some(options.swap_remove(at))
}

/// The name of each wanted option, in their order: where two share one, with the number behind it.
pub(super) fn names(wanted: &[Wanted]) -> Vec<String> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for want in wanted {
        *count.entry(folded(&want.name)).or_default() += 1;
    }
    let name = |want: &Wanted| {
        let name = want.name.trim();
        let shared = count.get(&folded(name)).is_some_and(|count| *count > 1);
        let whole = if shared { format!("{name} ({})", want.number) } else { name.to_owned() };
        crate::template::cut(&whole, NAME_CHARACTERS).0
    };
    wanted.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn want(id: &str, name: &str) -> Wanted {
        Wanted { source_id: id.into(), name: name.into(), number: id.into(), in_use: true }
    }

    fn option(gid: &str, name: &str, enabled: bool) -> Present {
        Present { gid: gid.into(), name: name.into(), enabled }
    }

    fn bound(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(source, gid)| ((*source).to_owned(), (*gid).to_owned())).collect()
    }

    fn steps(decision: Decision) -> Vec<Step> {
        match decision {
            Decision::Steps { steps, .. } => steps,
            Decision::TooMany { needed } => panic!("{needed} options"),
        }
    }

    #[test]
    fn a_renamed_source_renames_its_option_and_makes_none() {
        let present = [option("7", "ACME", true), option("8", "BOLT", true)];
        let decided =
            decide(&[want("1", "ACME GMBH"), want("2", "BOLT")], &present, &bound(&[("1", "7"), ("2", "8")]));
        assert_eq!(steps(decided), [Step::Rename { gid: "7".into(), name: "ACME GMBH".into() }]);
    }

    #[test]
    fn an_option_that_exists_by_name_is_adopted() {
        let present = [option("7", "ACME", false), option("8", "ACME", true)];
        let decided = decide(&[want("1", "ACME")], &present, &bound(&[]));
        assert_eq!(steps(decided), [Step::Bind { source_id: "1".into(), gid: "8".into() }]);
    }

    #[test]
    fn one_that_is_spelt_otherwise_is_adopted_as_it_is() {
        let present = [option("7", "Acme ", true), option("8", "acme", false)];
        let decided = decide(&[want("1", "ACME")], &present, &bound(&[]));
        assert_eq!(steps(decided), [Step::Bind { source_id: "1".into(), gid: "7".into() }]);
        let again = decide(&[want("1", "ACME")], &present, &bound(&[("1", "7")]));
        assert_eq!(steps(again), []);
        // one that is spelt exactly so comes first, even one that is switched off
        let exact = [option("7", "Acme", true), option("8", "ACME", false)];
        let decided = decide(&[want("1", "ACME")], &exact, &bound(&[]));
        let bind = Step::Bind { source_id: "1".into(), gid: "8".into() };
        assert_eq!(steps(decided), [bind, Step::Enable { gid: "8".into() }]);
    }

    #[test]
    fn what_is_no_longer_wanted_is_disabled_and_comes_back_enabled() {
        let all = bound(&[("1", "7"), ("2", "8")]);
        let present = [option("7", "ACME", true), option("8", "BOLT", true), option("9", "By hand", true)];
        assert_eq!(steps(decide(&[want("1", "ACME")], &present, &all)), [Step::Disable { gid: "8".into() }]);
        let present = [option("7", "ACME", true), option("8", "BOLT", false)];
        let back = decide(&[want("1", "ACME"), want("2", "BOLT")], &present, &all);
        assert_eq!(steps(back), [Step::Enable { gid: "8".into() }]);
    }

    #[test]
    fn the_last_option_that_can_be_chosen_stays() {
        let decided = decide(&[], &[option("7", "ACME", true)], &bound(&[("1", "7")]));
        assert_eq!(steps(decided), []);
    }

    #[test]
    fn two_of_one_name_are_told_apart() {
        let decided = decide(&[want("1", "ACME"), want("2", "Acme")], &[], &bound(&[]));
        let create = |id: &str, name: &str| Step::Create { source_id: id.into(), name: name.into() };
        assert_eq!(steps(decided), [create("1", "ACME (1)"), create("2", "Acme (2)")]);
    }

    #[test]
    fn five_hundred_fit_and_one_more_does_not_disabled_ones_included() {
        let all: Vec<Wanted> = (0..501).map(|n| want(&n.to_string(), &format!("S{n}"))).collect();
        assert_eq!(steps(decide(&all[..500], &[], &bound(&[]))).len(), 500);
        assert_eq!(decide(&all, &[], &bound(&[])), Decision::TooMany { needed: 501 });
        let old = [option("7", "Old", false)];
        assert_eq!(decide(&all[..500], &old, &bound(&[])), Decision::TooMany { needed: 501 });
        // a field that is full already can still be renamed in
        let present: Vec<Present> =
            (0..500).map(|n| option(&n.to_string(), &format!("S{n}"), true)).collect();
        assert_eq!(steps(decide(&all[..500], &present, &bound(&[]))).len(), 500);
    }

    /// What Asana would show after the steps.
    fn carried_out(
        present: &[Present],
        known: &BTreeMap<String, String>,
        steps: &[Step],
    ) -> (Vec<Present>, BTreeMap<String, String>) {
        let (mut now, mut known) = (present.to_vec(), known.clone());
        for step in steps {
            match step {
                Step::Bind { source_id, gid } => drop(known.insert(source_id.clone(), gid.clone())),
                Step::Create { source_id, name } => {
                    let gid = format!("new{}", now.len());
                    now.push(option(&gid, name, true));
                    known.insert(source_id.clone(), gid);
                }
                Step::Rename { gid, name } => {
                    now.iter_mut().filter(|o| o.gid == *gid).for_each(|o| o.name.clone_from(name));
                }
                Step::Enable { gid } => {
                    now.iter_mut().filter(|o| o.gid == *gid).for_each(|o| o.enabled = true)
                }
                Step::Disable { gid } => {
                    now.iter_mut().filter(|o| o.gid == *gid).for_each(|o| o.enabled = false)
                }
            }
        }
        (now, known)
    }

    proptest! {
        #[test]
        fn one_decision_is_enough_even_when_it_was_cut_off(
            wanted in prop::collection::btree_map("[0-9]{1,2}", "[A-C]{1,2}", 0..6),
            present in prop::collection::vec(("[A-C]{1,2}", any::<bool>()), 0..6),
            binding in prop::collection::btree_map("[0-9]{1,2}", 0_usize..6, 0..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let wanted: Vec<Wanted> = wanted.iter().map(|(id, name)| want(id, name)).collect();
            let present: Vec<Present> =
                present.iter().enumerate().map(|(at, (name, on))| option(&at.to_string(), name, *on)).collect();
            let mut used = BTreeSet::new();
            let known: BTreeMap<String, String> = binding.into_iter()
                .filter(|(_, at)| used.insert(*at)).map(|(id, at)| (id, at.to_string())).collect();
            let all = steps(decide(&wanted, &present, &known));
            let done = if all.is_empty() { 0 } else { cut.index(all.len() + 1) };
            let (now, known) = carried_out(&present, &known, &all[..done]);
            let rest = steps(decide(&wanted, &now, &known));
            let (now, known) = carried_out(&now, &known, &rest);
            prop_assert_eq!(steps(decide(&wanted, &now, &known)), []);
            for want in &wanted {
                let option = now.iter().find(|o| Some(&o.gid) == known.get(&want.source_id)).unwrap();
                prop_assert!(option.enabled && option.name.starts_with(&want.name));
            }
            prop_assert_eq!(now.iter().filter(|o| o.gid.starts_with("new")).count(), all.iter().filter(|s| matches!(s, Step::Create { .. })).count());
        }
    }
}
