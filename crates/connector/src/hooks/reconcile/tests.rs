use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::hooks::resource::ResourceKind;
use crate::hooks::token::TokenDigest;

fn resource(number: u8) -> Resource {
    let kind = if number == 0 { ResourceKind::Workspace } else { ResourceKind::Project };
    Resource { kind, gid: number.to_string() }
}

fn digest(number: u8) -> TokenDigest {
    TokenDigest([number; 32])
}

fn live(number: u8, of: u8, asana_gid: Option<&str>, recent: bool) -> Live {
    Live {
        webhook: WebhookId(uuid::Uuid::from_u128(u128::from(number))),
        resource: resource(of),
        digest: digest(number),
        asana_gid: asana_gid.map(str::to_owned),
        active: asana_gid.is_some(),
        recent,
    }
}

fn theirs(gid: &str, whose: Whose) -> Theirs {
    Theirs { gid: gid.to_owned(), whose, health: Health::default() }
}

fn here(number: u8) -> Whose {
    Whose::Ours { digest: digest(number), here: true }
}

/// Steps other than keeping what works.
fn changes(ours: &[Live], theirs: &[Theirs], wanted: &[Resource]) -> Vec<Step> {
    let mut steps = reconcile(ours, theirs, wanted);
    steps.retain(|step| !matches!(step, Step::Keep { .. }));
    steps
}

#[test]
fn what_works_is_kept_with_what_asana_says_of_it() {
    let health = Health { last_failure: Some("503".into()), ..Health::default() };
    let listed = Theirs { health: health.clone(), ..theirs("a", here(1)) };
    let ours = live(1, 7, Some("a"), false);
    let keep = Step::Keep { webhook: ours.webhook, resource: resource(7), health: Some(health) };
    assert_eq!(reconcile(&[ours], &[listed], &[resource(7)]), [keep]);
}

#[test]
fn a_webhook_that_asana_deleted_is_lost_and_made_anew() {
    let ours = live(1, 7, Some("a"), false);
    let lost = Step::MarkLost { webhook: ours.webhook, resource: resource(7), lost: Lost::Gone };
    assert_eq!(changes(&[ours], &[], &[resource(7)]), [lost, Step::Register(resource(7))]);
}

#[test]
fn a_webhook_at_another_address_or_under_another_key_is_replaced() {
    for whose in [Whose::Ours { digest: digest(1), here: false }, Whose::Foreign] {
        let ours = live(1, 7, Some("a"), false);
        let lost = Step::MarkLost { webhook: ours.webhook, resource: resource(7), lost: Lost::Elsewhere };
        assert_eq!(
            changes(&[ours], &[theirs("a", whose)], &[resource(7)]),
            [Step::DeleteTheirs { gid: "a".into() }, lost, Step::Register(resource(7))]
        );
    }
}

#[test]
fn a_registration_that_was_never_finished_is_given_up_with_what_it_left() {
    let ours = live(1, 7, None, false);
    let failed = Step::MarkFailed { webhook: ours.webhook };
    assert_eq!(
        changes(&[ours], &[theirs("a", here(1))], &[resource(7)]),
        [Step::DeleteTheirs { gid: "a".into() }, failed, Step::Register(resource(7))]
    );
}

#[test]
fn a_registration_under_way_is_left_alone() {
    let ours = live(1, 7, None, true);
    assert_eq!(changes(std::slice::from_ref(&ours), &[theirs("a", here(1))], &[resource(7)]), []);
    assert_eq!(changes(&[ours], &[], &[]), []);
}

#[test]
fn what_is_no_longer_wanted_is_taken_back() {
    let ours = live(1, 7, Some("a"), false);
    let removed = Step::MarkRemoved { webhook: ours.webhook, resource: resource(7) };
    assert_eq!(
        changes(&[ours], &[theirs("a", here(1)), theirs("b", Whose::Foreign)], &[]),
        [Step::DeleteTheirs { gid: "a".into() }, removed]
    );
}

/// A state of affairs: rows of ours, Asana's list, what is wanted.
fn affairs() -> impl Strategy<Value = (Vec<Live>, Vec<Theirs>, Vec<Resource>)> {
    let row = (0u8..6, 0u8..3, any::<bool>());
    let listed = prop_oneof![
        (0u8..8, any::<bool>()).prop_map(|(token, here)| Whose::Ours { digest: digest(token), here }),
        Just(Whose::Foreign),
    ];
    (
        proptest::collection::btree_map(0u8..6, row, 0..6),
        proptest::collection::btree_map(0u8..8, listed, 0..8),
        proptest::collection::btree_set(0u8..6, 0..6),
    )
        .prop_map(|(rows, listed, wanted)| {
            // the database lets a resource have only one that is live
            let mut by_resource = BTreeMap::new();
            for (number, (of, gid, recent)) in rows {
                let gid = (gid > 0).then(|| (number + gid - 1).to_string());
                by_resource.entry(of).or_insert_with(|| live(number, of, gid.as_deref(), recent));
            }
            let listed = listed.into_iter().map(|(gid, whose)| theirs(&gid.to_string(), whose)).collect();
            (by_resource.into_values().collect(), listed, wanted.into_iter().map(resource).collect())
        })
}

