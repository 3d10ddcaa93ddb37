//! Which Asana project an order's task belongs to: ordered rules, first match wins.

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::charge_account::AccountLayout;
use crate::ids::ProjectGid;
use crate::record::OrderFacts;

/// Ordered rules with a default at the end.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routing {
    /// Tried in order; the first that matches wins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Where an order goes that no rule matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Place>,
    /// How a charge account's text is cut into segments.
    #[serde(default)]
    pub account: AccountLayout,
}

/// A project, and a section in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The project's gid.
    pub project: ProjectGid,
    /// The section's gid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
}

/// A rule: every condition that is given must hold. Patterns know `*` and `?`, case does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// Pattern for any of the order's business units (procurement, requisitioning, bill-to).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_unit: Option<String>,
    /// Pattern for the sold-to legal entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_entity: Option<String>,
    /// Pattern for the supplier's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplier: Option<String>,
    /// Pattern for any project number or id on a distribution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_number: Option<String>,
    /// Pattern for any cost center on a distribution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<String>,
    /// Pattern for the order's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_number: Option<String>,
    /// Pattern for the order's currency code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The project's gid.
    pub project: String,
    /// The section's gid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
}

impl Rule {
    fn matches(&self, order: &OrderFacts) -> bool {
        any(self.business_unit.as_deref(), &order.business_units)
            && any(self.legal_entity.as_deref(), order.legal_entity.as_slice())
            && any(self.supplier.as_deref(), order.supplier.as_slice())
            && any(self.project_number.as_deref(), &order.projects)
            && any(self.cost_center.as_deref(), &order.cost_centers)
            && any(self.order_number.as_deref(), std::slice::from_ref(&order.number))
            && any(self.currency.as_deref(), order.currency.as_slice())
    }

    fn has_condition(&self) -> bool {
        self.business_unit.is_some()
            || self.legal_entity.is_some()
            || self.supplier.is_some()
            || self.project_number.is_some()
            || self.cost_center.is_some()
            || self.order_number.is_some()
            || self.currency.is_some()
    }
}

/// Whether any value fits the pattern; no pattern fits everything.
fn any(pattern: Option<&str>, values: &[String]) -> bool {
    pattern.is_none_or(|pattern| {
        let wild = WildMatch::new_case_insensitive(pattern);
        values.iter().any(|value| wild.matches(value))
    })
}

impl Routing {
    /// Where the order's task belongs, or `None` when no rule matches and there is no default.
    #[must_use]
    pub fn place(&self, order: &OrderFacts) -> Option<Place> {
        match self.rules.iter().find(|rule| rule.matches(order)) {
            Some(rule) => {
                Some(Place { project: ProjectGid(rule.project.clone()), section: rule.section.clone() })
            }
            None => self.default.clone(),
        }
    }

    /// Every project that is named, each once, in the order of the rules.
    #[must_use]
    pub fn projects(&self) -> Vec<ProjectGid> {
        let mut projects: Vec<ProjectGid> = Vec::new();
        let named = self.rules.iter().map(|r| &r.project).chain(self.default.iter().map(|d| &d.project.0));
        for project in named {
            if !projects.iter().any(|p| p.0 == *project) {
                projects.push(ProjectGid(project.clone()));
            }
        }
        projects
    }

    /// What cannot work, each with its place.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (at, rule) in self.rules.iter().enumerate() {
            if rule.project.is_empty() {
                problems.push(format!("routing.rules[{at}].project is missing"));
            }
            if !rule.has_condition() {
                problems.push(format!("routing.rules[{at}] has no condition; use routing.default instead"));
            }
        }
        if self.projects().is_empty() {
            problems.push("routing names no project; give at least routing.default.project".to_owned());
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> OrderFacts {
        OrderFacts {
            number: "US-1001".into(),
            supplier: Some("ACME Gmbh".into()),
            business_units: vec!["US1 Business Unit".into()],
            cost_centers: vec!["10".into(), "20".into()],
            currency: Some("USD".into()),
            ..OrderFacts::default()
        }
    }

    fn rule(project: &str) -> Rule {
        Rule { project: project.into(), ..Rule::default() }
    }

    #[test]
    fn the_first_matching_rule_wins() {
        let routing = Routing {
            rules: vec![
                Rule { supplier: Some("*nobody*".into()), ..rule("1") },
                Rule { cost_center: Some("20".into()), ..rule("2") },
                Rule { order_number: Some("us-*".into()), ..rule("3") },
            ],
            default: Some(Place { project: "9".into(), section: None }),
            ..Routing::default()
        };
        assert_eq!(routing.place(&order()).unwrap().project.as_str(), "2");
        assert_eq!(routing.projects().len(), 4);
    }

    #[test]
    fn all_conditions_of_a_rule_must_hold() {
        let both = Rule { supplier: Some("acme*".into()), currency: Some("EUR".into()), ..rule("1") };
        let routing = Routing { rules: vec![both], ..Routing::default() };
        assert_eq!(routing.place(&order()), None);
    }

    #[test]
    fn no_rule_and_no_default_routes_nowhere() {
        assert_eq!(Routing::default().place(&order()), None);
        assert!(!Routing::default().problems().is_empty());
    }
}
