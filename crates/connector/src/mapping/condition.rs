//! Conditions of rules, in CEL, over what is known of a task's order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use cel::common::ast::Expr;
use cel::{Context, Env, ExecutionError, IdedExpr, Program};
use serde::Serialize;

use crate::mapping::values::{Subject, Value};
use crate::mapping::words::absent;
use crate::record::{InvoiceFacts, LineFacts, OrderFacts};

/// The standard functions; built once, since that takes longer than most conditions.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// Names that a condition may use.
const VARIABLES: [&str; 4] = ["order", "line", "invoices", "values"];

/// A compiled condition.
#[derive(Debug)]
pub struct Condition {
    program: Program,
    /// The values that it names.
    pub values: BTreeSet<String>,
    named: Named,
}

/// What an expression names.
#[derive(Debug, Default)]
struct Named {
    /// Variables, each with the member that is asked of it, if any.
    members: BTreeSet<(String, Option<String>)>,
}

/// The variables of conditions, for one subject.
#[derive(Debug)]
pub struct Around {
    order: cel::Value,
    line: cel::Value,
    invoices: cel::Value,
}

impl Condition {
    /// Compiles a condition.
    ///
    /// # Errors
    /// In words, where it is no CEL.
    pub fn compile(text: &str) -> Result<Condition, String> {
        let program = ENVIRONMENT.compile(text).map_err(|errors| {
            let first = errors.errors.first();
            first.map_or_else(String::new, |error| {
                format!("at character {}: {}", error.pos.1, plain(&error.msg))
            })
        })?;
        let mut named = Named::default();
        named.walk(program.expression(), &mut Vec::new());
        let of_values = named.members.iter().filter(|(variable, _)| variable == "values");
        let values = of_values.filter_map(|(_, member)| member.clone()).collect();
        Ok(Condition { program, values, named })
    }

    /// What is wrong with it whatever the order says: names that do not exist, something else than yes or no, and a
    /// condition that says the same for every order.
    #[must_use]
    pub fn problems(&self, known: &BTreeSet<&str>, has_line: bool) -> Vec<String> {
        let mut problems = Vec::new();
        let sample = Around::sample();
        let members = |variable: &str| match variable {
            "order" => keys(&sample.order),
            "line" => keys(&sample.line),
            _ => known.iter().map(|name| (*name).to_owned()).collect(),
        };
        for (variable, member) in &self.named.members {
            if !VARIABLES.contains(&variable.as_str()) {
                problems.push(format!("`{variable}` is not known; there are {}", VARIABLES.join(", ")));
                continue;
            }
            if variable == "line" && !has_line {
                problems.push("`line` is nothing with tasks.per = \"order\"; use order.lines".to_owned());
            }
            if let Some(member) = member
                && variable != "invoices"
                && !members(variable).contains(member.as_str())
            {
                problems.push(absent(variable, member, &members(variable)));
            }
        }
        if !problems.is_empty() {
            return problems;
        }
        let values = self.values.iter().map(|name| (name.clone(), cel::Value::Null)).collect();
        match self.evaluate(&sample, &values) {
            Ok(cel::Value::Bool(holds)) if self.named.members.is_empty() => {
                problems.push(
                    if holds { "it always holds; leave it out" } else { "it never holds; take the rule out" }
                        .to_owned(),
                );
            }
            Ok(cel::Value::Bool(_)) => {}
            Ok(other) => {
                let kind = kind_of(&other.type_of().to_string());
                problems.push(format!("it gives {kind}, not yes or no; compare it"));
            }
            // values may be of any kind, so only without them is this sure
            Err(_) if !self.values.is_empty() => {}
            Err(why) => problems.push(format!("it cannot be computed: {why}")),
        }
        problems
    }

