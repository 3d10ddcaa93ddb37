//! Each purpose's value, computed from an order (or one of its lines) and its invoices.

use rust_decimal::Decimal;

use crate::amount;
use crate::code::Code;
use crate::invoice_status;
use crate::mapping::Held;
use crate::purpose::Purpose;
use crate::record::{InvoiceFacts, InvoicePart, LineFacts, OrderFacts};
use crate::settings::LineAmount;

/// What a task stands for.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The order.
    pub order: &'a OrderFacts,
    /// The line, when a task stands for one.
    pub line: Option<&'a LineFacts>,
    /// The invoices that name the order.
    pub invoices: &'a [InvoiceFacts],
}

/// A value before it meets its field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text; empty clears the field.
    Text(String),
    /// An exact amount and its currency.
    Amount(Decimal, Option<String>),
    /// A date.
    Date(jiff::civil::Date),
    /// Nothing to show.
    Empty,
}

impl Value {
    fn text(value: Option<&str>) -> Value {
        value.filter(|v| !v.is_empty()).map_or(Value::Empty, |v| Value::Text(v.to_owned()))
    }

    fn list(values: &[String]) -> Value {
        if values.is_empty() { Value::Empty } else { Value::Text(values.join(", ")) }
    }
}

impl<'a> Subject<'a> {
    /// The invoices that concern the subject.
    pub fn concerning(self) -> impl Iterator<Item = &'a InvoiceFacts> {
        self.invoices.iter().filter(move |invoice| invoice.parts.iter().any(|part| self.concerns(part)))
    }

    /// The value of a purpose; those that do not come from the order are not computed here.
    pub fn value(&self, purpose: Purpose, line_amount: LineAmount) -> Result<Value, Held> {
        let order = self.order;
        Ok(match purpose {
            Purpose::PoNumber => Value::Text(order.number.clone()),
            Purpose::Supplier => Value::text(order.supplier.as_deref()),
            Purpose::InvoiceStatus => {
                let invoices: Vec<&InvoiceFacts> = self.invoices().map(|(invoice, _)| invoice).collect();
                Value::text(invoice_status::least_finished(&invoices).as_deref())
            }
            Purpose::LineItemAmount => Value::Amount(self.lines_amount(line_amount)?, order.currency.clone()),
            Purpose::OrderStatus => {
                Value::text(self.line.and_then(|l| l.status.as_deref()).or(order.status.as_deref()))
            }
            Purpose::Currency => Value::text(order.currency.as_deref()),
            Purpose::OrderedTotal => match &order.total {
                Some(total) => {
                    Value::Amount(amount::parse(total, "the order's total")?, order.currency.clone())
                }
                None => Value::Empty,
            },
            Purpose::InvoicedAmount => self.invoiced()?,
            Purpose::InvoiceNumbers => {
                let mut numbers: Vec<String> =
                    self.invoices().map(|(i, _)| i.number.clone().unwrap_or_else(|| i.id.clone())).collect();
                numbers.sort();
                numbers.dedup();
                Value::list(&numbers)
            }
            Purpose::CostCenter => Value::list(self.line.map_or(&order.cost_centers, |l| &l.cost_centers)),
            Purpose::GlAccount => Value::list(self.line.map_or(&order.accounts, |l| &l.accounts)),
            Purpose::Requester => Value::text(order.requester.as_deref()),
            Purpose::LastSynced | Purpose::OracleLink | Purpose::JournalStatus | Purpose::Cost => {
                Value::Empty
            }
        })
    }

    /// Oracle's id of what the purpose shows, when it is one supplier or one account.
    #[must_use]
    pub fn source_id(&self, purpose: Purpose) -> Option<&str> {
        match (purpose, self.account_ids()) {
            (Purpose::Supplier, _) => self.order.supplier_id.as_deref(),
            (Purpose::GlAccount, [one]) => Some(one),
            _ => None,
        }
    }

    /// The accounts that the order, or the line, is charged to.
    pub fn account_ids(&self) -> &[String] {
        self.line.map_or(&self.order.account_ids, |line| &line.account_ids)
    }

    /// The invoices that concern the subject, each with its parts that do.
    fn invoices(&self) -> impl Iterator<Item = (&InvoiceFacts, Vec<&InvoicePart>)> {
        self.concerning().map(|invoice| {
            let parts = invoice.parts.iter().filter(|part| self.concerns(part)).collect();
            (invoice, parts)
        })
    }

    fn concerns(&self, part: &InvoicePart) -> bool {
        part.order_number == self.order.number
            && match self.line {
                None => true,
                Some(line) => match &part.order_line {
                    Some(number) => *number == line.number,
                    None => self.order.lines.len() == 1,
                },
            }
    }

    fn lines_amount(&self, line_amount: LineAmount) -> Result<Decimal, Held> {
        if let Some(line) = self.line {
            return self.line_amount(line, line_amount);
        }
        if self.order.lines.is_empty() {
            return Err(Held::new(Code::NoLines, format!("order {} has no lines", self.order.number)));
        }
        let mut sum = Decimal::ZERO;
        for line in &self.order.lines {
            sum = amount::add(sum, self.line_amount(line, line_amount)?, "the sum of the lines")?;
        }
        Ok(sum)
    }

    fn line_amount(&self, line: &LineFacts, which: LineAmount) -> Result<Decimal, Held> {
        if let (Some(of_line), Some(of_order)) = (&line.currency, &self.order.currency)
            && of_line != of_order
        {
            return Err(Held::new(
                Code::CurrencyMixed,
                format!("line {} is in {of_line}, the order in {of_order}", line.number),
            ));
        }
        let (text, attribute) = match which {
            LineAmount::Ordered => (&line.ordered, "Ordered"),
            LineAmount::Total => (&line.total, "Total"),
        };
        let what = format!("{attribute} of line {}", line.number);
        match text {
            Some(text) => amount::parse(text, &what),
            None => Err(Held::new(Code::AmountMissing, format!("{what} is null"))),
        }
    }

    /// What invoices ask for the subject. An invoice for this order alone counts whole; of one that
    /// names several orders only the lines that name this one count. Canceled ones do not count.
    fn invoiced(&self) -> Result<Value, Held> {
        let mut sum = Decimal::ZERO;
        let mut any = false;
        for (invoice, parts) in self.invoices().filter(|(i, _)| !i.canceled) {
            let name = invoice.number.as_deref().unwrap_or(&invoice.id);
            if let (Some(of_invoice), Some(of_order)) = (&invoice.currency, &self.order.currency)
                && of_invoice != of_order
            {
                return Err(Held::new(
                    Code::CurrencyMixed,
                    format!("invoice {name} is in {of_invoice}, the order in {of_order}"),
                ));
            }
            any = true;
            let what = format!("the amount of invoice {name}");
            let missing = || Held::new(Code::AmountMissing, format!("{what} is null"));
            if self.line.is_none() && parts.len() == invoice.parts.len() {
                let whole = amount::parse(invoice.amount.as_deref().ok_or_else(missing)?, &what)?;
                sum = amount::add(sum, whole, "the invoiced amount")?;
                continue;
            }
            for part in parts {
                let share = amount::parse(part.amount.as_deref().ok_or_else(missing)?, &what)?;
                sum = amount::add(sum, share, "the invoiced amount")?;
            }
        }
        Ok(if any { Value::Amount(sum, self.order.currency.clone()) } else { Value::Empty })
    }
}
