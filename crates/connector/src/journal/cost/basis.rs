//! What a journal needs of an order: its amounts, as the mapping reads them, and its distributions.

use oracle_fusion::PurchaseOrder;

use crate::charge_account::AccountLayout;
use crate::record::OrderFacts;

/// One distribution: which account a part of a line is charged to. Numbers are raw JSON text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DistributionFacts {
    /// `DistributionNumber`.
    pub number: Option<String>,
    /// `POChargeAccount`, the concatenated segments.
    pub charge_account: Option<String>,
    /// `POChargeAccountId`, the code combination's id.
    pub charge_account_id: Option<String>,
    /// `Quantity`.
    pub quantity: Option<String>,
}

/// What a line has besides its amounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LineBasis {
    /// `StatusCode` and `Status`.
    pub statuses: Vec<String>,
    /// The distributions of all schedules, in their order.
    pub distributions: Vec<DistributionFacts>,
}

/// What a journal needs of an order. Made from the stored record; it is not stored itself and is no part
/// of the fingerprint.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CostBasis {
    /// The order as the mapping sees it, so that a line's amount is computed in one place only.
    pub(super) facts: OrderFacts,
    /// `StatusCode` and `Status`.
    pub(super) statuses: Vec<String>,
    /// Beside each line of `facts`.
    pub(super) lines: Vec<LineBasis>,
}

fn present(texts: [&Option<String>; 2]) -> Vec<String> {
    texts.into_iter().flatten().filter(|text| !text.is_empty()).cloned().collect()
}

impl CostBasis {
    /// Takes from an order what a journal needs.
    #[must_use]
    pub fn of(order: PurchaseOrder) -> CostBasis {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let lines = order.lines.iter().map(|line| LineBasis {
            statuses: present([&line.status_code, &line.status]),
            distributions: line
                .schedules
                .iter()
                .flat_map(|schedule| &schedule.distributions)
                .map(|distribution| DistributionFacts {
                    number: distribution.number.as_ref().map(|n| n.as_str().to_owned()),
                    charge_account: filled(&distribution.charge_account),
                    charge_account_id: filled(&distribution.charge_account_id),
                    quantity: distribution.quantity.as_ref().map(|n| n.as_str().to_owned()),
                })
                .collect(),
        });
        CostBasis {
            lines: lines.collect(),
            statuses: present([&order.status_code, &order.status]),
            // the layout serves only cost centers, which are not used here
            facts: OrderFacts::of(order, &AccountLayout::default()),
        }
    }

    /// `POHeaderId`.
    #[must_use]
    pub fn order_id(&self) -> &str {
        &self.facts.id
    }

    /// `OrderNumber`.
    #[must_use]
    pub fn order_number(&self) -> &str {
        &self.facts.number
    }
}