    /// What was compiled.
    pub(super) fn expression(&self) -> &IdedExpr {
        self.program.expression()
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// In words, why that cannot be said.
    pub fn holds(&self, around: &Around, values: &BTreeMap<String, Value>) -> Result<bool, String> {
        let values = values.iter().map(|(name, value)| (name.clone(), shown(value))).collect();
        match self.evaluate(around, &values)? {
            cel::Value::Bool(holds) => Ok(holds),
            other => Err(format!("it gives {}, not yes or no", kind_of(&other.type_of().to_string()))),
        }
    }

    fn evaluate(&self, around: &Around, values: &BTreeMap<String, cel::Value>) -> Result<cel::Value, String> {
        let mut context = Context::with_env(ENVIRONMENT.clone());
        let values: std::collections::HashMap<String, cel::Value> =
            values.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        context.add_variable_from_value("order", around.order.clone());
        context.add_variable_from_value("line", around.line.clone());
        context.add_variable_from_value("invoices", around.invoices.clone());
        context.add_variable_from_value("values", values);
        self.program.execute(&context).map_err(|error| reason(&error))
    }
}

/// What the parser says, without its grammar.
fn plain(message: &str) -> String {
    let message = message.trim_start_matches("Syntax error: ");
    let message = message.split(" expecting ").next().unwrap_or(message);
    let (_, found) = message.split_once("input ").unwrap_or(("", message));
    match found {
        "'<EOF>'" => "it ends too early".to_owned(),
        found if found.len() < message.len() => format!("{} is not expected there", found.replace('\'', "`")),
        _ => message.replace("'<EOF>'", "the end").replace('\'', "`"),
    }
}

/// Why an expression has no answer, in words for people who do not know CEL's own.
fn reason(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchOverload(error) => {
            let what = error.function().replace("_", "").replace("@", "");
            let of: Vec<String> = error.argument_types().iter().map(|kind| kind_of(kind)).collect();
            let remedy = match error.argument_types().iter().any(|kind| kind == "null_type") {
                true => {
                    "where Oracle leaves something out it is null: test that first, as in order.total != null && order.total > 1000"
                }
                false => "compare what is of one kind, such as a number with 1000 and a text with 'A'",
            };
            format!("`{what}` does not go with {}; {remedy}", of.join(" and "))
        }
        ExecutionError::UndeclaredReference(name) => {
            format!("there is no function `{name}`; use those of CEL, such as startsWith, contains, size")
        }
        other => other.to_string(),
    }
}

/// A type of CEL as people call it.
fn kind_of(kind: &str) -> String {
    match kind {
        "string" => "a text",
        "int" | "uint" => "a whole number",
        "double" | "float" => "a number",
        "bool" => "yes or no",
        "null_type" | "null" => "nothing (null)",
        "list" => "a list",
        "map" => "a group of names",
        other => return format!("a {other}"),
    }
    .to_owned()
}

impl Named {
    fn walk(&mut self, expression: &IdedExpr, bound: &mut Vec<String>) {
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => self.add(name, None, bound),
            Expr::Select(select) => match &select.operand.expr {
                Expr::Ident(name) => self.add(name, Some(&select.field), bound),
                _ => self.walk(&select.operand, bound),
            },
            Expr::Call(call) => {
                call.target.iter().for_each(|target| self.walk(target, bound));
                call.args.iter().for_each(|argument| self.walk(argument, bound));
            }
            Expr::List(list) => list.elements.iter().for_each(|element| self.walk(element, bound)),
            // a map or a message in a condition: looked at when it is computed
            Expr::Map(_) | Expr::Struct(_) => {}
            Expr::Comprehension(over) => {
                self.walk(&over.iter_range, bound);
                self.walk(&over.accu_init, bound);
                let before = bound.len();
                bound.extend([over.iter_var.clone(), over.accu_var.clone()]);
                bound.extend(over.iter_var2.clone());
                for part in [&over.loop_cond, &over.loop_step, &over.result] {
                    self.walk(part, bound);
                }
                bound.truncate(before);
            }
        }
    }

    fn add(&mut self, variable: &str, member: Option<&String>, bound: &[String]) {
        if !variable.starts_with('@') && !bound.iter().any(|name| name == variable) {
            self.members.insert((variable.to_owned(), member.cloned()));
        }
    }
}

impl Around {
    /// The variables for a subject.
    ///
    /// # Errors
    /// In words; plain structs have no way to fail.
    pub fn of(subject: Subject<'_>) -> Result<Around, String> {
        let invoices: Vec<Invoice<'_>> = subject.concerning().map(Invoice::of).collect();
        Around::shown(&Order::of(subject.order), subject.line.map(Line::of).as_ref(), &invoices)
            .map_err(|error| error.to_string())
    }