/// What the steps make of a state of affairs; nothing is recent any more after a while.
fn apply(ours: &[Live], theirs: &[Theirs], steps: &[Step], next: &mut u8) -> (Vec<Live>, Vec<Theirs>) {
    let (mut ours, mut listed) = (ours.to_vec(), theirs.to_vec());
    for step in steps {
        match step {
            Step::DeleteTheirs { gid } => listed.retain(|t| t.gid != *gid),
            Step::MarkFailed { webhook }
            | Step::MarkLost { webhook, .. }
            | Step::MarkRemoved { webhook, .. } => ours.retain(|live| live.webhook != *webhook),
            Step::Keep { .. } => {}
            Step::Register(of) => {
                assert!(ours.iter().all(|live| live.resource != *of), "{of} would have two");
                *next += 1;
                let gid = next.to_string();
                let made = live(*next, 0, Some(&gid), false);
                ours.push(Live { resource: of.clone(), ..made });
                listed.push(super::Theirs { gid, whose: here(*next), health: Health::default() });
            }
        }
    }
    (ours, listed)
}

proptest! {
    #[test]
    fn every_wanted_resource_ends_with_exactly_one_webhook_that_works((ours, listed, wanted) in affairs()) {
        let mut next = 100;
        let steps = reconcile(&ours, &listed, &wanted);
        let (ours, listed) = apply(&ours, &listed, &steps, &mut next);
        let later: Vec<Live> = ours.into_iter().map(|live| Live { recent: false, ..live }).collect();
        // once more, for those that were under way
        let steps = reconcile(&later, &listed, &wanted);
        let (ours, listed) = apply(&later, &listed, &steps, &mut next);
        let watched: Vec<&Resource> = ours.iter().map(|live| &live.resource).collect();
        let distinct: BTreeSet<&Resource> = watched.iter().copied().collect();
        prop_assert_eq!(watched.len(), distinct.len());
        prop_assert_eq!(distinct, wanted.iter().collect());
        for live in &ours {
            prop_assert_eq!(listed.iter().filter(|t| works(t, live)).count(), 1);
        }
        // of ours nothing else is left in Asana
        prop_assert_eq!(listed.iter().filter(|t| is_ours(t, &ours)).count(), ours.len());
        let settled = reconcile(&ours, &listed, &wanted);
        prop_assert!(settled.iter().all(|step| matches!(step, Step::Keep { .. })), "{:?}", settled);
    }

    #[test]
    fn webhooks_of_others_are_never_touched((ours, listed, wanted) in affairs()) {
        let foreign = |t: &&Theirs| {
            t.whose == Whose::Foreign && ours.iter().all(|live| live.asana_gid.as_deref() != Some(t.gid.as_str()))
        };
        let others: Vec<&Theirs> = listed.iter().filter(foreign).collect();
        let steps = reconcile(&ours, &listed, &wanted);
        for other in others {
            let touched = steps.iter().any(|step| matches!(step, Step::DeleteTheirs { gid } if *gid == other.gid));
            prop_assert!(!touched, "{:?}", other);
        }
    }

    #[test]
    fn each_row_gets_one_verdict_and_nothing_is_deleted_twice((ours, listed, wanted) in affairs()) {
        let steps = reconcile(&ours, &listed, &wanted);
        for live in &ours {
            let verdicts = steps.iter().filter(|step| match step {
                Step::MarkFailed { webhook }
                | Step::MarkLost { webhook, .. }
                | Step::MarkRemoved { webhook, .. }
                | Step::Keep { webhook, .. } => *webhook == live.webhook,
                Step::DeleteTheirs { .. } | Step::Register(_) => false,
            });
            prop_assert_eq!(verdicts.count(), 1);
        }
        let mut deleted: Vec<&str> = steps
            .iter()
            .filter_map(|step| match step { Step::DeleteTheirs { gid } => Some(gid.as_str()), _ => None })
            .collect();
        let count = deleted.len();
        deleted.sort_unstable();
        deleted.dedup();
        prop_assert_eq!(deleted.len(), count);
    }
}
