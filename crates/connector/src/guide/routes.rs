//! The answers about several projects, and the routing rules that follow from them. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::guide::answers::Named;
use crate::record::OrderFacts;
use crate::routing::Rule;

/// What was answered about projects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteAnswers {
    /// Answered whole; what follows from it is stored in the settings.
    pub done: bool,
    /// What tells orders apart, when there is not one project for all.
    pub by: Option<RouteBy>,
    /// The rules so far, in their order.
    pub rules: Vec<Route>,
}

/// One rule: orders that have the value go to the project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The value, or a pattern.
    pub value: String,
    /// The project.
    pub project: Named,
}

/// What tells orders apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteBy {
    /// Any of the order's business units.
    BusinessUnit,
    /// The sold-to legal entity.
    LegalEntity,
    /// The cost center of any distribution.
    CostCenter,
    /// The supplier's name.
    Supplier,
    /// The order's currency.
    Currency,
}

impl RouteBy {
    /// All that the guide offers; the others need what it does not read.
    pub const ALL: [RouteBy; 5] = [
        RouteBy::BusinessUnit,
        RouteBy::LegalEntity,
        RouteBy::CostCenter,
        RouteBy::Supplier,
        RouteBy::Currency,
    ];

    /// What it is called.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            RouteBy::BusinessUnit => "business unit",
            RouteBy::LegalEntity => "legal entity",
            RouteBy::CostCenter => "cost center",
            RouteBy::Supplier => "supplier",
            RouteBy::Currency => "currency",
        }
    }

    /// Whether it stands on the lines of an order.
    #[must_use]
    pub fn needs_lines(self) -> bool {
        self == RouteBy::CostCenter
    }

    /// What an order has of it.
    #[must_use]
    pub fn values(self, order: OrderFacts) -> Vec<String> {
        match self {
            RouteBy::BusinessUnit => order.business_units,
            RouteBy::LegalEntity => order.legal_entity.into_iter().collect(),
            RouteBy::CostCenter => order.cost_centers,
            RouteBy::Supplier => order.supplier.into_iter().collect(),
            RouteBy::Currency => order.currency.into_iter().collect(),
        }
    }
}

impl RouteAnswers {
    /// The values that no rule names yet.
    #[must_use]
    pub fn open(&self, found: &BTreeSet<String>) -> Vec<String> {
        let named = |value: &String| self.rules.iter().any(|rule| rule.value.eq_ignore_ascii_case(value));
        found.iter().filter(|value| !named(value)).cloned().collect()
    }

    /// Takes the last rule back; without any rule it is asked anew what tells orders apart.
    pub fn take_back(&mut self) {
        self.rules.pop();
        if self.rules.is_empty() {
            self.by = None;
        }
    }

    /// The rules as the settings have them.
    #[must_use]
    pub fn routing_rules(&self) -> Vec<Rule> {
        let Some(by) = self.by else { return Vec::new() };
        let rule = |route: &Route| {
            let mut rule = Rule { project: route.project.gid.clone(), ..Rule::default() };
            let condition = match by {
                RouteBy::BusinessUnit => &mut rule.business_unit,
                RouteBy::LegalEntity => &mut rule.legal_entity,
                RouteBy::CostCenter => &mut rule.cost_center,
                RouteBy::Supplier => &mut rule.supplier,
                RouteBy::Currency => &mut rule.currency,
            };
            *condition = Some(route.value.clone());
            rule
        };
        self.rules.iter().map(rule).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ProjectGid;
    use crate::routing::{Place, Routing};

    fn route(value: &str, gid: &str) -> Route {
        Route { value: value.to_owned(), project: Named { gid: gid.to_owned(), name: "N".to_owned() } }
    }

    fn order() -> OrderFacts {
        OrderFacts {
            business_units: vec!["US1 Business Unit".to_owned(), "Shared".to_owned()],
            legal_entity: Some("US1 Legal Entity".to_owned()),
            cost_centers: vec!["10".to_owned()],
            supplier: Some("ACME".to_owned()),
            currency: Some("USD".to_owned()),
            ..OrderFacts::default()
        }
    }

    #[test]
    fn a_rule_of_each_kind_routes_the_orders_that_have_its_value() {
        for by in RouteBy::ALL {
            for value in by.values(order()) {
                let answers =
                    RouteAnswers { by: Some(by), rules: vec![route(&value, "7")], ..RouteAnswers::default() };
                let default = Some(Place { project: ProjectGid("9".to_owned()), section: None });
                let routing = Routing { rules: answers.routing_rules(), default, ..Routing::default() };
                assert_eq!(routing.problems(), Vec::<String>::new());
                assert_eq!(routing.place(&order()).unwrap().project.as_str(), "7", "{by:?} {value}");
                let other = OrderFacts { number: "1".to_owned(), ..OrderFacts::default() };
                assert_eq!(routing.place(&other).unwrap().project.as_str(), "9", "{by:?}");
            }
        }
    }

    #[test]
    fn what_a_rule_names_is_not_offered_again_until_it_is_taken_back() {
        let found = BTreeSet::from(["A".to_owned(), "B".to_owned()]);
        let rules = vec![route("a", "7"), route("B", "8")];
        let mut answers = RouteAnswers { by: Some(RouteBy::Supplier), rules, ..RouteAnswers::default() };
        assert_eq!(answers.open(&found), Vec::<String>::new());
        answers.take_back();
        assert_eq!((answers.open(&found), answers.by), (vec!["B".to_owned()], Some(RouteBy::Supplier)));
        answers.take_back();
        assert_eq!((&answers, answers.routing_rules()), (&RouteAnswers::default(), Vec::new()));
    }
}