    fn shown(
        order: &Order<'_>,
        line: Option<&Line<'_>>,
        invoices: &[Invoice<'_>],
    ) -> Result<Around, cel::SerializationError> {
        let (order, line) = (cel::to_value(order)?, cel::to_value(line)?);
        Ok(Around { order, line, invoices: cel::to_value(invoices)? })
    }

    /// An order with everything that an order can have.
    fn sample() -> Around {
        let some = || Some("A".to_owned());
        let number = || Some("1.5".to_owned());
        let all = || vec!["A".to_owned()];
        let line = LineFacts {
            number: "1".to_owned(),
            description: some(),
            quantity: number(),
            uom: some(),
            price: number(),
            ordered: number(),
            total: number(),
            currency: some(),
            status: some(),
            cost_centers: all(),
            accounts: all(),
            ..LineFacts::default()
        };
        let order = OrderFacts {
            supplier: some(),
            status: some(),
            currency: some(),
            total: number(),
            requester: some(),
            description: some(),
            business_units: all(),
            legal_entity: some(),
            cost_centers: all(),
            accounts: all(),
            projects: all(),
            lines: vec![line.clone()],
            ..OrderFacts::default()
        };
        let invoice = InvoiceFacts {
            number: some(),
            currency: some(),
            amount: number(),
            supplier: some(),
            business_unit: some(),
            legal_entity: some(),
            validation: some(),
            paid: some(),
            ..InvoiceFacts::default()
        };
        let nothing =
            || Around { order: cel::Value::Null, line: cel::Value::Null, invoices: cel::Value::Null };
        Around::shown(&Order::of(&order), Some(&Line::of(&line)), &[Invoice::of(&invoice)])
            .unwrap_or_else(|_| nothing())
    }
}

fn keys(value: &cel::Value) -> BTreeSet<String> {
    match value {
        cel::Value::Map(map) => map.map.keys().map(ToString::to_string).collect(),
        _ => BTreeSet::new(),
    }
}

/// A value as conditions see it.
fn shown(value: &Value) -> cel::Value {
    match value {
        Value::Empty => cel::Value::Null,
        Value::Text(text) => text.as_str().into(),
        Value::Amount(amount, _) => number(&amount.to_string()).map_or(cel::Value::Null, Into::into),
        Value::Date(date) => date.to_string().as_str().into(),
    }
}

/// An amount for comparing: CEL has no decimals, and nothing is ever computed or written with this.
fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

#[derive(Serialize)]
struct Order<'a> {
    id: &'a str,
    number: &'a str,
    supplier: Option<&'a str>,
    status: Option<&'a str>,
    currency: Option<&'a str>,
    total: Option<f64>,
    requester: Option<&'a str>,
    description: Option<&'a str>,
    business_units: &'a [String],
    legal_entity: Option<&'a str>,
    cost_centers: &'a [String],
    accounts: &'a [String],
    projects: &'a [String],
    lines: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    number: &'a str,
    description: Option<&'a str>,
    quantity: Option<f64>,
    uom: Option<&'a str>,
    price: Option<f64>,
    ordered: Option<f64>,
    total: Option<f64>,
    currency: Option<&'a str>,
    status: Option<&'a str>,
    cost_centers: &'a [String],
    accounts: &'a [String],
}

#[derive(Serialize)]
struct Invoice<'a> {
    number: Option<&'a str>,
    currency: Option<&'a str>,
    amount: Option<f64>,
    supplier: Option<&'a str>,
    business_unit: Option<&'a str>,
    legal_entity: Option<&'a str>,
    validation: Option<&'a str>,
    paid: Option<&'a str>,
    canceled: bool,
}

