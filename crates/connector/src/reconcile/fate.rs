//! What becomes of a difference. Pure.

use crate::code::Code;
use crate::feed::Feed;
use crate::reconcile::report::{Difference, Kind};
use crate::settings::Drift;

/// What becomes of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is put right.
    Repaired,
    /// It is gone by itself soon.
    UnderWay,
    /// The record log says why, and an alert of its own tells of it.
    Told,
    /// A person must act, and only the report says so.
    Remaining,
}

impl Fate {
    /// The name in the table and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Fate::Repaired => "repaired",
            Fate::UnderWay => "under_way",
            Fate::Told => "told",
            Fate::Remaining => "remaining",
        }
    }
}

/// Whether invoices that Oracle no longer shows are believed to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// They are few.
    Believed,
    /// They are so many that a lost right is likelier.
    Doubted,
}

/// How a difference is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// The record gets a movement.
    Move,
    /// The record gets a movement that says why nothing can be written.
    Explain,
    /// The feed is polled.
    Poll(Feed),
    /// The feed is read in full.
    Scan(Feed),
    /// The invoice is forgotten.
    Forget,
}

/// What can be done about a difference, if anything.
#[must_use]
pub fn repair(difference: &Difference) -> Option<Repair> {
    let feed = Feed::named(&difference.feed)?;
    match difference.kind {
        Kind::ValueDiffers | Kind::TaskMissing | Kind::LinkNowhere if difference.code.is_none() => {
            Some(Repair::Move)
        }
        Kind::DocumentOld if difference.under_way => Some(Repair::Poll(feed)),
        Kind::DocumentOld => Some(Repair::Scan(feed)),
        Kind::RecordRemoved if feed == Feed::Invoices => Some(Repair::Forget),
        Kind::Held | Kind::TaskMissing if difference.explained.is_none() => Some(Repair::Explain),
        _ => None,
    }
}

/// What becomes of a difference.
#[must_use]
pub fn fate(difference: &Difference, drift: Drift, removed: Removed) -> Fate {
    let otherwise = match () {
        () if difference.under_way => Fate::UnderWay,
        () if difference.explained.is_some() => Fate::Told,
        () => Fate::Remaining,
    };
    match (drift, repair(difference)) {
        (Drift::Report, _) | (Drift::Repair, None) => otherwise,
        (Drift::Repair, Some(Repair::Forget)) if removed == Removed::Doubted => Fate::Remaining,
        (Drift::Repair, Some(Repair::Explain)) => Fate::Told,
        (Drift::Repair, Some(Repair::Poll(_))) => Fate::UnderWay,
        (Drift::Repair, Some(Repair::Move | Repair::Scan(_) | Repair::Forget)) => Fate::Repaired,
    }
}

/// A difference with the code that it has when so many invoices are missing that nobody believes it.
#[must_use]
pub fn with_code(mut difference: Difference, removed: Removed) -> Difference {
    if removed == Removed::Doubted && repair(&difference) == Some(Repair::Forget) {
        difference.code = Some(Code::ReconcileManyRemoved.to_string());
    }
    difference
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::reconciliations::Explanation;

    fn of(kind: Kind, feed: &str) -> Difference {
        Difference { feed: feed.to_owned(), ..Difference::of(kind) }
    }

    fn explained(kind: Kind) -> Difference {
        let movement = uuid::Uuid::nil();
        let held = Explanation { movement, state: "held".to_owned(), code: None, reason: None };
        Difference { explained: Some(held), ..of(kind, "purchase_orders") }
    }

    #[test]
    fn what_is_only_reported_is_left_unless_it_is_under_way_or_told_elsewhere() {
        for kind in Kind::ALL {
            for removed in [Removed::Believed, Removed::Doubted] {
                let plain = of(kind, "invoices");
                assert_eq!(fate(&plain, Drift::Report, removed), Fate::Remaining, "{kind:?}");
                let moving = Difference { under_way: true, ..plain };
                assert_eq!(fate(&moving, Drift::Report, removed), Fate::UnderWay, "{kind:?}");
                assert_eq!(fate(&explained(kind), Drift::Report, removed), Fate::Told, "{kind:?}");
            }
        }
    }

    #[test]
    fn what_can_be_put_right_is_and_the_rest_is_left() {
        use Fate::{Remaining, Repaired, Told};
        let fates = Kind::ALL.map(|kind| {
            let orders = fate(&of(kind, "purchase_orders"), Drift::Repair, Removed::Believed);
            (kind, orders, fate(&of(kind, ""), Drift::Repair, Removed::Believed))
        });
        let wanted = Kind::ALL.map(|kind| match kind {
            Kind::ValueDiffers | Kind::TaskMissing | Kind::LinkNowhere | Kind::DocumentOld => {
                (kind, Repaired, Remaining)
            }
            Kind::Held => (kind, Told, Remaining),
            _ => (kind, Remaining, Remaining),
        });
        assert_eq!(fates, wanted);
    }

    #[test]
    fn so_many_missing_invoices_are_left_with_their_own_code() {
        let invoice = of(Kind::RecordRemoved, "invoices");
        assert_eq!(fate(&invoice, Drift::Repair, Removed::Believed), Fate::Repaired);
        assert_eq!(fate(&invoice, Drift::Repair, Removed::Doubted), Fate::Remaining);
        let code = |removed| with_code(invoice.clone(), removed).code;
        assert_eq!(code(Removed::Believed), None);
        assert_eq!(code(Removed::Doubted), Some(Code::ReconcileManyRemoved.to_string()));
    }

    #[test]
    fn a_deleted_task_that_is_to_be_held_is_told_by_its_movement_and_not_twice() {
        let held = of(Kind::TaskMissing, "purchase_orders").because(Code::TaskGone, "deleted");
        assert_eq!(repair(&held), Some(Repair::Explain));
        assert_eq!(fate(&held, Drift::Repair, Removed::Believed), Fate::Told);
        assert_eq!(fate(&held, Drift::Report, Removed::Believed), Fate::Remaining);
        assert_eq!(repair(&Difference { code: held.code, ..explained(Kind::TaskMissing) }), None);
    }
}
