//! What is allowed in a mapping and may still be meant otherwise: said, never refused. Pure.

use std::collections::BTreeSet;

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};

use crate::code::Code;
use crate::mapping::condition::Condition;
use crate::mapping::engine::place_of;
use crate::purpose::{Holds, Purpose};
use crate::settings::Settings;

/// Operators that have no answer for `null`.
const NEED_A_VALUE: [&str; 8] = [
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::ADD,
    operators::SUBSTRACT,
    operators::MULTIPLY,
    operators::DIVIDE,
];
/// Members that are always there.
const ALWAYS_THERE: [&str; 8] =
    ["id", "number", "business_units", "cost_centers", "accounts", "projects", "lines", "canceled"];
/// Members that are amounts of money.
const AMOUNTS: [&str; 4] = ["total", "ordered", "amount", "price"];

/// What an expression does with each member, written as in the expression.
#[derive(Debug, Default)]
struct Uses {
    needed: BTreeSet<String>,
    tested: BTreeSet<String>,
    amounts: BTreeSet<String>,
    looks_at_currency: bool,
}

/// Everything worth a second look, each with its place: conditions that hold movements where Oracle leaves something out,
/// and amounts that are compared whatever their currency.
#[must_use]
pub fn hints(settings: &Settings) -> Vec<String> {
    let mut hints = Vec::new();
    for (at, rule) in settings.mapping.rules.iter().enumerate() {
        let Some(Ok(condition)) = rule.when.as_deref().map(Condition::compile) else { continue };
        let mut uses = Uses::default();
        uses.walk(condition.expression());
        hints.extend(uses.told().into_iter().map(|hint| format!("{}: `when`: {hint}", place_of(at, rule))));
    }
    hints
}

impl Uses {
    fn told(&self) -> Vec<String> {
        let missing = self.needed.difference(&self.tested).map(|name| {
            format!(
                "where Oracle leaves out `{name}` the movement is held ({}); write {name} != null && … if the rule is \
                 simply not to apply there",
                Code::ConditionFailed
            )
        });
        let mixed = self.amounts.iter().filter(|_| !self.looks_at_currency).map(|name| {
            let of = name.rsplit_once('.').map_or("order", |(of, _)| if of == "values" { "order" } else { of });
            format!("`{name}` is compared whatever its currency; where there are several, add {of}.currency == \"EUR\" &&")
        });
        missing.chain(mixed).collect()
    }

    fn walk(&mut self, expression: &IdedExpr) {
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) | Expr::Map(_) | Expr::Struct(_) => {}
            Expr::Select(select) => {
                self.looks_at_currency |= select.field == "currency";
                if select.test {
                    self.tested.extend(path(&select.operand).map(|of| format!("{of}.{}", select.field)));
                }
                self.walk(&select.operand);
            }
            Expr::Call(call) => {
                let name = call.func_name.as_str();
                if NEED_A_VALUE.contains(&name) {
                    call.args.iter().for_each(|argument| self.need(argument, true));
                }
                call.target.iter().for_each(|target| self.need(target, false));
                let is_test = [operators::EQUALS, operators::NOT_EQUALS].contains(&name);
                if is_test && call.args.iter().any(is_null) {
                    self.tested.extend(call.args.iter().filter_map(path));
                }
                call.target.iter().for_each(|target| self.walk(target));
                call.args.iter().for_each(|argument| self.walk(argument));
            }
            Expr::List(list) => list.elements.iter().for_each(|element| self.walk(element)),
            Expr::Comprehension(over) => {
                let parts =
                    [&over.iter_range, &over.accu_init, &over.loop_cond, &over.loop_step, &over.result];
                parts.into_iter().for_each(|part| self.walk(part));
            }
        }
    }

    fn need(&mut self, expression: &IdedExpr, is_compared: bool) {
        let Some(path) = path(expression) else { return };
        let Some((of, member)) = path.rsplit_once('.') else { return };
        let is_amount = match member.parse::<Purpose>() {
            Ok(purpose) if of == "values" => purpose.holds() == Holds::Amount,
            _ => AMOUNTS.contains(&member),
        };
        if is_compared && is_amount {
            self.amounts.insert(path.clone());
        }
        if !ALWAYS_THERE.contains(&member) {
            self.needed.insert(path);
        }
    }
}

/// A member as it is written, such as `order.total`.
fn path(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) => Some(format!("{}.{}", path(&select.operand)?, select.field)),
        _ => None,
    }
}

fn is_null(expression: &IdedExpr) -> bool {
    matches!(&expression.expr, Expr::Literal(LiteralValue::Null))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::document::RuleSettings;

    fn told(when: &str) -> Vec<String> {
        let mut settings = Settings::from_toml(crate::mapping::mistakes::BASE).unwrap();
        let rule = RuleSettings {
            to: "201".into(),
            value: None,
            set: Some("x".into()),
            when: Some(when.to_owned()),
        };
        settings.mapping.rules.push(rule);
        hints(&settings)
    }

    #[test]
    fn what_oracle_may_leave_out_and_what_has_a_currency_is_said() {
        for (when, words) in [
            ("order.total > 5", vec!["leaves out `order.total`", "`order.total` is compared whatever"]),
            ("order.total != null && order.total > 5", vec!["add order.currency =="]),
            ("has(order.total) && order.total > 5 && order.currency == 'EUR'", vec![]),
            ("order.currency == 'EUR' && order.total > 5", vec!["leaves out `order.total`"]),
            ("order.supplier.startsWith('A')", vec!["leaves out `order.supplier`"]),
            ("order.number.startsWith('A') && order.supplier == 'B'", vec![]),
            ("order.lines.exists(l, l.quantity > 5)", vec!["leaves out `l.quantity`"]),
            ("values.ordered_total > 5", vec!["leaves out `values.ordered_total`", "add order.currency"]),
            ("size(order.lines) > 3 && values.stage != null", vec![]),
        ] {
            let all = told(when);
            assert_eq!(all.len(), words.len(), "{when}: {all:?}");
            for (hint, words) in all.iter().zip(words) {
                assert!(hint.starts_with("mapping.rules[1] (to 201): `when`: "), "{hint}");
                assert!(hint.contains(words), "{when}: {hint}");
            }
        }
    }
}