impl<'a> Order<'a> {
    fn of(order: &'a OrderFacts) -> Order<'a> {
        Order {
            id: &order.id,
            number: &order.number,
            supplier: order.supplier.as_deref(),
            status: order.status.as_deref(),
            currency: order.currency.as_deref(),
            total: order.total.as_deref().and_then(number),
            requester: order.requester.as_deref(),
            description: order.description.as_deref(),
            business_units: &order.business_units,
            legal_entity: order.legal_entity.as_deref(),
            cost_centers: &order.cost_centers,
            accounts: &order.accounts,
            projects: &order.projects,
            lines: order.lines.iter().map(Line::of).collect(),
        }
    }
}

impl<'a> Line<'a> {
    fn of(line: &'a LineFacts) -> Line<'a> {
        Line {
            number: &line.number,
            description: line.description.as_deref(),
            quantity: line.quantity.as_deref().and_then(number),
            uom: line.uom.as_deref(),
            price: line.price.as_deref().and_then(number),
            ordered: line.ordered.as_deref().and_then(number),
            total: line.total.as_deref().and_then(number),
            currency: line.currency.as_deref(),
            status: line.status.as_deref(),
            cost_centers: &line.cost_centers,
            accounts: &line.accounts,
        }
    }
}

impl<'a> Invoice<'a> {
    fn of(invoice: &'a InvoiceFacts) -> Invoice<'a> {
        Invoice {
            number: invoice.number.as_deref(),
            currency: invoice.currency.as_deref(),
            amount: invoice.amount.as_deref().and_then(number),
            supplier: invoice.supplier.as_deref(),
            business_unit: invoice.business_unit.as_deref(),
            legal_entity: invoice.legal_entity.as_deref(),
            validation: invoice.validation.as_deref(),
            paid: invoice.paid.as_deref(),
            canceled: invoice.canceled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str) -> Result<bool, String> {
        let order = OrderFacts {
            number: "US-1".into(),
            supplier: Some("ACME".into()),
            currency: Some("USD".into()),
            total: Some("1000.10".into()),
            business_units: vec!["US1".into(), "EU1".into()],
            lines: vec![LineFacts { ordered: Some("5".into()), ..LineFacts::default() }],
            ..OrderFacts::default()
        };
        let condition = Condition::compile(text)?;
        let subject = Subject { order: &order, line: None, invoices: &[] };
        let stage = Value::Text("design".into());
        condition.holds(&Around::of(subject)?, &[("stage".to_owned(), stage)].into())
    }

    fn problems(text: &str) -> String {
        Condition::compile(text).unwrap().problems(&["stage"].into(), false).join("; ")
    }

    #[test]
    fn conditions_speak_of_the_order_its_lines_and_the_named_values() {
        for yes in [
            "order.supplier == 'ACME' && order.total > 1000",
            "order.total == 1000.10",
            "'EU1' in order.business_units",
            "order.lines.exists(l, l.ordered >= 5)",
            "values.stage == 'design'",
            "order.requester == null",
            "size(invoices) == 0",
            "order.number.startsWith('US-')",
        ] {
            assert_eq!(holds(yes), Ok(true), "{yes}");
            assert_eq!(problems(yes), "", "{yes}");
        }
        assert_eq!(holds("order.supplier == 'Other'"), Ok(false));
        assert!(holds("order.requester > 5").is_err());
    }

    #[test]
    fn what_can_be_wrong_is_said_before_any_order_comes() {
        for (broken, why) in [
            ("order.total >", "at character 14: it ends too early"),
            ("order.total > > 5", "at character 15: `>` is not expected there"),
            ("(order.total > 5", "missing `)` at the end"),
        ] {
            let told = Condition::compile(broken).unwrap_err();
            assert!(told.contains(why), "{broken}: {told}");
        }
        for (text, words) in [
            ("orders.total > 1.0", "`orders` is not known; there are order, line, invoices, values"),
            ("order.totl > 1.0", "`order.totl` does not exist; did you mean `order.total`?"),
            ("values.stag == 'a'", "`values.stag` does not exist; did you mean `values.stage`?"),
            ("line.ordered > 1.0", "tasks.per"),
            ("order.total", "it gives a number, not yes or no"),
            ("order.total == 'a' || nofun(1)", "cannot be computed"),
            ("1 == 1", "always holds"),
            ("1 == 2", "never holds"),
        ] {
            assert!(problems(text).contains(words), "{text}: {}", problems(text));
        }
    }
}
